"""Run the statements of SQL files in a scratch database, in transactions that change nothing but that database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import Connection
from psycopg.pq import TransactionStatus

from schema.catalog.queries import rows
from schema.connection import UNLIMITED
from schema.errors import DeclarationError
from schema.export.sql_files.scratch_database import APPLICATION, ScratchDatabase, server_words
from schema.export.sql_files.statements import Statement

BEGIN, COMMIT = ("BEGIN", "START TRANSACTION"), ("COMMIT", "END")
ROLLBACK = ("ROLLBACK", "ABORT")
# What TimescaleDB and PostgreSQL run outside transactions alone, and concerns nothing but this database.
ALONE = ("CREATE MATERIALIZED VIEW", "CREATE INDEX CONCURRENTLY", "CREATE UNIQUE INDEX CONCURRENTLY",
         "DROP INDEX CONCURRENTLY")


def load(scratch: ScratchDatabase, files: Sequence[Sequence[Statement]]) -> None:
    """Run the statements in their order; every file begins with the settings of a new session of the live database.

    Raises DeclarationError with file, line and the server's words: also for a statement that would change roles,
    databases or settings of the whole server, and for a transaction that its file does not end.
    """
    with scratch.address.connect(application_name=APPLICATION, options=UNLIMITED) as connection:
        for statements in files:
            connection.execute("DISCARD ALL")
            connection.execute("SELECT set_config('search_path', %s, false), set_config('check_function_bodies', "
                               "'off', false), set_config('client_min_messages', 'error', false)",
                               [scratch.search_path])
            _load_file(connection, statements, scratch)


def _load_file(connection: Connection[Any], statements: Sequence[Statement], scratch: ScratchDatabase) -> None:
    opened: Statement | None = None
    for statement in statements:
        if _begins(statement, BEGIN):
            opened = statement
        try:
            _run(connection, statement)
        except psycopg.Error as error:
            if not _is_there_already(statement, error, scratch):
                raise DeclarationError(_explain(statement, error, scratch)) from None
    if connection.info.transaction_status != TransactionStatus.IDLE and opened is not None:
        raise DeclarationError(f"{opened.place()}: the transaction that begins here has no COMMIT in its file; end it")
    temporary = [row["name"] for row in rows(connection, "temporary_objects")]
    if temporary:
        raise DeclarationError(f"{statements[0].file}: {', '.join(temporary)}: temporary, so that no declaration can "
                               "have it; take it out")


def _run(connection: Connection[Any], statement: Statement) -> None:
    """Run one statement: in the transaction that its file began, else in one of its own."""
    if _begins(statement, BEGIN):
        connection.execute(statement.sql.encode())
    elif _begins(statement, COMMIT):
        _require_own(connection, statement)
        connection.execute(statement.sql.encode())
    elif _begins(statement, ROLLBACK) or connection.info.transaction_status != TransactionStatus.IDLE:
        connection.execute(statement.sql.encode())
        if connection.info.transaction_status == TransactionStatus.INTRANS:
            _require_own(connection, statement)
    elif _begins(statement, ALONE) and _refused_in_transaction(connection, statement):
        connection.execute(statement.sql.encode())
    elif not _begins(statement, ALONE):
        with connection.transaction():
            connection.execute(statement.sql.encode())
            _require_own(connection, statement)


def _refused_in_transaction(connection: Connection[Any], statement: Statement) -> bool:
    """Run the statement in a transaction; tell whether the server takes it only outside one."""
    try:
        with connection.transaction():
            connection.execute(statement.sql.encode())
    except psycopg.errors.ActiveSqlTransaction:
        return True
    return False


def _require_own(connection: Connection[Any], statement: Statement) -> None:
    """Raise DeclarationError where the open transaction has changed more than its database."""
    catalogs = [row["catalog"] for row in rows(connection, "server_wide_changes")]
    if catalogs:
        raise DeclarationError(f"{statement.place()}: changes {', '.join(catalogs)} of the whole server, which is no "
                               "part of a database's declaration; nothing of it was kept; take it out")


def _begins(statement: Statement, words: Sequence[str]) -> bool:
    return any(f"{statement.words} ".startswith(f"{one} ") for one in words)


def _is_there_already(statement: Statement, error: psycopg.Error, scratch: ScratchDatabase) -> bool:
    """Tell whether the statement makes an extension, or an extension's schema, that the live database has."""
    if isinstance(error, psycopg.errors.DuplicateObject) and _begins(statement, ["CREATE EXTENSION"]):
        return any(f'"{name}"' in str(error) for name in scratch.extensions)
    if isinstance(error, psycopg.errors.DuplicateSchema) and _begins(statement, ["CREATE SCHEMA"]):
        return any(f'"{name}"' in str(error) for name in scratch.schemas)
    return False


def _explain(statement: Statement, error: psycopg.Error, scratch: ScratchDatabase) -> str:
    """Describe the error with the line that the server points at."""
    position = error.diag.statement_position
    words = server_words(error)
    if isinstance(error, psycopg.errors.ActiveSqlTransaction):
        words += "; such a statement is no part of a declaration; take it out"
    else:
        words += "; correct the file (files are loaded in the order of their names)"
    if scratch.missing:
        words += f"; extensions that the live database has and this login cannot create: {'; '.join(scratch.missing)}"
    return f"{statement.place(int(position) if position else None)}: {words}"
