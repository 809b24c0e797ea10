"""One line for each reason of skips, with the number of tests and files, before pytest's own closing line."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

import pytest

TITLE = "skipped on this machine"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the lines, including skips in other processes of the run; nothing where nothing was skipped."""
    lines = list(grouped((report.nodeid, report.longrepr) for report in terminalreporter.getreports("skipped")))
    if lines:
        terminalreporter.section(TITLE, "-")
        for line in lines:
            terminalreporter.write_line(line)


def grouped(skips: Iterable[tuple[str, object]]) -> Iterator[str]:
    """Yield lines such as `needs a Docker engine: 870 tests in 61 files`, the most frequent reason first.

    Takes pairs of node name and pytest's record of the skip.
    """
    tests: dict[str, list[str]] = defaultdict(list)
    for node, longrepr in skips:
        reason = longrepr[2] if isinstance(longrepr, tuple) else str(longrepr)
        tests[reason.removeprefix("Skipped: ")].append(node)
    for reason, nodes in sorted(tests.items(), key=lambda item: (-len(item[1]), item[0])):
        files = {node.partition("::")[0] for node in nodes}
        yield f"{reason}: {_count(len(nodes), 'test')} in {_count(len(files), 'file')}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
