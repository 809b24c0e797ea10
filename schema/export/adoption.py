"""Read a live database as declarations: all user objects of the kinds that can be declared."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from psycopg import Connection

from schema.aggregates.live_aggregate import LiveAggregate
from schema.capabilities import Capabilities
from schema.catalog.queries import read_capabilities, rows
from schema.catalog.readers import grants, undeclared
from schema.catalog.readers.timescaledb import jobs
from schema.connection import UNLIMITED, Address, one_line_errors
from schema.errors import DeclarationError
from schema.export.left_out import without_standing
from schema.export.varchar_conditions import with_in_lists
from schema.kinds import registry
from schema.kinds import undeclared as undeclared_kind
from schema.kinds.grants import GRANTABLE
from schema.lint import internals, lint
from schema.lint.indexes import bare
from schema.model.change import dependencies
from schema.model.live.jobs import LiveJob
from schema.model.live.objects import Live, LiveGrants, Undeclared
from schema.model.live.views import LiveMaterializedView
from schema.model.names import with_article
from schema.model.objects import (
    CompositeType,
    ContinuousAggregate,
    Domain,
    Extension,
    Index,
    Job,
    MaterializedView,
    Object,
    Schema,
    Table,
    View,
    qualified,
)
from schema.session import prepare

# The server's words for types, as people write them.
TYPES = ((re.compile(r"^character varying\b"), "varchar"), (re.compile(r"^character\b"), "char"),
         (re.compile(r"^timestamp(\(\d\))? without time zone"), r"timestamp\1"),
         (re.compile(r"^timestamp(\(\d\))? with time zone"), r"timestamptz\1"))
APPLICATION = "lifecompanion adopt"


@dataclass(frozen=True)
class Adopted:
    """The declarations, each after its dependencies, and remarks on what could not be declared."""

    objects: tuple[Object, ...]
    remarks: tuple[str, ...] = ()


def adopt(address: Address, schemas: Sequence[str] = ()) -> Adopted:
    """Read the objects of these schemas, or of all user schemas, as declarations in the server's spelling.

    Reads only, in a number of queries that does not grow with the objects; a standby serves as well. Raises
    ServerUnreachableError, QueryError.
    """
    # Else a statement_timeout of the database would end the first queries.
    with (one_line_errors(address.database),
          address.connect(application_name=APPLICATION, options=UNLIMITED) as connection):
        capabilities = read_capabilities(connection)
        prepare(connection, capabilities, "10s", "5min")
        chosen = list(schemas) or [row["name"] for row in rows(connection, "own_schemas")]
        others = rows(connection, "without_kind", schemas=chosen)
        rare = rows(connection, "rare_objects", schemas=chosen, whole=not schemas)
        skipped = {qualified(row["schema"], row["name"]) for row in others}
        undeclared_objects = undeclared.read(connection, capabilities, (), undeclared_kind.TYPES, schemas=chosen)
        entries = [entry for entry in undeclared_objects if entry.name not in skipped]
        live = _distinct(_live(connection, capabilities, entries))
        attributes = rows(connection, "undeclared_attributes", schemas=chosen)
        granted = grants.read(connection, chosen)
        elsewhere = rows(connection, "other_grants", schemas=chosen)
        declared = [(one, *_declare_with_rights(one, granted)) for one in live]
        filled = {"public", *(fits.schema for _, fits, _ in declared if fits and not isinstance(fits, Schema))}
        declared = [(one, fits, lines) for one, fits, lines in declared
                    if not fits or fits.schema not in filled or fits != Schema(fits.schema)]
        refused = [one for one, fits, _ in declared if fits is None]
        objects, standing = without_standing(
            connection, chosen, [(one, fits) for one, fits, _ in declared if fits], refused)
    remarks = [f"{qualified(row['schema'], row['name'])}: {with_article(row['kind'])}, which no kind of object declares"
               for row in others]
    remarks += [f"{row['name']}: {with_article(row['kind'])}, which no kind of object declares" for row in rare]
    remarks += [f"{row['name']}: its {row['attribute']}, which no declaration has; it stays as it is"
                for row in attributes]
    remarks += [f"{row['name']}: {row['text']}, which no kind of object declares" for row in elsewhere]
    remarks += [remark for _, _, left_out in declared for remark in left_out]
    remarks += standing
    return Adopted(tuple(dependencies.ordered(objects)), tuple(remarks))


def _declare_with_rights(live: Live, granted: grants.Objects) -> tuple[Object | None, list[str]]:
    fits, remarks = _declare(live)
    rights = fits and _grants(live, granted)
    if fits and rights:
        fits = replace(fits, grants=None if rights.is_usual else rights.granted,
                       owner=None if rights.is_own else rights.owner)
        remarks += [] if rights.is_kept else [f"{fits.full_name}: its owner lacks rights that owners usually have"]
    return fits, remarks


def _live(connection: Connection[Any], capabilities: Capabilities, entries: Sequence[Undeclared]) -> Iterable[Live]:
    """Yield the undeclared objects, read by their kinds' readers, in the order in which they were created."""
    names: dict[tuple[type[Object], str], dict[str, None]] = defaultdict(dict)
    for entry in entries:
        cls = undeclared_kind.TYPES[entry.kind]
        if cls is not None and cls is not Job:
            names[cls, entry.schema][entry.name.removeprefix(f"{entry.schema}.")] = None
    live = {(cls, schema, name): value for (cls, schema), in_schema in names.items()
            for name, value in registry.of(cls).read(connection, capabilities, schema, list(in_schema)).items()}
    places = ((undeclared_kind.TYPES[entry.kind], entry.schema, entry.name.removeprefix(f"{entry.schema}."))
              for entry in entries)
    for value in (live[place] for place in dict.fromkeys(places) if place in live):
        yield from (value, *getattr(value, "overloads", ()))
    numbers = {entry.signature: entry.schema for entry in entries if entry.kind == "job"}
    for job in jobs.read_all(connection, capabilities):
        if str(job.id) in numbers:
            yield replace(job, object=replace(job.object, schema=numbers[str(job.id)]))


