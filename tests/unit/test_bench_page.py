"""The page of figures says what the rounds say: the median, its spread, its goal, and what has too few of them."""

from __future__ import annotations

from bench.report.counts import read_counts, table
from bench.report.figures import Figure, ratios
from bench.report.page import PAGE, page, part


def kept(figure: Figure, runs: int) -> str:
    machine = {"cores": 2, "processor": "An 8086", "memory_gib": 24, "system": "Linux 6.1", "python": "3.11.7"}
    text = part("toy", {"benchmark": "A toy", "figures": [figure.to_dict()],
                        "runs": [{"when": f"2026-11-{20 + number}T10:00:00+00:00", "machine": machine}
                                 for number in range(runs)]})
    assert "## A toy" in text
    assert "Measured on 2026-11-20" in text
    assert "An 8086, 2 cores, 24 GiB of memory, Linux 6.1, Python 3.11.7" in text
    return text.splitlines()[-1]


def test_figure_is_the_median_with_its_spread_its_baseline_and_its_goal() -> None:
    values = [1.4, 1.1, 1.2, 1.6, 1.25] * 2
    assert kept(Figure("ours", values, "theirs", at_most=1.15), 2) == \
        "| ours | theirs | **1.25** (1.10 to 1.60) | at most 1.15: **missed** | 10 in 2 runs |"
    assert "at most 1.30: held" in kept(Figure("ours", values, "theirs", at_most=1.3), 2)
    assert "none set" in kept(Figure("ours", values, "theirs"), 2)


def test_too_few_rounds_or_runs_are_marked() -> None:
    assert kept(Figure("peak", [104.0], unit="MiB", at_most=200), 1) == \
        "| peak |  | **104** MiB (104 to 104) | at most 200: held | 1 in 1 run: too few |"
    assert kept(Figure("ours", [1.0] * 7, "theirs"), 1).endswith("7 in 1 run: too few |")
    assert kept(Figure("ours", [1.0] * 4, "theirs"), 2).endswith("4 in 2 runs: too few |")
    unknown = {**Figure("peak", [104.0]).to_dict(), "rounds": None}
    assert "one run, rounds unknown" in part("toy", {"benchmark": "A toy", "figures": [unknown], "runs": [{}]})


def test_ratios_are_taken_round_by_round_against_each_baseline() -> None:
    runs = [{"theirs": [1.0, 2.0], "faster": [0.5, 1.0], "ours": [1.5, 3.0]},
            {"theirs": [4.0], "faster": [2.0], "ours": [4.0]}]
    figures = {(figure.what, figure.baseline): figure for figure in ratios(runs, ("theirs", "faster"), {
        ("ours", "theirs"): 1.4})}
    assert {key: figure.values for key, figure in figures.items()} == {
        ("faster", "theirs"): [0.5, 0.5, 0.5], ("ours", "theirs"): [1.5, 1.5, 1.0], ("ours", "faster"): [3.0, 3.0, 2.0]}
    assert figures["ours", "theirs"].to_dict()["missed"]
    assert "missed" not in figures["ours", "faster"].to_dict()


def test_page_is_the_one_that_the_results_make() -> None:
    assert PAGE.read_text() == page()


def test_the_schema_page_shows_the_counts_of_the_last_run() -> None:
    assert table(read_counts()) in (PAGE.parents[1] / "docs" / "schema" / "README.md").read_text(encoding="utf-8")
