"""Boxes with rows, tags below them, lines between them and frames around them, as SVG text; pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

ROW, TITLE_HEIGHT, PAD, SIZE = 19, 34, 12, 12
TAG_SIZE = 10.5
# A box is no wider: longer texts are cut, and shown whole when they are pointed at.
WIDEST_BOX = 360.0
MARK_WIDTH = 40
FONT = "DejaVu Sans, Verdana, sans-serif"
# By kind of box: its colour, the tint of its tags, and the word in the legend.
BOX_STYLES = {
    "table": ("#475569", "#f1f5f9", "table"), "hypertable": ("#4338ca", "#eef2ff", "hypertable"),
    "aggregate": ("#047857", "#ecfdf5", "continuous aggregate"), "view": ("#0369a1", "#f0f9ff", "view"),
    "function": ("#9d174d", "#fdf2f8", "function"), "procedure": ("#9d174d", "#fdf2f8", "procedure"),
    "enum": ("#b45309", "#fffbeb", "enum"), "job": ("#6d28d9", "#f5f3ff", "job"),
    "statistics": ("#0f766e", "#f0fdfa", "statistics"), "sequence": ("#4d7c0f", "#f7fee7", "sequence"),
    "domain": ("#b45309", "#fffbeb", "domain"), "composite": ("#b45309", "#fffbeb", "composite type"),
    "collation": ("#57534e", "#fafaf9", "collation"), "extension": ("#57534e", "#fafaf9", "extension"),
    "materialized_view": ("#0e7490", "#ecfeff", "materialized view"),
    "aggregate_function": ("#9d174d", "#fdf2f8", "aggregate function")}
# By kind of line: its colour, its dashes, and the word in the legend.
LINES = {"refers": ("#64748b", "", "foreign key"), "reads": ("#047857", "6 4", "computed from"),
         "uses": ("#94a3b8", "2 3", "uses"), "runs": ("#6d28d9", "2 3", "runs")}


@dataclass(frozen=True)
class Row:
    """One line of a box: a name, its type at the right, its role (PK, FK, U), and whether it is NOT NULL."""

    name: str
    type: str = ""
    mark: str = ""
    required: bool = False
    faint: bool = False


@dataclass(frozen=True)
class Tag:
    """A policy or another property: a word in a pill, and its value."""

    word: str
    text: str


@dataclass
class Box:
    """One object; its position and final width are set once all sizes are known."""

    kind: str
    title: str
    rows: Sequence[Row]
    tags: Sequence[Tag]
    x: float = 0
    y: float = 0
    width: float = 0
    number: int | None = None

    def __post_init__(self) -> None:
        marks = self._marks
        rows = [marks + text_width(row.name, SIZE) + (22 + text_width(row.type, SIZE) if row.type else 0)
                for row in self.rows]
        tags = [pill_width(tag.word) + 7 + text_width(tag.text, TAG_SIZE) for tag in self.tags]
        head = text_width(self.title, 13.5, bold=True) + (26 if self.kind == "hypertable" else 0)
        self.width = min(WIDEST_BOX, round(max(170, head, *rows, *tags, 0) + 2 * PAD))

    @property
    def _marks(self) -> float:
        return MARK_WIDTH if any(row.mark for row in self.rows) else 0

    @property
    def height(self) -> float:
        """Height with all rows and tags, in pixels."""
        tags = ROW * len(self.tags) + 12 if self.tags else 0
        return TITLE_HEIGHT + ROW * len(self.rows) + 10 + tags

    def row_y(self, name: str) -> float:
        """Return the middle of the row of this name, or of the title."""
        for number, row in enumerate(self.rows):
            if row.name == name:
                return self.y + TITLE_HEIGHT + 5 + ROW * (number + 0.5)
        return self.y + TITLE_HEIGHT / 2

    def svg(self) -> Iterable[str]:
        """Yield the box's elements."""
        colour, tint, _ = BOX_STYLES[self.kind]
        x, y, width, height = self.x, self.y, self.width, self.height
        name = f' id="box{self.number}"' if self.number is not None else ""
        yield f'<g{name}><title>{escape(self.title)}</title>'
        yield rect(x, y, width, height, fill="#ffffff", stroke=colour, rx=7, stroke_width=1.4)
        yield (f'<path d="M{n(x)} {n(y + TITLE_HEIGHT)} v{n(7 - TITLE_HEIGHT)} a7 7 0 0 1 7 -7 h{n(width - 14)} '
               f'a7 7 0 0 1 7 7 v{n(TITLE_HEIGHT - 7)} z" fill="{colour}"/>')
        sign = 26 if self.kind == "hypertable" else 0
        yield text(x + PAD, y + 22, self.title, size=13.5, fill="#ffffff", bold=True, room=width - 2 * PAD - sign)
        if self.kind == "hypertable":
            yield from _chunks(x + width - PAD - 17, y + 10)
        if self.number is not None:
            yield text(x + width, y - 4, str(self.number), size=10, fill=colour, anchor="end", bold=True)
        for number, row in enumerate(self.rows):
            yield from self._row(row, y + TITLE_HEIGHT + 5 + ROW * number + 13.5, colour)
        if self.tags:
            yield from self._tags(y + TITLE_HEIGHT + 10 + ROW * len(self.rows), colour, tint)
        yield "</g>"

    def _row(self, row: Row, base: float, colour: str) -> Iterable[str]:
        """Yield a row's elements; a type that is cut has what its name leaves, two fifths at least."""
        x, marks = self.x, self._marks
        if row.mark:
            yield text(x + PAD, base, row.mark, size=9, fill=colour, bold=True)
        room = self.width - 2 * PAD - marks - (22 if row.type else 0)
        type_room = min(text_width(row.type, SIZE), max(room * 0.4, room - text_width(row.name, SIZE)))
        yield text(x + PAD + marks, base, row.name, bold=row.required, fill="#94a3b8" if row.faint else "#0f172a",
                   room=room - type_room)
        if row.type:
            yield text(x + self.width - PAD, base, row.type, fill="#64748b", anchor="end", room=type_room)

    def _tags(self, top: float, colour: str, tint: str) -> Iterable[str]:
        bottom = self.y + self.height
        yield (f'<path d="M{n(self.x)} {n(top)} h{n(self.width)} v{n(bottom - top - 7)} a7 7 0 0 1 -7 7 '
               f'h{n(14 - self.width)} a7 7 0 0 1 -7 -7 z" fill="{tint}" stroke="{colour}" stroke-width="1.4"/>')
        for number, tag in enumerate(self.tags):
            base = top + 6 + ROW * number
            width = pill_width(tag.word)
            yield rect(self.x + PAD, base + 2, width, 15, fill="#ffffff", stroke=colour, rx=7.5, stroke_width=0.9)
            yield text(self.x + PAD + width / 2, base + 13, tag.word, size=9.5, fill=colour, anchor="middle", bold=True)
            yield text(self.x + PAD + width + 7, base + 13.2, tag.text, size=TAG_SIZE, fill="#334155",
                       room=self.width - 2 * PAD - width - 7)


