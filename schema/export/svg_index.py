"""The index of a large picture: all names in the order of the alphabet, each with its box's number and a link to it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from schema.export.svg import BOX_STYLES, Box, text

ROW, COLUMN, SIZE, TOP = 16, 250.0, 11, 82


@dataclass(frozen=True)
class Index:
    """Columns of names above the boxes."""

    columns: int
    rows: int

    @classmethod
    def of(cls, boxes: Sequence[Box], width: float) -> Index:
        """Lay out an index of as many columns as the picture is wide."""
        columns = max(1, int(width // COLUMN))
        return cls(columns, -(-len(boxes) // columns))

    @property
    def height(self) -> float:
        """How far it moves the boxes down."""
        return self.rows * ROW + 40

    def svg(self, boxes: Sequence[Box]) -> Iterable[str]:
        """The names, each a link to its box."""
        for place, box in enumerate(sorted(boxes, key=lambda box: (box.title.lower(), box.title, box.number or 0))):
            x = 30 + place // self.rows * COLUMN
            y = TOP + place % self.rows * ROW
            number = text(x + 24, y, str(box.number), size=SIZE, fill=BOX_STYLES[box.kind][0], anchor="end", bold=True)
            name = text(x + 32, y, box.title, size=SIZE, fill="#334155", room=COLUMN - 44)
            yield f'<a href="#box{box.number}">{number}{name}</a>'
