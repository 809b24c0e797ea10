"""Text for a screen of any width: lines break only at spaces, never inside a path or an address."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, Group
from rich.text import Text

INDENT = 4
HARD_SPACE = "\u00a0"


def show(console: Console, what: Group) -> None:
    """Print a group whose parts fit themselves to the width; a word that is wider runs past the edge."""
    console.print(what, soft_wrap=True)


def keep_together(text: str) -> str:
    """Mark the text so that `wrap` does not break it."""
    return text.replace(" ", HARD_SPACE)


def wrap(text: str, width: int) -> list[str]:
    """Break the text into lines of at most `width` columns; a longer word gets a line of its own."""
    lines = textwrap.wrap(text, max(width, 1), break_long_words=False, break_on_hyphens=False)
    return [line.replace(HARD_SPACE, " ") for line in lines] or [""]


@dataclass(frozen=True)
class Heading:
    """A bold line, or several."""

    text: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        """Render it at the width in `options`, one Text for each line."""
        for line in wrap(self.text, options.max_width):
            yield _line(Text(line, style="bold"), "")


@dataclass(frozen=True)
class Pairs:
    """Rows of a name and a value in two columns; a value that is too long continues below."""

    rows: Sequence[tuple[str, str]]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        """Render it at the width in `options`, one Text for each line."""
        margin = max((len(name) for name, _ in self.rows), default=0) + 2
        for name, value in self.rows:
            first, *others = wrap(value, options.max_width - margin)
            yield _line(Text(name.ljust(margin), style="bold"), first)
            for line in others:
                yield _line(Text(" " * margin), line)


@dataclass(frozen=True)
class Row:
    """One row of a table: its cells, the first of them its name, and remarks for the lines below it."""

    cells: Sequence[str]
    below: Sequence[str] = ()


@dataclass(frozen=True)
class Rows:
    """A table: first column left-aligned, others right-aligned; a name that leaves no room has a line of its own."""

    headings: Sequence[str]
    rows: Sequence[Row]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        """Render it at the width in `options`, one Text for each line."""
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
            for line in wrap(", ".join(map(keep_together, row.below)), options.max_width - INDENT) if row.below else ():
                yield _line(Text(" " * INDENT), line)


def _line(start: Text, rest: str | Text) -> Text:
    line = Text(no_wrap=True, overflow="ignore").append_text(start).append(rest)
    line.rstrip()
    return line
