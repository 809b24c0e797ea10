"""Extensions while declarations are put into the server's words: those that are declared and missing are created in the
same transaction, and an object that needs one which nobody declares says which."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import psycopg
from psycopg import Connection, sql

from schema.catalog.queries import Row, rows
from schema.catalog.readers.foundations.extensions import read_availability
from schema.errors import DeclarationError, UnsupportedError
from schema.kinds import extension
from schema.model.declarations.foundations import Extension
from schema.model.sql_names import names_in

# Which extension brings what other objects are made with and what does not bear the extension's own name.
BROUGHT_BY = (
    (re.compile(r"\bgi(?:n|st)_trgm_ops\b|\b(?:word_|strict_word_)?similarity\("), "pg_trgm"),
    (re.compile(r"\buuid_(?:generate_v\w+|ns_\w+|nil)\("), "uuid-ossp"),
    (re.compile(r"\b(?:gen_salt|crypt|digest|hmac|pgp_\w+|gen_random_bytes)\("), "pgcrypto"),
    (re.compile(r'"?(?:geometry|geography|box2d|box3d)\b|\bst_\w+\(', re.I), "postgis"),
    (re.compile(r'"?(?:l?query|lquery|ltxtquery)"|\bnlevel\(|\bsubpath\('), "ltree"),
    (re.compile(r'"?halfvec\b|"?sparsevec\b|\bvector_\w+_ops\b'), "vector"),
    (re.compile(r"\b(?:earth_distance|ll_to_earth|earth_box)\("), "earthdistance"),
    (re.compile(r'no default operator class for access method "gist"|"gist_(?!trgm)\w+_ops"'), "btree_gist"),
    (re.compile(r'no default operator class for access method "gin"'), "btree_gin"),
    (re.compile(r"\bcrosstab\w*\("), "tablefunc"),
    (re.compile(r'"?(?:statssummary|hyperloglog|uddsketch|tdigest|timeweightsummary|candlestick|counteragg)\w*\b|'
                r"\b(?:time_weight|candlestick_agg|counter_agg|gauge_agg|stats_agg|percentile_agg|approx_percentile)\(",
                re.I), "timescaledb_toolkit"))
_NAMED = re.compile(r'"([^"]+)"|\b(\w+)\(')
LACKING = (psycopg.errors.UndefinedObject, psycopg.errors.UndefinedFunction, psycopg.errors.UndefinedTable,
           psycopg.errors.InvalidSchemaName)


def create_missing(connection: Connection[Any], declared: Iterable[Extension]) -> None:
    """Create those extensions that do not exist, with their schemas; for a transaction that is going to be rolled back.

    Raises UnsupportedError that names an extension which the server has no files of, not in the declared version, or
    which this login may not create, and DeclarationError where the server refuses it.
    """
    by_name = {extension_.name: extension_ for extension_ in declared}
    available = read_availability(connection, list(by_name)) if by_name else []
    for row in available:
        _require_available(by_name[row["name"]], row)
    missing = {row["name"] for row in available if row["version"] is None}
    for extension_ in by_name.values():
        if extension_.name in missing:
            _create(connection, extension_)


def _create(connection: Connection[Any], extension_: Extension) -> None:
    try:
        with connection.transaction():
            if not rows(connection, "schemas", names=[extension_.schema]):
                connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(extension_.schema)))
            connection.execute(extension.definition(extension_).encode())
    except psycopg.Error as error:
        reason = " ".join((error.diag.message_primary or str(error)).split())
        raise DeclarationError(f"{extension_.full_name}: the server cannot create the extension: {reason}; correct the "
                               "declaration") from None


def _require_available(extension_: Extension, row: Row) -> None:
    name, versions = extension_.full_name, row["versions"]
    if extension_.version is not None and extension_.version not in (row["version"], *versions):
        raise UnsupportedError(f"{name}: extension version {extension_.version} is declared, and the server has "
                               f"{', '.join(sorted(versions)) or 'none'}; declare one of those, or install that "
                               "version's package on the server")
    if row["version"] is not None:
        return
    if not versions:
        raise UnsupportedError(f"{name}: the server has no extension {extension_.name}; install its package there, or "
                               "take it out of the declaration with what needs it")
    if row["forbidden"]:
        raise UnsupportedError(f"{name}: only a superuser may create this extension, and {row['role']} is none; have "
                               f"one run {extension.definition(extension_)}, then apply again")


def remedy(connection: Connection[Any], error: psycopg.Error, statement: str) -> str:
    """What to do about an object that the server cannot create: declare the extension that brings what it lacks, where
    the server has such a one and it does not exist, else correct the declaration."""
    text = error.diag.message_primary or ""
    if not isinstance(error, LACKING):
        return "correct the declaration"
    names = [word.rpartition(".")[2].strip("[]") for pair in _NAMED.findall(text) for word in pair if word]
    if isinstance(error, psycopg.errors.InvalidSchemaName):  # which says nothing of what was looked for there
        names += sorted(names_in([statement]))
    names += [extension_ for pattern, extension_ in BROUGHT_BY if pattern.search(text)]
    absent = {row["name"] for row in read_availability(connection, names) if row["versions"] and row["version"] is None}
    for name in names:
        if name in absent:
            return f"the extension {name} brings it: declare Extension({name!r}) before"
    if names:
        return "declare it, or the Extension that brings it, or correct the declaration"
    return "correct the declaration"
