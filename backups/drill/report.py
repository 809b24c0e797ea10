"""The report page of drills: the last one's result, and the recovery time of all as a chart; HTML and SVG, pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

WIDTH, HEIGHT, MARGIN = 720, 220, 50
STYLE = ("body{font:15px system-ui,sans-serif;max-width:760px;margin:2em auto;padding:0 1em;color:#1f3b57}"
         "table{border-collapse:collapse}td,th{padding:.2em 1em .2em 0;text-align:left;vertical-align:top}"
         "th{white-space:nowrap}"
         ".bad{color:#a40000}.good{color:#16703a}svg{max-width:100%}")

# What a drill takes time for that a recovery does not.
DRILL_ONLY = ("source", "server", "compare")

Facts = Mapping[str, Any]


def render_page(drills: Sequence[Facts]) -> str:
    """The page for the newest drill with the trend of all; `drills` are oldest first."""
    last = drills[-1]
    verdict = ('<p class="good"><b>proven</b>: restored, compared with the source, policies run</p>'
               if last["passed"] else '<p class="bad"><b>not proven</b></p><ul class="bad">'
               + "".join(f"<li>{escape(str(problem))}</li>" for problem in last["problems"]) + "</ul>")
    physical = is_physical(last)
    replayed = [("recovered to", str(last["point"])), ("WAL replayed", f"{last['replayed_bytes'] / 1e6:,.1f} MB")]
    rows = [("backup", f"{last.get('kind', 'logical')} {last['backup']}, taken {last['taken']}"),
            *(replayed if physical else []), ("drill", last["when"]), ("signed off by", last.get("signed_off_by", "")),
            ("server", last["server"]), ("rows", f"{last['rows']:,}"),
            ("tables and chunks compared", str(last["tables_compared"])),
            *(("compared as stored alone", line) for line in last.get("unread", [])),
            ("size of its files" if physical else "stored", f"{last['bytes'] / 1e6:,.1f} MB"),
            ("time to recover", f"{last['recovery_seconds']:.1f} s"),
            ("of which", name_parts(last["seconds"])), ("beside that", name_parts(last["seconds"], drill_only=True)),
            ("policies run", "; ".join(f"{job}: {outcome}" for job, outcome in last["jobs"].items()) or "none")]
    table = "".join(f"<tr><th>{escape(name)}</th><td>{escape(str(value))}</td></tr>" for name, value in rows)
    return (f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Drills of {escape(last["database"])}</title>'
            f"<style>{STYLE}</style><h1>Drills of {escape(last['database'])}</h1>{verdict}<table>{table}</table>"
            f"<h2>Time to recover, drill by drill</h2>{draw_trend(drills)}</html>\n")


def name_parts(seconds: Mapping[str, float], *, drill_only: bool = False) -> str:
    """The seconds of each part of the recovery as text; with `drill_only`, of what a drill does besides recovering."""
    parts = [f"{name} {duration:.1f} s" for name, duration in seconds.items() if (name in DRILL_ONLY) is drill_only]
    return ", ".join(parts) or "nothing"


def is_physical(drill: Facts) -> bool:
    """Whether the drill was of a physical backup."""
    return bool(drill.get("kind", "logical") != "logical")


def draw_trend(drills: Sequence[Facts]) -> str:
    """Seconds to recover as an SVG: a line for each kind of backup, a hollow red dot for each failed drill."""
    top, base, right = MARGIN / 2, HEIGHT - MARGIN, WIDTH - MARGIN
    most = max([*(float(drill["recovery_seconds"]) for drill in drills), 1.0]) * 1.15
    # The last one is at the right, the first one clear of the axis.
    step = (right - 2 * MARGIN) / max(1, len(drills) - 1)
    points = [(right - step * (len(drills) - 1 - number), base - float(drill["recovery_seconds"]) / most * (base - top))
              for number, drill in enumerate(drills)]
    kinds = [(physical, colour) for physical, colour in ((False, "#1f3b57"), (True, "#b35900"))
             if any(is_physical(drill) is physical for drill in drills)]
    lines = "".join(_draw_line([(point, drill) for point, drill in zip(points, drills, strict=True)
                                if is_physical(drill) is physical], colour) for physical, colour in kinds)
    names = "".join(f'<tspan fill="{colour}" dx="12">{"physical" if physical else "logical"}</tspan>'
                    for physical, colour in kinds)
    ends = {points[0][0]: "middle", right: "end"} if len(drills) > 1 else {right: "end"}
    dates = "".join(f'<text x="{x:.0f}" y="{HEIGHT - 12}" font-size="12" text-anchor="{anchor}">'
                    f'{escape(str(drill["when"])[:10])}</text>'
                    for (x, anchor), drill in zip(ends.items(), (drills[0], drills[-1])[-len(ends):], strict=True))
    return (f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="seconds to recover by drill">'
            f'<path d="M{MARGIN},{top} V{base} H{WIDTH - top}" fill="none" stroke="#888"/>'
            f'<text x="{MARGIN - 6}" y="{top + 4:.0f}" font-size="12" text-anchor="end">{most:.1f} s</text>'
            f'<text x="{MARGIN - 6}" y="{base + 4}" font-size="12" text-anchor="end">0</text>{lines}'
            f'<text x="{right}" y="12" font-size="12" text-anchor="end">{names}</text>{dates}</svg>')


def _draw_line(drills: Sequence[tuple[tuple[float, float], Facts]], colour: str) -> str:
    """The drills of one kind, joined."""
    dots = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour if drill["passed"] else "white"}" '
        f'stroke="{colour if drill["passed"] else "#a40000"}"><title>{escape(str(drill["when"]))}: '
        f'{float(drill["recovery_seconds"]):.1f} s</title></circle>' for (x, y), drill in drills)
    line = " ".join(f"{x:.1f},{y:.1f}" for (x, y), _ in drills)
    return f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-opacity=".4" stroke-width="2"/>{dots}'