def _grants(live: Live, granted: grants.Objects) -> LiveGrants | None:
    """Return owner and grants of the object, where its kind has any."""
    value, kind = live.object, GRANTABLE.get(type(live.object))
    return granted.get((kind.catalog, value.schema, value.name, getattr(live, "inputs", ""))) if kind else None


def _distinct(live: Iterable[Live]) -> list[Live]:
    """The objects, jobs of one name under names of their own: the second one with _2 after it."""
    objects = list(live)
    taken = {one.object.full_name for one in objects if isinstance(one.object, Job)}
    first: set[str] = set()
    for place, one in enumerate(objects):
        job = one.object
        if not isinstance(one, LiveJob) or not isinstance(job, Job):
            continue
        if job.full_name in first:
            names = (f"{job.name}_{number}" for number in count(2))
            job = replace(job, name=next(name for name in names if qualified(job.schema, name) not in taken))
            objects[place] = replace(one, object=job)
        first.add(job.full_name)
        taken.add(job.full_name)
    return objects


def _declare(live: Live) -> tuple[Object | None, list[str]]:
    """Return the object as it can be declared, or None, and remarks on what was left out."""
    value: Any = live.object
    # A table declares of its constraints whether they are valid; a domain does not.
    remarks = [f"{value.full_name}.{name}: not validated yet; `apply` will validate it"
               for name in sorted(getattr(live, "not_valid", ()) if isinstance(value, Domain) else ())]
    if isinstance(live, LiveAggregate):  # those with a name of their own first
        value = replace(value, indexes=tuple(live.declarable_indexes()))
    if isinstance(value, Table | ContinuousAggregate | MaterializedView):
        doubles = _doubles(value.indexes)
        remarks += [f"{value.full_name}.{name}: the same index as {first}, so it was left out"
                    for name, first in doubles.items()]
        value = replace(value, indexes=tuple(index for index in value.indexes if index.name not in doubles))
    if isinstance(value, View) and (relation := internals.stands_on(value)):
        if internals.is_chunk(relation):
            return None, [*remarks, f"{value.full_name}: it stands on {relation}, TimescaleDB's own, which no other "
                          "server has, so it was left out; while it is there, retention cannot drop that chunk"]
        remarks.append(f"{value.full_name}: it stands on {relation}, TimescaleDB's own; another version may lack it")
    if isinstance(value, Table):
        value = with_in_lists(value)
        value = replace(value, columns=tuple(replace(column, type=_short(column.type)) for column in value.columns))
    if isinstance(value, Domain):
        value = replace(value, type=_short(value.type))
    if isinstance(value, CompositeType):
        value = replace(value, attributes=tuple(replace(one, type=_short(one.type)) for one in value.attributes))
    if isinstance(value, Schema):
        value = replace(value, default_grants=value.default_grants or None)
    if isinstance(live, LiveMaterializedView) and value.with_data and live.beneath:  # like pg_dump
        value = replace(value, with_data=False)
        remarks.append(f"{value.full_name}: it has rows, but is declared WITH NO DATA, as it reads {live.beneath}, "
                       "which has none; compute both where it is created")
    if isinstance(value, Extension):  # like pg_dump: another server may have another version's files
        value = replace(value, version=None)
    try:
        lint([value])
    except DeclarationError as error:
        return None, [*remarks, *(f"{line} (so it was left out)" for line in str(error).splitlines())]
    return value, remarks


def _short(type_: str) -> str:
    for pattern, short in TYPES:
        type_ = pattern.sub(short, type_)
    return type_


def _doubles(indexes: Sequence[Index]) -> dict[str, str]:
    """Map each index that differs from an earlier one in its name alone to that one."""
    first: dict[Index, str] = {}
    first_names = {index.name: first.setdefault(bare(index), index.name) for index in indexes}
    return {name: other for name, other in first_names.items() if other != name}
