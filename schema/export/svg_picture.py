"""A picture of boxes and lines with its title, index and legend, as SVG text; pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import ClassVar

from schema.export.svg import BOX_STYLES, FONT, LINES, SIZE, Box, Frame, Line, n, rect, text, text_width
from schema.export.svg_index import Index


@dataclass(frozen=True)
class Picture:
    """The whole picture."""

    title: str
    boxes: Sequence[Box]
    lines: Sequence[Line]
    width: float
    height: float
    frames: Sequence[Frame] = ()
    index: Index | None = None
    HEAD: ClassVar[float] = 34
    LEGEND: ClassVar[float] = 34

    def svg(self) -> str:
        """Return the picture as SVG text, with a legend of the kinds in it."""
        kinds = list(dict.fromkeys(kind for kind in BOX_STYLES if any(box.kind == kind for box in self.boxes)))
        lines = list(dict.fromkeys(kind for kind in LINES if any(line.kind == kind for line in self.lines)))
        legend = list(self._legend(kinds, lines))
        width = max(self.width, self._legend_width(kinds, lines))
        size = f'width="{n(width)}" height="{n(self.height)}" viewBox="0 0 {n(width)} {n(self.height)}"'
        return "\n".join([
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="{FONT}" font-size="{SIZE}">',
            f"<title>{escape(self.title)}</title>", "<defs>", *(_tip(kind) for kind in lines), "</defs>",
            rect(0, 0, width, self.height, fill="#ffffff"),
            text(30, 38, self.title, size=17, bold=True),
            *(self.index.svg(self.boxes) if self.index else ()),
            *(part for frame in self.frames for part in frame.svg()), *(line.svg() for line in self.lines),
            *(part for box in self.boxes for part in box.svg()), *legend,
            "</svg>"]) + "\n"

    def _legend(self, kinds: Sequence[str], lines: Sequence[str]) -> Iterable[str]:
        x, y = 30.0, self.height - 22
        for kind in kinds:
            yield rect(x, y - 10, 13, 13, fill=BOX_STYLES[kind][0], rx=3)
            yield text(x + 19, y + 1, BOX_STYLES[kind][2], size=11, fill="#334155")
            x += 19 + text_width(BOX_STYLES[kind][2], 11) + 20
        for kind in lines:
            yield Line(kind, (x + 30, y - 3), (x - 2, y - 3)).svg()
            yield text(x + 37, y + 1, LINES[kind][2], size=11, fill="#334155")
            x += 37 + text_width(LINES[kind][2], 11) + 20
        yield text(x, y + 1, "bold: never NULL", size=11, fill="#334155", bold=True)

    @staticmethod
    def _legend_width(kinds: Sequence[str], lines: Sequence[str]) -> float:
        return (60 + sum(39 + text_width(BOX_STYLES[kind][2], 11) for kind in kinds)
                + sum(57 + text_width(LINES[kind][2], 11) for kind in lines) + text_width("bold: never NULL", 11) * 1.1)


def _tip(kind: str) -> str:
    return (f'<marker id="{kind}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto">'
            f'<path d="M0 0.6 L10 5 L0 9.4 z" fill="{LINES[kind][0]}"/></marker>')
