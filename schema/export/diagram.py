"""Lay out the declared schema as a picture: boxes, their rows, the lines between them, their positions; pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from schema.aggregates.aggregate_query import split
from schema.export.svg import Box, Line, Picture, Row, Tag
from schema.model import dependencies
from schema.model.objects import (
    Column,
    Compression,
    ContinuousAggregate,
    Enum,
    Function,
    Job,
    Object,
    Reorder,
    Retention,
    Statistics,
    Table,
    View,
    kind_of,
)

GAP_X, GAP_Y, MARGIN = 84, 34, 30
MOST_COLUMNS = 8
SHORT = {"character varying": "varchar", "timestamp without time zone": "timestamp",
         "timestamp with time zone": "timestamptz"}


def draw(objects: Sequence[Object], title: str = "The declared schema") -> str:
    """Return the objects as SVG text: tables with columns, hypertables, aggregates and views with their sources,
    policies.

    The same objects give the same text, byte by byte.
    """
    ordered = dependencies.ordered(objects)
    boxes = {declared: _box(declared) for declared in ordered}
    links = list(_links(ordered))
    columns = _columns(ordered, links)
    width, height = _place(columns, boxes)
    lines = [_line(boxes[link.child], boxes[link.parent], link) for link in links]
    return Picture(title, list(boxes.values()), lines, width, height).svg()


@dataclass(frozen=True)
class Link:
    """`child` depends on `parent`: by a foreign key between two columns, or because its SQL reads or calls it."""

    child: Object
    parent: Object
    kind: str
    columns: tuple[str, str] | None = None


def _box(value: Object) -> Box:
    if isinstance(value, Table):
        keys = {name for key in value.keys if key.primary for name in key.columns}
        refer = {name for key in value.foreign_keys for name in key.columns}
        unique = {key.columns[0] for key in value.keys if not key.primary and len(key.columns) == 1}
        rows = [Row(column.name, _type(column), _mark(column.name, keys, refer, unique), not column.null)
                for column in value.columns]
        return Box("hypertable" if value.hypertable else "table", value.full_name, rows, list(_table_tags(value)))
    if isinstance(value, ContinuousAggregate):
        return Box("aggregate", value.full_name, list(_query_rows(value.query)), list(_aggregate_tags(value)))
    if isinstance(value, View):
        return Box("view", value.full_name, list(_query_rows(value.query)), [])
    if isinstance(value, Enum | Statistics):
        lines = value.values if isinstance(value, Enum) else value.columns
        return Box(kind_of(value), value.full_name, [Row(line) for line in lines], [])
    if isinstance(value, Function):
        kind = "procedure" if value.returns is None else "function"
        returns = f"returns {value.returns}" if value.returns else "procedure"
        return Box(kind, value.full_name, [Row(value.arguments or "no arguments"), Row(returns)], [])
    if not isinstance(value, Job):
        raise TypeError(f"{value.full_name}: no box is drawn for {type(value).__name__}")
    tags = list(_tags([("job", f"every {value.schedule}", value.paused)]))
    return Box("job", value.full_name, [Row(value.procedure)], tags)


def _type(column: Column) -> str:
    if column.serial:
        return {"bigint": "bigserial", "integer": "serial", "smallint": "smallserial"}.get(column.type, column.type)
    for long, short in SHORT.items():
        if column.type.startswith(long):
            return short + column.type[len(long):]
    return column.type


def _mark(name: str, keys: Iterable[str], refer: Iterable[str], unique: Iterable[str]) -> str:
    marks = [mark for mark, names in (("PK", keys), ("FK", refer), ("U", unique)) if name in names]
    return " ".join(marks)


def _query_rows(query: str) -> Iterable[Row]:
    """Yield the output columns of a query by name; those past the limit are counted."""
    selected = re.search(r"\bselect\s+(.*?)\s+from\b", query, re.I | re.S)
    names = [re.split(r"\s+as\s+|[\s.]+(?=\S+$)", term.strip(), flags=re.I)[-1].strip('"')
             for term in split(selected[1])] if selected else []
    yield from (Row(name) for name in names[:MOST_COLUMNS])
    if len(names) > MOST_COLUMNS:
        yield Row(f"and {len(names) - MOST_COLUMNS} more columns", faint=True)


def _table_tags(table: Table) -> Iterable[Tag]:
    if table.hypertable:
        yield Tag("chunks", f"{table.hypertable.chunk} of {table.hypertable.time}")
        for part in table.hypertable.dimensions:
            by = f"hash of {part.column}, {part.partitions}" if part.partitions else f"{part.interval} of {part.column}"
            yield Tag("and", by)
    yield from _policies(table.compression, table.retention, table.reorder)
    if table.row_security:
        yield Tag("row security", f"{len(table.row_security.policies)} policies")
    yield from (Tag("trigger", f"{trigger.name}: {trigger.calls}") for trigger in table.triggers)


def _aggregate_tags(aggregate: ContinuousAggregate) -> Iterable[Tag]:
    if aggregate.refresh:
        span = f"{aggregate.refresh.start or 'all'} to {aggregate.refresh.end or 'now'} ago"
        yield from _tags([("refresh", f"every {aggregate.refresh.schedule}, {span}", aggregate.refresh.paused)])
    yield from _policies(aggregate.compression, aggregate.retention, None)
    if aggregate.real_time:
        yield Tag("real time", "newest rows are added when asked")


def _policies(compression: Compression | None, retention: Retention | None,
              reorder: Reorder | None) -> Iterable[Tag]:
    if compression:
        by = f", by {', '.join(compression.segment_by)}" if compression.segment_by else ""
        when = f"after {compression.after}" if compression.after else "by hand"
        yield from _tags([("columnstore", f"{when}{by}", compression.paused)])
    if retention:
        yield from _tags([("retention", f"dropped after {retention.drop_after}", retention.paused)])
    if reorder:
        yield from _tags([("reorder", f"by {reorder.index}", reorder.paused)])


def _tags(tags: Iterable[tuple[str, str, bool]]) -> Iterable[Tag]:
    return (Tag(name, f"{text} (paused)" if paused else text) for name, text, paused in tags)


def _links(objects: Sequence[Object]) -> Iterable[Link]:
    """Yield the lines between boxes; a name in a query that is not in FROM or JOIN is taken for a column."""
    tables = {declared.full_name: declared for declared in objects if isinstance(declared, Table)}
    for declared in objects:
        if isinstance(declared, Table):
            yield from (Link(declared, tables[key.table], "refers", (key.columns[0], key.references[0]))
                        for key in declared.foreign_keys if key.table in tables)
        for other in dependencies.needs(declared, objects):
            if isinstance(other, Table | ContinuousAggregate | View) and not isinstance(declared, Statistics):
                query = getattr(declared, "query", "")
                if re.search(rf'\b(from|join)\s+(\w+\.)?"?{re.escape(other.name)}\b', query, re.I):
                    yield Link(declared, other, "reads")
            else:
                yield Link(declared, other, "runs" if isinstance(declared, Job) else "uses")


def _columns(objects: Sequence[Object], links: Sequence[Link]) -> list[list[Object]]:
    """Arrange the objects from left to right: each one column right of its rightmost dependency.

    Within a column they are ordered by the mean position of their dependencies.
    """
    above: dict[Object, list[Object]] = defaultdict(list)
    for link in links:
        above[link.child].append(link.parent)
    rank: dict[Object, int] = {}
    for value in objects:
        rank[value] = max((rank[other] + 1 for other in above[value] if other in rank and other is not value),
                          default=0)
    joined = {end for link in links for end in (link.child, link.parent)}
    columns: list[list[Object]] = [[] for _ in range(max(rank.values(), default=-1) + 1)]
    for value in objects:
        columns[rank[value] if value in joined else 0].append(value)
    place: dict[Object, float] = {}
    for column in columns:
        order = {value: number for number, value in enumerate(column)}
        column.sort(key=lambda value: (_mean([place[other] for other in above[value] if other in place]), order[value]))
        place.update({value: (number + 1) / (len(column) + 1) for number, value in enumerate(column)})
    return columns


def _mean(numbers: Sequence[float]) -> float:
    return sum(numbers) / len(numbers) if numbers else 0.0


def _place(columns: Sequence[Sequence[Object]], boxes: Mapping[Object, Box]) -> tuple[float, float]:
    """Set every box's position: columns side by side, each centred; return the size of the picture."""
    heights = [sum(boxes[declared].height for declared in column) + GAP_Y * (len(column) - 1) for column in columns]
    tallest = max(heights, default=0)
    x = float(MARGIN)
    for column, height in zip(columns, heights, strict=True):
        width = max(boxes[declared].width for declared in column)
        y = MARGIN + Picture.HEAD + (tallest - height) / 2
        for declared in column:
            boxes[declared].x, boxes[declared].y, boxes[declared].width = x, y, width
            y += boxes[declared].height + GAP_Y
        x += width + GAP_X
    return x - GAP_X + MARGIN, tallest + 2 * MARGIN + Picture.HEAD + Picture.LEGEND


def _line(child: Box, parent: Box, link: Link) -> Line:
    one, other = link.columns or ("", "")
    return Line(link.kind, (child.x, child.row_y(one)), (parent.x + parent.width, parent.row_y(other)))
