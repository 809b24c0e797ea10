"""Writing rows into a table: by COPY, binary or text, or by INSERT where the server does not support COPY."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from psycopg import sql

from seed.generate.rows import Rows
from seed.load.encoding import COPY_END, COPY_HEADER, array_literal, binary, column_type, fits_binary, text
from seed.load.tables import Connection, one

Written = Callable[[int], None]
_COPY_ROWS, _INSERT_ROWS = 40_000, 2_000


def can_copy(connection: Connection) -> bool:
    """Whether the server supports COPY FROM STDIN; not tried on a WebAssembly build, which crashes."""
    version = str(one(connection, "SELECT version()")).lower()
    return not any(word in version for word in ("wasm", "emscripten", "emcc", "pglite"))


def write(connection: Connection, rows: Rows, *, copies: bool, own_ids: bool = True,
          written: Written = lambda rows: None) -> None:
    """Send the rows in parts of some ten thousand; without `own_ids` the server assigns the ids.

    `written` is called with the number of rows of each part. The rows are visible once the caller's transaction
    commits.
    """
    if not own_ids:
        rows = Rows(rows.table, {name: values for name, values in rows.columns.items() if name != "id"})
    if not len(rows):
        return
    if copies:
        _copy(connection, rows, written)
        return
    for part in _parts(rows, _INSERT_ROWS):
        _insert(connection, part)
        written(len(part))


def _parts(rows: Rows, most: int) -> Iterator[Rows]:
    for begin in range(0, len(rows), most):
        yield Rows(rows.table, {name: values[begin:begin + most] for name, values in rows.columns.items()})


def _copy(connection: Connection, rows: Rows, written: Written) -> None:
    """Send the rows with one COPY: binary where the columns allow it, else as text."""
    in_binary = fits_binary(rows)
    statement = sql.SQL("COPY {} ({}) FROM STDIN {}").format(
        sql.Identifier(rows.table), sql.SQL(", ").join(map(sql.Identifier, rows.columns)),
        sql.SQL("(FORMAT binary)" if in_binary else ""))
    with connection.cursor().copy(statement) as copy:
        if in_binary:
            copy.write(COPY_HEADER)
        for part in _parts(rows, _COPY_ROWS):
            copy.write(binary(part) if in_binary else text(part))
            written(len(part))
        if in_binary:
            copy.write(COPY_END)


def _insert(connection: Connection, rows: Rows) -> None:
    """Send the rows as arrays, one for each column, in one INSERT."""
    arrays = sql.SQL(", ".join(f"%s::{column_type(name)}[]" for name in rows.columns))
    statement = sql.SQL("INSERT INTO {} ({}) SELECT * FROM unnest({})").format(
        sql.Identifier(rows.table), sql.SQL(", ").join(map(sql.Identifier, rows.columns)), arrays)
    connection.execute(statement, [array_literal(name, values) for name, values in rows.columns.items()])
