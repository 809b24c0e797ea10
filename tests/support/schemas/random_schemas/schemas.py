"""Pairs of random schemas that are declared one after the other in the same database."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

from schema.model.objects import Object, Sequence, Table
from tests.support.schemas.random_schemas.foundations import foundations, routines
from tests.support.schemas.random_schemas.layout import Layout, layouts
from tests.support.schemas.random_schemas.tables import fill, tables
from tests.support.schemas.random_schemas.views import aggregates, views


@dataclass(frozen=True)
class Pair:
    """Two schemas, and what both have in common."""

    first: tuple[Object, ...]
    second: tuple[Object, ...]
    layout: Layout

    def fill(self, table: Table) -> str:
        """Return SQL that inserts rows into this table."""
        return fill(self.layout, table)


@st.composite
def pairs(draw: st.DrawFn) -> Pair:
    """Draw two schemas; a hypertable of the first is one in the second too, as that cannot be undone."""
    layout = draw(layouts())
    return Pair(draw(_schema(layout, second=False)), draw(_schema(layout, second=True)), layout)


@st.composite
def _schema(draw: st.DrawFn, layout: Layout, *, second: bool) -> tuple[Object, ...]:
    """Draw types and functions, tables, and views on them, each after its dependencies."""
    objects = list(draw(foundations(layout, second=second)))
    declared: list[Table] = []
    for name in draw(st.lists(st.sampled_from(sorted(layout.places)), min_size=1, max_size=3, unique=True)):
        place = layout.places[name]
        hyper = place.hyper == "both" or (second and place.hyper == "second")
        declared.append(draw(tables(layout, place, declared, hyper=hyper)))
    # What nobody declares is looked for in the schemas of what is declared.
    schemas = {layout.types, *(place.schema for place in layout.places.values())}
    objects += [*draw(routines(layout)), *(Sequence("kept", schema=schema) for schema in sorted(schemas)), *declared]
    for table in declared:
        objects += draw(views(layout, table))
        if table.hypertable and table.row_security is None and draw(st.booleans()):
            objects += draw(aggregates(table))
    return tuple(objects)