@dataclass(frozen=True)
class Line:
    """A line from a child to a parent; it leaves and enters at a left edge (-1) or a right one (1)."""

    kind: str
    start: tuple[float, float]
    end: tuple[float, float]
    leaves: int = -1
    enters: int = 1

    def svg(self) -> str:
        """Return the line as one curved path."""
        (x1, y1), (x2, y2) = self.start, self.end
        bend = max(30.0, abs(x1 - x2) / 2)
        colour, dashes, _ = LINES[self.kind]
        dash = f' stroke-dasharray="{dashes}"' if dashes else ""
        first, second = x1 + self.leaves * bend, x2 + self.enters * bend
        return (f'<path d="M{n(x1)} {n(y1)} C{n(first)} {n(y1)} {n(second)} {n(y2)} {n(x2 + 2 * self.enters)} {n(y2)}" '
                f'fill="none" stroke="{colour}" stroke-width="1.5"{dash} marker-end="url(#{self.kind})"/>')


@dataclass
class Frame:
    """The frame around the boxes of one schema."""

    name: str
    x: float
    y: float
    width: float
    height: float

    def svg(self) -> Iterable[str]:
        """Yield the frame and its name."""
        yield rect(self.x, self.y, self.width, self.height, fill="#f8fafc", stroke="#cbd5e1", rx=10)
        yield text(self.x + 22, self.y + 22, self.name, size=13.5, fill="#475569", bold=True, room=self.width - 44)


def _chunks(x: float, y: float) -> Iterable[str]:
    """Yield the sign of a hypertable: rows cut into chunks."""
    for number, opacity in enumerate((0.45, 0.7, 1)):
        yield (f'<rect x="{n(x + 6 * number)}" y="{n(y)}" width="4.6" height="14" rx="1" fill="#ffffff" '
               f'opacity="{opacity}"/>')


def rect(x: float, y: float, width: float, height: float, *, fill: str, stroke: str = "none", rx: float = 0,
         stroke_width: float = 1) -> str:
    """Return a rectangle."""
    edge = f' stroke="{stroke}" stroke-width="{n(stroke_width)}"' if stroke != "none" else ""
    return (f'<rect x="{n(x)}" y="{n(y)}" width="{n(width)}" height="{n(height)}" rx="{n(rx)}" fill="{fill}"{edge}/>')


def text(x: float, y: float, value: str, *, size: float = SIZE, fill: str = "#0f172a", bold: bool = False,
         anchor: str = "start", room: float | None = None) -> str:
    """Return a line of text; `y` is its baseline. What does not fit into `room` is cut, and whole in its title."""
    weight = ' font-weight="bold"' if bold else ""
    end = f' text-anchor="{anchor}"' if anchor != "start" else ""
    shown = value if room is None else cut(value, size, room)
    whole = f"<title>{escape(value)}</title>" if shown != value else ""
    return (f'<text x="{n(x)}" y="{n(y)}" font-size="{n(size)}" fill="{fill}"{weight}{end}>{whole}{escape(shown)}'
            '</text>')


def cut(value: str, size: float, room: float) -> str:
    """Return the text, or as much of it as has room and an ellipsis; widths are estimates, so a tenth more fits."""
    if text_width(value, size) <= room * 1.1:
        return value
    while value and text_width(value, size) + size > room:
        value = value[:-1]
    return value.rstrip() + "…"


def pill_width(word: str) -> float:
    """Return the width of a tag's pill."""
    return text_width(word, 9.5, bold=True) + 14


def text_width(value: str, size: float, *, bold: bool = False) -> float:
    """Estimate the width of a text in pixels, from mean widths of groups of letters in ems."""
    narrow, wide, small = "iljtfI.,:;'|()[] ", "mwMW@%", "rsckz_-"
    ems = sum(0.36 if letter in narrow else 0.92 if letter in wide else 0.53 if letter in small
              else 0.72 if letter.isupper() else 0.63 for letter in value)
    return ems * size * (1.1 if bold else 1)


def n(value: float) -> str:
    """Format a number with at most one decimal, without a trailing .0."""
    return f"{value:.1f}".removesuffix(".0")
