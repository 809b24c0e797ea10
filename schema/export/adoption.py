"""Read a live database as declarations: every object that people made, of every kind that can be declared."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from psycopg import Connection

from schema.aggregates.live import LiveAggregate
from schema.capabilities import Capabilities
from schema.catalog.queries import read_capabilities, rows
from schema.catalog.readers import jobs, undeclared
from schema.connection import Address
from schema.errors import DeclarationError
from schema.kinds import registry
from schema.kinds import undeclared as undeclared_kind
from schema.lint import lint
from schema.lint.indexes import bare
from schema.model import dependencies
from schema.model.live import Live, Undeclared
from schema.model.objects import ContinuousAggregate, Index, Job, Object, Table, qualified
from schema.session import prepare

# The server's words for types, as people write them.
TYPES = ((re.compile(r"^character varying\b"), "varchar"), (re.compile(r"^character\b"), "char"),
         (re.compile(r"^timestamp(\(\d\))? without time zone"), r"timestamp\1"),
         (re.compile(r"^timestamp(\(\d\))? with time zone"), r"timestamptz\1"))
APPLICATION = "lifecompanion adopt"


@dataclass(frozen=True)
class Adopted:
    """The declarations, each after what it stands on, and what the database has beside them."""

    objects: tuple[Object, ...]
    remarks: tuple[str, ...] = ()


def adopt(address: Address, schemas: Sequence[str] = ()) -> Adopted:
    """The objects of these schemas, or of all that people made, as declarations in the server's words.

    Reads only, in a number of queries that does not grow with the objects; a standby serves as well.
    """
    with address.connect(application_name=APPLICATION) as connection:
        capabilities = read_capabilities(connection)
        prepare(connection, capabilities, "10s", "5min")
        chosen = list(schemas) or [row["name"] for row in rows(connection, "own_schemas")]
        others = rows(connection, "without_kind", schemas=chosen)
        skipped = {qualified(row["schema"], row["name"]) for row in others}
        found = [each for each in undeclared.read(connection, capabilities, (), undeclared_kind.TYPES, schemas=chosen)
                 if each.name not in skipped]
        live = list(_live(connection, capabilities, found))
    remarks = [f"{qualified(row['schema'], row['name'])}: a {row['kind']}, which no kind of object declares"
               for row in others]
    objects: list[Object] = []
    for each in live:
        fits, said = _fitting(each)
        objects += [fits] if fits else []
        remarks += said
    return Adopted(tuple(dependencies.ordered(objects)), tuple(remarks))


def _live(connection: Connection[Any], capabilities: Capabilities, found: Sequence[Undeclared]) -> Iterable[Live]:
    """What was found, read by the reader of its kind, in the order in which it was made."""
    names: dict[tuple[type[Object], str], dict[str, None]] = defaultdict(dict)
    for each in found:
        cls = undeclared_kind.TYPES[each.kind]
        if cls is not None and cls is not Job:
            names[cls, each.schema][each.name.removeprefix(f"{each.schema}.")] = None
    for (cls, schema), mine in names.items():
        live = registry.of(cls).read(connection, capabilities, schema, list(mine))
        yield from (live[name] for name in mine if name in live)
    numbers = {each.signature: each.schema for each in found if each.kind == "job"}
    for job in jobs.read_all(connection, capabilities):
        if str(job.id) in numbers:
            yield replace(job, object=replace(job.object, schema=numbers[str(job.id)]))


def _fitting(live: Live) -> tuple[Object | None, list[str]]:
    """The object as it can be declared, if it can, and what of it cannot."""
    value: Any = live.object
    said = [f"{each.object.full_name}: another function of that name; one for each name is declared"
            for each in getattr(live, "overloads", ())]
    said += [f"{value.full_name}.{name}: was never validated, which `apply` will do"
             for name in sorted(getattr(live, "not_valid", ()))]
    if isinstance(value, Table | ContinuousAggregate):
        doubles = _doubles(value.indexes)
        said += [f"{value.full_name}.{name}: the same index as {first}, so it was left out"
                 for name, first in doubles.items()]
        value = replace(value, indexes=tuple(each for each in value.indexes if each.name not in doubles))
    if isinstance(live, LiveAggregate):
        value = replace(value, indexes=tuple(each for each in value.indexes if not live.owns_index(each.name)))
    if isinstance(value, Table):
        value = replace(value, columns=tuple(replace(each, type=_short(each.type)) for each in value.columns))
    try:
        lint([value])
    except DeclarationError as error:
        return None, [*said, *(f"{line} (so it was left out)" for line in str(error).splitlines())]
    return value, said


def _short(type_: str) -> str:
    for pattern, short in TYPES:
        type_ = pattern.sub(short, type_)
    return type_


def _doubles(indexes: Sequence[Index]) -> dict[str, str]:
    """Indexes that differ from an earlier one in their names alone, with that one's."""
    first: dict[Index, str] = {}
    found = {each.name: first.setdefault(bare(each), each.name) for each in indexes}
    return {name: other for name, other in found.items() if other != name}
