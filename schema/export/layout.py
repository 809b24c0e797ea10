"""Where the boxes of a picture go: columns by dependency, wrapped where they are long, in frames by schema; pure."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from schema.export.svg import Box, Frame
from schema.model.objects import Object

GAP_X, GAP_Y = 84, 34
# Between pieces that nothing joins, and inside a frame.
GAP, FRAME_PAD, FRAME_HEAD = 40, 22, 34
# What is at most this wide and high stays as it is; more is wrapped, so that it is scrolled downwards alone; the
# picture of very many boxes is wider.
WIDE, WIDEST, HIGHEST = 2000.0, 3200.0, 1200.0


@dataclass(frozen=True)
class Piece:
    """Boxes and frames that move together; their places are relative to the piece's until it is moved."""

    boxes: Sequence[Box]
    width: float
    height: float
    frames: list[Frame] = field(default_factory=list)

    def move(self, x: float, y: float) -> None:
        """Shift everything in the piece."""
        for box in self.boxes:
            box.x, box.y = box.x + x, box.y + y
        for frame in self.frames:
            frame.x, frame.y = frame.x + x, frame.y + y


def arrange(objects: Sequence[Object], links: Iterable[tuple[Object, Object]], boxes: Mapping[Object, Box]) -> Piece:
    """Place the boxes of all objects, framed by schema where there are several; `links` are (child, parent)."""
    links = list(links)
    room = math.sqrt(sum((box.width + GAP_X) * (box.height + GAP_Y) for box in boxes.values()))
    wide = min(WIDEST, max(WIDE, room * 0.6))
    schemas: dict[str, list[Object]] = defaultdict(list)
    for value in objects:
        schemas[value.schema].append(value)
    if len(schemas) <= 1:
        return _of_schema(objects, links, boxes, wide)
    names = sorted(schemas, key=lambda name: (name != "public", name))
    return _packed([_framed(name, _of_schema(schemas[name], links, boxes, wide)) for name in names], wide)


def _of_schema(objects: Sequence[Object], links: Sequence[tuple[Object, Object]],
               boxes: Mapping[Object, Box], wide: float) -> Piece:
    """Place the objects of one schema: in columns as they depend on each other or, where these are too many, what is
    joined by itself and all that is not beneath it."""
    members = set(objects)
    inside = [link for link in links if members.issuperset(link)]
    whole = _side_by_side(_ranks(objects, inside), boxes)
    if whole.width <= wide and whole.height <= HIGHEST:
        return whole
    groups = _joined(objects, inside)
    pieces = [_side_by_side(_wrapped(_ranks(group, inside), boxes, wide), boxes) for group in groups if len(group) > 1]
    pieces += _alone([boxes[group[0]] for group in groups if len(group) == 1])
    return _packed(sorted(pieces, key=lambda piece: -piece.height), wide)


def _ranks(objects: Sequence[Object], links: Sequence[tuple[Object, Object]]) -> list[list[Object]]:
    """Arrange the objects from left to right: each one column right of its rightmost dependency.

    Within a column they are ordered by the mean position of their dependencies.
    """
    above: dict[Object, list[Object]] = defaultdict(list)
    for child, parent in links:
        above[child].append(parent)
    rank: dict[Object, int] = {}
    for value in objects:
        rank[value] = max((rank[other] + 1 for other in above[value] if other in rank and other is not value),
                          default=0)
    joined = {end for link in links for end in link}
    columns: list[list[Object]] = [[] for _ in range(max(rank.values(), default=-1) + 1)]
    for value in objects:
        columns[rank[value] if value in joined else 0].append(value)
    place: dict[Object, float] = {}
    for column in columns:
        order = {value: number for number, value in enumerate(column)}
        column.sort(key=lambda value: (_mean([place[other] for other in above[value] if other in place]), order[value]))
        place.update({value: (number + 1) / (len(column) + 1) for number, value in enumerate(column)})
    return [column for column in columns if column]


def _mean(numbers: Sequence[float]) -> float:
    return sum(numbers) / len(numbers) if numbers else 0.0


