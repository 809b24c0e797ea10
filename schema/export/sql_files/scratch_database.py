"""A scratch database on the live database's server: like that one, with its extensions, empty, and gone afterwards.

It is a template, so TimescaleDB's scheduler does not start there and no job runs. Only its owner may connect. Its name
has the process number of the session that made it: a later run drops those whose session is gone.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

import psycopg
from psycopg import Connection, sql
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt

from schema.capabilities import Capabilities
from schema.catalog.queries import Row, read_capabilities, rows
from schema.connection import UNLIMITED, Address, one_line_errors
from schema.errors import ApplyError, UnsupportedError

PREFIX = "lifecompanion_sql"
APPLICATION = "lifecompanion sql files"
# The server itself waits 5 s in each.
DROP_ATTEMPTS = 3
# By pg_database.datlocprovider, where it is not libc: the words of CREATE DATABASE for the provider and its locale.
PROVIDERS = {"i": ("icu", "ICU_LOCALE"), "b": ("builtin", "BUILTIN_LOCALE")}


@dataclass(frozen=True)
class ScratchDatabase:
    """The scratch database, the live one's capabilities, extensions and search path, and which extensions could not be
    created here, each with the reason."""

    address: Address
    capabilities: Capabilities
    extensions: frozenset[str]
    schemas: frozenset[str]
    search_path: str
    missing: tuple[str, ...]


@contextmanager
def scratch_database(address: Address) -> Iterator[ScratchDatabase]:
    """Create a scratch database beside the live one, and drop it at the end, whatever happens.

    First drops those that killed runs left. Raises UnsupportedError where the login may not create databases or the
    server has but one, ApplyError where the server refuses it.
    """
    with (one_line_errors(address.database),
          address.connect(application_name=APPLICATION, options=UNLIMITED) as connection):
        capabilities = read_capabilities(connection)
        capabilities.require_usable()
        live = rows(connection, "this_database")[0]
        _require_rights(capabilities, live)
        drop_leftovers(connection)
        name = f"{PREFIX}_{connection.info.backend_pid}_{secrets.token_hex(4)}"
        scratch = replace(address, database=name)
        extensions = rows(connection, "extensions")
        _create(connection, name, live)
        try:
            missing = _create_extensions(scratch, extensions)
            yield ScratchDatabase(scratch, capabilities, frozenset(row["name"] for row in extensions),
                                  frozenset(row["schema"] for row in extensions), live["search_path"], missing)
        except BaseException:
            with suppress(psycopg.Error):
                _drop(connection, name)
            raise
        try:
            _drop(connection, name)
        except psycopg.Error as error:
            raise ApplyError(f"{name}: this scratch database was not dropped: {server_words(error)}; the next run with "
                             "SQL files tries again, or drop it yourself") from None


def drop_leftovers(connection: Connection[Any]) -> None:
    """Drop this login's scratch databases whose session is gone; one that somebody uses again stays."""
    for row in rows(connection, "left_scratch_databases", prefix=PREFIX):
        with suppress(psycopg.errors.ObjectInUse, psycopg.errors.InvalidCatalogName,
                      psycopg.errors.InsufficientPrivilege):
            _drop(connection, row["name"])


def _require_rights(capabilities: Capabilities, live: Row) -> None:
    if capabilities.single_process:
        raise UnsupportedError(f"{capabilities.database}: SQL files are read by way of a second database, and this "
                               "server has but one; declare the schema in Python here, or plan against another server")
    if not live["may_create_database"]:
        raise UnsupportedError(f"{capabilities.database}: SQL files are read by way of a scratch database, and "
                               f"{capabilities.role} may not create one; ALTER ROLE ... CREATEDB, or log in as "
                               "somebody who may")


def _create(connection: Connection[Any], name: str, live: Row) -> None:
    words = {"ENCODING": live["encoding"], "LC_COLLATE": live["lc_collate"], "LC_CTYPE": live["lc_ctype"]}
    if live["provider"] in PROVIDERS:
        provider, locale = PROVIDERS[live["provider"]]
        words |= {"LOCALE_PROVIDER": provider, locale: live["locale"]}
    settings = sql.SQL(" ").join(sql.SQL(f"{word} {{}}").format(sql.Literal(value)) for word, value in words.items())
    try:
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0 IS_TEMPLATE true {}").format(
            sql.Identifier(name), settings))
    except psycopg.Error as error:
        raise ApplyError(f"{connection.info.dbname}: no scratch database beside it: {server_words(error)}; correct the "
                         "cause and try again") from None
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(name)))


def _drop(connection: Connection[Any], name: str) -> None:
    """Drop a scratch database. It stays closed to TimescaleDB's scheduler until it is gone.

    Not by force, which would need the right to end the server's own processes: these are waited for, as our own
    sessions are that have just been closed.
    """
    for statement in ("ALTER DATABASE {} ALLOW_CONNECTIONS false", "ALTER DATABASE {} IS_TEMPLATE false"):
        connection.execute(sql.SQL(statement).format(sql.Identifier(name)))
    retrying = Retrying(stop=stop_after_attempt(DROP_ATTEMPTS), reraise=True,
                        retry=retry_if_exception_type(psycopg.errors.ObjectInUse))
    retrying(connection.execute, sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))


def _create_extensions(scratch: Address, extensions: Sequence[Row]) -> tuple[str, ...]:
    """Create the live database's extensions, as it has them; return those that the server refuses, with its words."""
    missing = []
    for row in extensions:
        # TimescaleDB must be created by the first statement of a session.
        with scratch.connect(application_name=APPLICATION, options=UNLIMITED) as connection:
            connection.execute("SET client_min_messages = error")
            name, schema = sql.Identifier(row["name"]), sql.Identifier(row["schema"])
            try:
                if row["schema"] not in ("public", "pg_catalog"):
                    connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(schema))
                connection.execute(sql.SQL("CREATE EXTENSION {} WITH SCHEMA {} VERSION {}").format(
                    name, schema, sql.Literal(row["version"])))
            except psycopg.Error as error:
                missing.append(f"{row['name']}: {server_words(error)}")
    return tuple(missing)


def server_words(error: psycopg.Error) -> str:
    """Return the server's message in one line."""
    return " ".join((error.diag.message_primary or str(error)).split())
