"""The page of drills: what it says, and that its picture says the same."""

from __future__ import annotations

import re
from typing import Any

import pytest

from backups.drill.report import HEIGHT, MARGIN, draw_trend, name_parts, render_page

SECONDS = {"server": 2.0, "verify": 0.1, "rows": 0.4, "compare": 0.3}


def drill(day: int, recovery: float, kind: str = "logical", **more: Any) -> dict[str, Any]:
    return {"backup": f"b{day}", "database": "shop", "taken": "then", "when": f"2026-11-{day:02}T04:00:00+00:00",
            "server": "PostgreSQL 17", "rows": 7, "tables_compared": 2, "bytes": 1_000_000, "seconds": SECONDS,
            "recovery_seconds": recovery, "jobs": {}, "problems": [], "passed": True, "kind": kind, "point": "p",
            "replayed_bytes": 0, **more}


def dots(svg: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)"', svg)]


def test_times_of_the_recovery_exclude_the_drills_own_work() -> None:
    assert name_parts(SECONDS) == "verify 0.1 s, rows 0.4 s"
    assert name_parts(SECONDS, drill_only=True) == "server 2.0 s, compare 0.3 s"
    assert name_parts({}) == "nothing"


@pytest.mark.parametrize("recoveries", [[1.5], [10.0, 20.0], [3.0, 400.0, 1.0]])
def test_every_dot_is_where_the_scale_says(recoveries: list[float]) -> None:
    svg = draw_trend([drill(day, seconds) for day, seconds in enumerate(recoveries, 1)])
    scale = re.search(r">([\d.]+) s</text>", svg)
    assert scale
    top, base = MARGIN / 2, HEIGHT - MARGIN
    shown = [(base - y) / (base - top) * float(scale[1]) for _, y in dots(svg)]
    assert shown == pytest.approx(recoveries, rel=0.02, abs=0.05 * max(recoveries))
    assert all(x > MARGIN for x, _ in dots(svg))


def test_one_drill_has_one_date_and_several_the_first_and_the_last() -> None:
    assert draw_trend([drill(3, 1.0)]).count("2026-11-03</text>") == 1
    both = draw_trend([drill(3, 1.0), drill(4, 1.0, "full"), drill(5, 1.0)])
    assert re.findall(r">(2026-[\d-]+)</text>", both) == ["2026-11-03", "2026-11-05"]


def test_every_kind_of_backup_has_one_labelled_line() -> None:
    assert re.findall(r">(logical|physical)</tspan>", draw_trend([drill(3, 1.0)])) == ["logical"]
    assert re.findall(r">(logical|physical)</tspan>", draw_trend([drill(3, 1.0), drill(4, 2.0, "incr")])) == [
        "logical", "physical"]


def test_the_page_says_what_was_wrong_and_escapes_it() -> None:
    page = render_page([drill(3, 1.0), drill(4, 2.0, passed=False, problems=["table <b> differs"])])
    assert "not proven" in page
    assert "table &lt;b&gt; differs" in page
    assert 'fill="white"' in page
