"""The page of drills: what the last one found, and how long recovery took, drawn; plain HTML and SVG, pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

WIDTH, HEIGHT, MARGIN = 720, 220, 40
STYLE = ("body{font:15px system-ui,sans-serif;max-width:760px;margin:2em auto;padding:0 1em;color:#1f3b57}"
         "table{border-collapse:collapse}td,th{padding:.2em 1em .2em 0;text-align:left;vertical-align:top}"
         ".bad{color:#a40000}.good{color:#16703a}svg{max-width:100%}")

Facts = Mapping[str, Any]


def render_page(drills: Sequence[Facts]) -> str:
    """One page for the newest drill and the trend of all, the oldest first."""
    last = drills[-1]
    verdict = ('<p class="good"><b>proven</b>: restored, compared with the source, policies run</p>'
               if last["passed"] else '<p class="bad"><b>not proven</b></p><ul class="bad">'
               + "".join(f"<li>{escape(str(each))}</li>" for each in last["problems"]) + "</ul>")
    physical = is_physical(last)
    replayed = [("recovered to", str(last["point"])), ("WAL replayed", f"{last['replayed_bytes'] / 1e6:,.1f} MB")]
    rows = [("backup", f"{last.get('kind', 'logical')} {last['backup']}, taken {last['taken']}"),
            *(replayed if physical else []), ("drill", last["when"]), ("signed off by", last.get("signed_off_by", "")),
            ("server", last["server"]), ("rows", f"{last['rows']:,}"),
            ("tables and chunks compared", str(last["tables_compared"])),
            ("size of its files" if physical else "stored", f"{last['bytes'] / 1e6:,.1f} MB"),
            ("time to recover", f"{last['recovery_seconds']:.1f} s"),
            ("of which", ", ".join(f"{name} {seconds:.1f} s" for name, seconds in last["seconds"].items())),
            ("policies run", "; ".join(f"{job}: {said}" for job, said in last["jobs"].items()) or "none")]
    table = "".join(f"<tr><th>{escape(name)}</th><td>{escape(str(value))}</td></tr>" for name, value in rows)
    return (f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Drills of {escape(last["database"])}</title>'
            f"<style>{STYLE}</style><h1>Drills of {escape(last['database'])}</h1>{verdict}<table>{table}</table>"
            f"<h2>Time to recover, drill by drill</h2>{draw_trend(drills)}</html>\n")


def is_physical(drill: Facts) -> bool:
    return bool(drill.get("kind", "logical") != "logical")


def draw_trend(drills: Sequence[Facts]) -> str:
    """Seconds to recover as an SVG, a line for each kind: a dot for each drill, hollow and red where it failed."""
    most = max([*(float(each["recovery_seconds"]) for each in drills), 1.0]) * 1.15
    step, base = (WIDTH - 2 * MARGIN) / max(1, len(drills) - 1), HEIGHT - MARGIN
    points = [(MARGIN + step * number, base - float(each["recovery_seconds"]) / most * (HEIGHT - 2 * MARGIN))
              for number, each in enumerate(drills)]
    lines = "".join(_draw_line(drills, points, physical=physical) for physical in (False, True))
    return (f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="seconds to recover by drill">'
            f'<path d="M{MARGIN},{MARGIN / 2} V{base} H{WIDTH - MARGIN / 2}" fill="none" stroke="#888"/>'
            f'<text x="4" y="{MARGIN / 2 + 4:.0f}" font-size="12">{most:.0f} s</text>'
            f'<text x="4" y="{base}" font-size="12">0</text>{lines}'
            f'<text x="{MARGIN}" y="{HEIGHT - 12}" font-size="12">{escape(str(drills[0]["when"])[:10])}</text>'
            f'<text x="{WIDTH - MARGIN}" y="{HEIGHT - 12}" font-size="12" text-anchor="end">'
            f'{escape(str(drills[-1]["when"])[:10])}</text></svg>')


def _draw_line(drills: Sequence[Facts], points: Sequence[tuple[float, float]], *, physical: bool) -> str:
    """The drills of one kind, joined, with its name at the last; nothing where there is none."""
    own = [(x, y, each) for (x, y), each in zip(points, drills, strict=True) if is_physical(each) is physical]
    if not own:
        return ""
    colour = "#b35900" if physical else "#1f3b57"
    dots = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour if each["passed"] else "white"}" '
        f'stroke="{colour if each["passed"] else "#a40000"}"><title>{escape(str(each["when"]))}: '
        f'{float(each["recovery_seconds"]):.1f} s</title></circle>' for x, y, each in own)
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in own)
    return (f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-opacity=".4" stroke-width="2"/>{dots}'
            f'<text x="{own[-1][0]:.1f}" y="{own[-1][1] - 9:.1f}" font-size="12" text-anchor="end" fill="{colour}">'
            f'{"physical" if physical else "logical"}</text>')
