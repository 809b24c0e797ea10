"""Read the objects of the declared schemas that are not declared."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from psycopg import Connection, sql
from psycopg.rows import dict_row

from schema.aggregates.live_aggregate import NEW, OLD
from schema.capabilities import Capabilities
from schema.catalog.queries import Row, Rows, rows, rows_by
from schema.catalog.readers.needs import read as read_needs
from schema.catalog.readers.timescaledb import jobs
from schema.catalog.readers.unreadable import read_unreadable
from schema.model.live.objects import Address, Undeclared
from schema.model.objects import ContinuousAggregate, Job, Object, qualified

# The class of the objects that schema/catalog/sql/undeclared.sql has a word for; None where no kind declares them.
Types = Mapping[str, type[Object] | None]
# Where the server lists them; all others are relations.
CATALOGS = {"function": "pg_proc", "procedure": "pg_proc", "aggregate function": "pg_proc", "enum": "pg_type",
            "domain": "pg_type", "composite type": "pg_type", "statistics object": "pg_statistic_ext",
            "collation": "pg_collation", "extension": "pg_extension", "schema": "pg_namespace"}


def read(connection: Connection[Any], capabilities: Capabilities, objects: Sequence[Object], types: Types,
         schemas: Sequence[str] | None = None) -> list[Undeclared]:
    """Read the objects of the declared schemas that are not declared, oldest first; those of extensions are left out.

    `schemas` replaces the declared schemas; without it, extensions that this login may not drop are left out. A
    function counts as declared by its name, whatever its arguments; a job by its name, or by its procedure where it has
    no name.
    """
    all_extensions = schemas is not None
    schemas = sorted({value.schema for value in objects}) if schemas is None else list(schemas)
    # A schema may be there without a declaration of its own: only who asks for it by name drops it.
    present = [row for row in rows(connection, "undeclared", schemas=schemas, all_extensions=all_extensions)
               if all_extensions or row["kind"] != "schema"]
    if capabilities.timescaledb_version is not None:
        more = rows(connection, "undeclared_timescaledb", schemas=schemas)
        aggregates = {(row["schema"], row["name"]) for row in more if row["kind"] == "aggregate"}
        plain = [row for row in present if (row["schema"], row["name"]) not in aggregates or row["kind"] != "view"]
        present = plain + more
    declared = {(type(value), value.full_name) for value in objects}
    declared |= {(type(value), qualified(value.schema, value.renamed_from)) for value in objects if value.renamed_from}
    declared |= {(ContinuousAggregate, value.full_name + suffix) for value in objects
                 if isinstance(value, ContinuousAggregate) for suffix in (NEW, OLD)}
    known = _known_jobs(connection, capabilities, objects)
    left = [row for row in present
            if (row["signature"] not in known if row["kind"] == "job" else
                (types[row["kind"]], _full_name(row)) not in declared)]
    filled = _filled(connection, [row for row in left if row["kind"] == "table"])
    keys = rows_by(connection, "foreign_keys", "table",
                   names=[qualified(row["schema"], row["name"]) for row in left if row["kind"] == "table"])
    return [Undeclared(row["kind"], _full_name(row), row["signature"], row["schema"],
                       row["oid"] in filled, _foreign_keys(row, keys), _address(row)) for row in left]


def with_needs(connection: Connection[Any], capabilities: Capabilities, live: Sequence[Undeclared],
               droppable: Callable[[Undeclared], bool]) -> list[Undeclared]:
    """Return the undeclared objects, with those that need them for what is `droppable`."""
    asked = [entry.address for entry in live if entry.address.catalog and droppable(entry)]
    needs = read_needs(connection, capabilities, asked)
    return [replace(entry, needed_by=needs.get(entry.address, ())) for entry in live]


def of(connection: Connection[Any], capabilities: Capabilities, declared: Object, types: Types) -> list[Undeclared]:
    """Read the declared object as an undeclared one, as for dropping it; empty where it does not exist."""
    if isinstance(declared, Job):
        live = jobs.read_declared(connection, capabilities, [declared]).get(declared.full_name)
        numbers = (live.id, *live.doubles) if live else ()
        return [Undeclared("job", declared.full_name, str(number), declared.schema) for number in numbers]
    present = read(connection, capabilities, (), types, [declared.schema])
    return [entry for entry in present if (types[entry.kind], entry.name) == (type(declared), declared.full_name)]


def _full_name(row: Row) -> str:
    return str(row["name"]) if row["kind"] == "schema" else qualified(row["schema"], row["name"])


def _known_jobs(connection: Connection[Any], capabilities: Capabilities, objects: Sequence[Object]) -> set[str]:
    """Return the ids of the declared jobs, as text."""
    declared = [value for value in objects if isinstance(value, Job)]
    live = jobs.read_declared(connection, capabilities, declared) if declared else {}
    return {str(number) for job in live.values() for number in (job.id, *job.doubles)}


def _filled(connection: Connection[Any], tables: Sequence[Row]) -> set[int]:
    """Return the oids of the tables that have rows, and of those whose rows this login may not see."""
    hidden = read_unreadable(connection, [(row["schema"], row["name"]) for row in tables])
    unreadable = {row["oid"] for row in tables if (row["schema"], row["name"]) in hidden}
    tables = [row for row in tables if row["oid"] not in unreadable]
    if not tables:
        return unreadable
    parts = [sql.SQL("SELECT {} AS oid WHERE EXISTS (SELECT FROM {})").format(
        sql.Literal(row["oid"]), sql.Identifier(row["schema"], row["name"])) for row in tables]
    with connection.cursor(row_factory=dict_row) as cursor:
        filled = cursor.execute(sql.SQL(" UNION ALL ").join(parts)).fetchall()
    return unreadable | {row["oid"] for row in filled}


def _address(row: Row) -> Address:
    """Where the server lists it; jobs are TimescaleDB's, and nothing there depends on them."""
    return Address("" if row["kind"] == "job" else CATALOGS.get(row["kind"], "pg_class"), row["oid"])


def _foreign_keys(row: Row, keys: Rows) -> tuple[str, ...]:
    own_keys = keys.get(qualified(row["schema"], row["name"]), ()) if row["kind"] == "table" else ()
    return tuple(key["name"] for key in own_keys)