def _joined(objects: Sequence[Object], links: Sequence[tuple[Object, Object]]) -> list[list[Object]]:
    """Split the objects into groups that links join, in the order of their first members."""
    neighbours: dict[Object, list[Object]] = defaultdict(list)
    for child, parent in links:
        neighbours[child].append(parent)
        neighbours[parent].append(child)
    group: dict[Object, int] = {}
    for number, value in enumerate(objects):
        waiting = [value]
        while waiting:
            current = waiting.pop()
            if current not in group:
                group[current] = number
                waiting += neighbours[current]
    groups: dict[int, list[Object]] = defaultdict(list)
    for value in objects:
        groups[group[value]].append(value)
    return list(groups.values())


def _wrapped(columns: Sequence[Sequence[Object]], boxes: Mapping[Object, Box],
             wide: float) -> list[list[Object]]:
    """Cut columns that are too high into several; higher ones are kept where there would be too many."""
    total = sum(_height([boxes[value] for value in column]) for column in columns)
    widest = max(boxes[value].width for column in columns for value in column) + GAP_X
    highest = max(HIGHEST, total / max(1, wide // widest - len(columns) + 1))
    cut: list[list[Object]] = []
    for column in columns:
        parts = -(-_height([boxes[value] for value in column]) // highest)
        share = _height([boxes[value] for value in column]) / parts
        cut.append([])
        for value in column:
            if cut[-1] and _height([boxes[other] for other in cut[-1]]) + boxes[value].height / 2 > share:
                cut.append([])
            cut[-1].append(value)
    return cut


def _height(boxes: Sequence[Box]) -> float:
    return sum(box.height for box in boxes) + GAP_Y * (len(boxes) - 1)


def _side_by_side(columns: Sequence[Sequence[Object]], boxes: Mapping[Object, Box]) -> Piece:
    """Place columns side by side, each centred."""
    heights = [_height([boxes[value] for value in column]) for column in columns]
    tallest = max(heights, default=0)
    x = 0.0
    for column, height in zip(columns, heights, strict=True):
        width = max(boxes[value].width for value in column)
        y = (tallest - height) / 2
        for value in column:
            box = boxes[value]
            box.x, box.y, box.width = x, y, width
            y += box.height + GAP_Y
        x += width + GAP_X
    return Piece([boxes[value] for column in columns for value in column], max(0.0, x - GAP_X), tallest)


def _alone(boxes: Sequence[Box]) -> list[Piece]:
    """Make boxes that nothing joins equally wide, each a piece of its own."""
    width = max((box.width for box in boxes), default=0.0)
    for box in boxes:
        box.x, box.y, box.width = 0.0, 0.0, width
    return [Piece([box], width, box.height) for box in boxes]


@dataclass
class _Stack:
    """Pieces beneath one another in a row of stacks."""

    x: float
    width: float
    bottom: float


def _packed(pieces: Sequence[Piece], wide: float) -> Piece:
    """Place pieces in rows, in their order: beneath an earlier one of the row where one fits, else beside it."""
    limit = max([wide, *(piece.width for piece in pieces)])
    stacks: list[_Stack] = []
    top = row_height = width = 0.0
    for piece in pieces:
        stack = next((stack for stack in stacks if piece.width <= stack.width
                      and stack.bottom + GAP + piece.height <= top + row_height), None)
        if stack is None:
            x = stacks[-1].x + stacks[-1].width + GAP if stacks else 0.0
            if x and x + piece.width > limit:
                x, top, row_height, stacks = 0.0, top + row_height + GAP, 0.0, []
            stack = _Stack(x, piece.width, top - GAP)
            stacks.append(stack)
        piece.move(stack.x, stack.bottom + GAP)
        stack.bottom += GAP + piece.height
        row_height = max(row_height, stack.bottom - top)
        width = max(width, stack.x + piece.width)
    return Piece([box for piece in pieces for box in piece.boxes], width, top + row_height,
                 [frame for piece in pieces for frame in piece.frames])


def _framed(schema: str, piece: Piece) -> Piece:
    """Put a frame with the schema's name around a piece."""
    piece.move(FRAME_PAD, FRAME_HEAD)
    width, height = piece.width + 2 * FRAME_PAD, piece.height + FRAME_HEAD + FRAME_PAD
    return Piece(piece.boxes, width, height, [*piece.frames, Frame(schema, 0, 0, width, height)])
