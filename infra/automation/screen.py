"""Text for a screen of any width: lines break at spaces alone, so that a path or an address stays whole."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, Group
from rich.text import Text

INDENT = 4
HARD_SPACE = "\u00a0"


def show(console: Console, what: Group) -> None:
    """Print what fits the console by itself; a word that is wider than the console runs past its edge."""
    console.print(what, soft_wrap=True)


def whole(text: str) -> str:
    """The same text, which `wrapped` breaks nowhere."""
    return text.replace(" ", HARD_SPACE)


def wrapped(text: str, width: int) -> list[str]:
    """The text in lines of at most `width` columns; a longer word has a line of its own, which is longer."""
    lines = textwrap.wrap(text, max(width, 1), break_long_words=False, break_on_hyphens=False)
    return [line.replace(HARD_SPACE, " ") for line in lines] or [""]


@dataclass(frozen=True)
class Heading:
    """A bold line, or several."""

    text: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        for line in wrapped(self.text, options.max_width):
            yield _line(Text(line, style="bold"), "")


@dataclass(frozen=True)
class Pairs:
    """A name and a value in each row, the values below each other; what follows of a value stands below it."""

    rows: Sequence[tuple[str, str]]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        margin = max((len(name) for name, _ in self.rows), default=0) + 2
        for name, value in self.rows:
            first, *others = wrapped(value, options.max_width - margin)
            yield _line(Text(name.ljust(margin), style="bold"), first)
            for line in others:
                yield _line(Text(" " * margin), line)


@dataclass(frozen=True)
class Row:
    """One row of a table: its cells, the first of them its name, and what is said of it in the lines below it."""

    cells: Sequence[str]
    below: Sequence[str] = ()


@dataclass(frozen=True)
class Rows:
    """A table: the first column to the left, the others to the right; a name that leaves no room has its own line."""

    headings: Sequence[str]
    rows: Sequence[Row]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        widths = [max(len(row.cells[column]) for row in (Row(self.headings), *self.rows))
                  for column in range(len(self.headings))]
        numbers = sum(widths[1:]) + 2 * len(widths[1:])
        names = max(min(widths[0], options.max_width - numbers), len(self.headings[0]))
        for row, style in ((Row(self.headings), "bold"), *((row, "") for row in self.rows)):
            name, *cells = row.cells
            figures = "".join(cell.rjust(width + 2) for cell, width in zip(cells, widths[1:], strict=True)).rstrip()
            if len(name) > names:
                yield _line(Text(name, style=style), "")
                name = ""
            yield _line(Text(name.ljust(names), style=style), Text(figures, style=style))
            for line in wrapped(", ".join(map(whole, row.below)), options.max_width - INDENT) if row.below else ():
                yield _line(Text(" " * INDENT), line)


def _line(start: Text, rest: str | Text) -> Text:
    line = Text(no_wrap=True, overflow="ignore").append_text(start).append(rest)
    line.rstrip()
    return line
