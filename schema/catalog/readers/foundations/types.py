"""Read domains, composite types and collations: as many queries for a hundred of them as for one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import Connection

from schema.capabilities import Capabilities
from schema.catalog.queries import Row, rows, rows_by
from schema.catalog.readers.functions import rights
from schema.model.declarations.foundations import Attribute, Check, Collation, CompositeType, Domain
from schema.model.live.objects import Rights
from schema.model.live.types import LiveType, TypeColumn


def read_domains(connection: Connection[Any], capabilities: Capabilities, schema: str,
                 names: Sequence[str]) -> dict[str, LiveType[Domain]]:
    """The live domains of one schema by name; absent ones are absent."""
    found = rows(connection, "domains", schema=schema, names=list(names))
    surroundings = _surroundings(connection, capabilities, schema, [row["name"] for row in found])
    return {row["name"]: LiveType(
        Domain(row["name"], row["type"], row["default"], row["null"], row["collation"],
               tuple(Check(check["name"], check["expression"], check["comment"]) for check in row["checks"]),
               schema=schema, comment=row["comment"]),
        **surroundings[row["name"]],
        not_valid=frozenset(check["name"] for check in row["checks"] if not check["validated"])) for row in found}


def read_composite_types(connection: Connection[Any], capabilities: Capabilities, schema: str,
                         names: Sequence[str]) -> dict[str, LiveType[CompositeType]]:
    """The live composite types of one schema by name; absent ones, and the row types of tables, are absent."""
    found = rows(connection, "composite_types", schema=schema, names=list(names))
    surroundings = _surroundings(connection, capabilities, schema, [row["name"] for row in found])
    return {row["name"]: LiveType(
        CompositeType(row["name"], tuple(Attribute(**attribute) for attribute in row["attributes"]), schema=schema,
                      comment=row["comment"]), **surroundings[row["name"]]) for row in found}


def read_collations(connection: Connection[Any], _: Capabilities, schema: str,
                    names: Sequence[str]) -> dict[str, LiveType[Collation]]:
    """The live collations of one schema by name; absent ones are absent."""
    return {row["name"]: LiveType(
        Collation(row["name"], row["locale"], row["provider"], row["character_types"], row["deterministic"],
                  row["rules"], schema=schema, comment=row["comment"]),
        Rights(owner=row["owner"]), dependants=tuple(row["dependants"]))
        for row in rows(connection, "collations", schema=schema, names=list(names))}


def _surroundings(connection: Connection[Any], capabilities: Capabilities, schema: str,
                  names: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
    """Rights, dependants and columns of types that exist, by name."""
    if not names:
        return {}
    columns = rows_by(connection, "type_columns", "name", schema=schema, names=list(names))
    tables = sorted({row["table"] for group in columns.values() for row in group})
    compressed: set[str] = set()
    if tables and capabilities.timescaledb_version is not None:
        compressed = {row["table"] for row in rows(connection, "chunks", names=tables) if row["compressed"]}
    return {row["name"]: {"rights": rights(row), "dependants": tuple(row["dependants"]),
                          "columns": tuple(_column(column, compressed) for column in columns.get(row["name"], ()))}
            for row in rows(connection, "type_rights", schema=schema, names=list(names))}


def _column(row: Row, compressed: set[str]) -> TypeColumn:
    within = row["table"] in compressed
    return TypeColumn(row["table"], row["column"], row["filled"] or within, within)
