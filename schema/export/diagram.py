"""The declared schema as a picture: what boxes there are, what is in them, what joins them, and where they go; pure."""

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
    """The objects as SVG: tables with their columns, hypertables, aggregates and views with what they read, policies.

    The same objects give the same text, byte by byte.
    """
    ordered = dependencies.ordered(objects)
    boxes = {each: _box(each) for each in ordered}
    links = list(_links(ordered))
    columns = _columns(ordered, links)
    width, height = _place(columns, boxes)
    lines = [_line(boxes[link.child], boxes[link.parent], link) for link in links]
    return Picture(title, list(boxes.values()), lines, width, height).svg()


@dataclass(frozen=True)
class Link:
    """`child` stands on `parent`: by a foreign key between two columns, or because its SQL reads or calls it."""

    child: Object
    parent: Object
    kind: str
    columns: tuple[str, str] | None = None


def _box(each: Object) -> Box:
    if isinstance(each, Table):
        keys = {name for key in each.keys if key.primary for name in key.columns}
        refer = {name for key in each.foreign_keys for name in key.columns}
        unique = {key.columns[0] for key in each.keys if not key.primary and len(key.columns) == 1}
        rows = [Row(column.name, _type(column), _mark(column.name, keys, refer, unique), not column.null)
                for column in each.columns]
        return Box("hypertable" if each.hypertable else "table", each.full_name, rows, list(_table_tags(each)))
    if isinstance(each, ContinuousAggregate):
        return Box("aggregate", each.full_name, list(_query_rows(each.query)), list(_aggregate_tags(each)))
    if isinstance(each, View):
        return Box("view", each.full_name, list(_query_rows(each.query)), [])
    if isinstance(each, Enum | Statistics):
        lines = each.values if isinstance(each, Enum) else each.columns
        return Box(kind_of(each), each.full_name, [Row(line) for line in lines], [])
    if isinstance(each, Function):
        kind = "procedure" if each.returns is None else "function"
        returns = f"returns {each.returns}" if each.returns else "procedure"
        return Box(kind, each.full_name, [Row(each.arguments or "no arguments"), Row(returns)], [])
    if not isinstance(each, Job):
        raise TypeError(f"{each.full_name}: no box is drawn for {type(each).__name__}")
    tags = list(_tags([("job", f"every {each.schedule}", each.paused)]))
    return Box("job", each.full_name, [Row(each.procedure)], tags)


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
    """The columns of a query, by the names they bear there; what is too much is counted."""
    found = re.search(r"\bselect\s+(.*?)\s+from\b", query, re.I | re.S)
    names = [re.split(r"\s+as\s+|[\s.]+(?=\S+$)", term.strip(), flags=re.I)[-1].strip('"')
             for term in split(found[1])] if found else []
    yield from (Row(name) for name in names[:MOST_COLUMNS])
    if len(names) > MOST_COLUMNS:
        yield Row(f"and {len(names) - MOST_COLUMNS} more columns", faint=True)


def _table_tags(table: Table) -> Iterable[Tag]:
    if table.hypertable:
        yield Tag("chunks", f"{table.hypertable.chunk} of {table.hypertable.time}")
        for each in table.hypertable.dimensions:
            by = f"hash of {each.column}, {each.partitions}" if each.partitions else f"{each.interval} of {each.column}"
            yield Tag("and", by)
    yield from _policies(table.compression, table.retention, table.reorder)
    if table.row_security:
        yield Tag("row security", f"{len(table.row_security.policies)} policies")
    yield from (Tag("trigger", f"{each.name}: {each.calls}") for each in table.triggers)


def _aggregate_tags(each: ContinuousAggregate) -> Iterable[Tag]:
    if each.refresh:
        span = f"{each.refresh.start or 'all'} to {each.refresh.end or 'now'} ago"
        yield from _tags([("refresh", f"every {each.refresh.schedule}, {span}", each.refresh.paused)])
    yield from _policies(each.compression, each.retention, None)
    if each.real_time:
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


def _tags(found: Iterable[tuple[str, str, bool]]) -> Iterable[Tag]:
    return (Tag(name, f"{text} (paused)" if paused else text) for name, text, paused in found)


def _links(objects: Sequence[Object]) -> Iterable[Link]:
    """What joins the boxes; a name that a query reads nothing from is taken for a column's."""
    tables = {each.full_name: each for each in objects if isinstance(each, Table)}
    for each in objects:
        if isinstance(each, Table):
            yield from (Link(each, tables[key.table], "refers", (key.columns[0], key.references[0]))
                        for key in each.foreign_keys if key.table in tables)
        for other in dependencies.needs(each, objects):
            if isinstance(other, Table | ContinuousAggregate | View) and not isinstance(each, Statistics):
                query = getattr(each, "query", "")
                if re.search(rf'\b(from|join)\s+(\w+\.)?"?{re.escape(other.name)}\b', query, re.I):
                    yield Link(each, other, "reads")
            else:
                yield Link(each, other, "runs" if isinstance(each, Job) else "uses")


def _columns(objects: Sequence[Object], links: Sequence[Link]) -> list[list[Object]]:
    """The objects from left to right: each one column to the right of the last that it stands on, beneath each other in
    the order of these."""
    above: dict[Object, list[Object]] = defaultdict(list)
    for link in links:
        above[link.child].append(link.parent)
    rank: dict[Object, int] = {}
    for each in objects:
        rank[each] = max((rank[other] + 1 for other in above[each] if other in rank and other is not each), default=0)
    joined = {end for link in links for end in (link.child, link.parent)}
    columns: list[list[Object]] = [[] for _ in range(max(rank.values(), default=-1) + 1)]
    for each in objects:
        columns[rank[each] if each in joined else 0].append(each)
    place: dict[Object, float] = {}
    for column in columns:
        order = {each: number for number, each in enumerate(column)}
        column.sort(key=lambda each: (_mean([place[other] for other in above[each] if other in place]), order[each]))
        place.update({each: (number + 1) / (len(column) + 1) for number, each in enumerate(column)})
    return columns


def _mean(found: Sequence[float]) -> float:
    return sum(found) / len(found) if found else 0.0


def _place(columns: Sequence[Sequence[Object]], boxes: Mapping[Object, Box]) -> tuple[float, float]:
    """Give every box its place: columns side by side, each centred; the size of the whole."""
    heights = [sum(boxes[each].height for each in column) + GAP_Y * (len(column) - 1) for column in columns]
    tallest = max(heights, default=0)
    x = float(MARGIN)
    for column, height in zip(columns, heights, strict=True):
        width = max(boxes[each].width for each in column)
        y = MARGIN + Picture.HEAD + (tallest - height) / 2
        for each in column:
            boxes[each].x, boxes[each].y, boxes[each].width = x, y, width
            y += boxes[each].height + GAP_Y
        x += width + GAP_X
    return x - GAP_X + MARGIN, tallest + 2 * MARGIN + Picture.HEAD + Picture.LEGEND


def _line(child: Box, parent: Box, link: Link) -> Line:
    one, other = link.columns or ("", "")
    return Line(link.kind, (child.x, child.row_y(one)), (parent.x + parent.width, parent.row_y(other)))
