"""Lay out the declared schema as a picture: boxes, their rows, the lines between them, their positions; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from schema.aggregates.aggregate_query import split
from schema.export.layout import arrange
from schema.export.svg import Box, Line, Row, Tag
from schema.export.svg_index import Index
from schema.export.svg_picture import Picture
from schema.model.change import dependencies
from schema.model.declarations import foundations
from schema.model.declarations.foundations import Collation, CompositeType, Domain, Extension
from schema.model.objects import (
    Aggregate,
    Column,
    Compression,
    ContinuousAggregate,
    Enum,
    Function,
    Job,
    MaterializedView,
    Object,
    Reorder,
    Retention,
    Schema,
    Statistics,
    Table,
    View,
    kind_of,
)

Foundation = Enum | Statistics | Extension | Collation | foundations.Sequence | Domain | CompositeType
MARGIN = 30
# From so many objects on, the picture has an index of names.
INDEXED = 20
MOST_COLUMNS = 8
RELATIONS = (Table, ContinuousAggregate, View, MaterializedView)
SHORT = {"character varying": "varchar", "timestamp without time zone": "timestamp",
         "timestamp with time zone": "timestamptz"}


def draw(objects: Sequence[Object], title: str = "The declared schema") -> str:
    """Return the objects as SVG text: tables with columns, hypertables, aggregates and views with their sources,
    policies.

    The same objects give the same text, byte by byte.
    """
    # The frames are the schemas.
    ordered = dependencies.ordered([declared for declared in objects if not isinstance(declared, Schema)])
    boxes = {declared: _box(declared) for declared in ordered}
    links = list(_links(ordered))
    whole = arrange(ordered, [(link.child, link.parent) for link in links], boxes)
    index = Index.of(list(boxes.values()), whole.width) if len(ordered) >= INDEXED else None
    whole.move(MARGIN, MARGIN + Picture.HEAD + (index.height if index else 0))
    for number, box in enumerate(sorted(boxes.values(), key=lambda box: (box.y, box.x)) if index else (), 1):
        box.number = number
    lines = [_line(boxes[link.child], boxes[link.parent], link) for link in links]
    height = whole.height + 2 * MARGIN + Picture.HEAD + Picture.LEGEND + (index.height if index else 0)
    return Picture(title, list(boxes.values()), lines, whole.width + 2 * MARGIN, height, whole.frames, index).svg()


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
    if isinstance(value, View | MaterializedView):
        return Box(kind_of(value), value.full_name, list(_query_rows(value.query)), list(_view_tags(value)))
    if isinstance(value, Foundation):
        return Box(kind_of(value), value.full_name, list(_foundation_rows(value)), [])
    if isinstance(value, Function | Aggregate):
        return _routine(value)
    if not isinstance(value, Job):
        raise TypeError(f"{value.full_name}: no box is drawn for {type(value).__name__}")
    tags = list(_tags([("job", f"every {value.schedule}", value.paused)]))
    return Box("job", value.full_name, [Row(value.procedure)], tags)


def _routine(value: Function | Aggregate) -> Box:
    if isinstance(value, Aggregate):
        return Box(kind_of(value), value.full_name, [Row(value.arguments), Row(f"state {value.stype}")], [])
    kind = "procedure" if value.returns is None else "function"
    returns = f"returns {value.returns}" if value.returns else "procedure"
    return Box(kind, value.full_name, [Row(value.arguments or "no arguments"), Row(returns)], [])


def _foundation_rows(value: Foundation) -> Iterable[Row]:
    if isinstance(value, Enum | Statistics):
        yield from map(Row, value.values if isinstance(value, Enum) else (*value.columns, *value.expressions))
    elif isinstance(value, CompositeType):
        yield from (Row(attribute.name, attribute.type) for attribute in value.attributes)
    elif isinstance(value, Domain):
        yield Row(value.type, required=not value.null)
        yield from (Row(check.expression) for check in value.checks)
    elif isinstance(value, foundations.Sequence):
        yield Row(value.type, f"by {value.increment}")
    elif isinstance(value, Collation):
        yield Row(value.locale, value.provider)
    else:
        yield Row(f"version {value.version}" if value.version else "any version")


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


def _view_tags(view: View | MaterializedView) -> Iterable[Tag]:
    if isinstance(view, View):
        yield from (Tag("trigger", f"{trigger.name}: {trigger.calls}") for trigger in view.triggers)
    else:
        yield from (Tag("index", f"{index.name}: {', '.join(index.columns)}") for index in view.indexes)


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
        when = f"after {compression.after or compression.created_before}"
        when = when if compression.after or compression.created_before else "by hand"
        yield from _tags([("columnstore", f"{when}{by}", compression.paused)])
    if retention:
        limit = retention.drop_after or f"{retention.drop_created_before} (creation)"
        yield from _tags([("retention", f"dropped after {limit}", retention.paused)])
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
            if isinstance(other, Extension):
                continue
            if isinstance(other, RELATIONS) and not isinstance(declared, Statistics):
                query = getattr(declared, "query", "")
                if re.search(rf'\b(from|join)\s+(\w+\.)?"?{re.escape(other.name)}\b', query, re.I):
                    yield Link(declared, other, "reads")
            else:
                yield Link(declared, other, "runs" if isinstance(declared, Job) else "uses")


def _line(child: Box, parent: Box, link: Link) -> Line:
    """Join the sides that face each other: the left ones where one box is above the other."""
    one, other = link.columns or ("", "")
    leaves = 1 if child.x + child.width <= parent.x else -1
    enters = 1 if parent.x + parent.width <= child.x else -1
    return Line(link.kind, (child.x + (child.width if leaves > 0 else 0), child.row_y(one)),
                (parent.x + (parent.width if enters > 0 else 0), parent.row_y(other)), leaves, enters)
