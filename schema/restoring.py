"""Whether a database is in the midst of a restore: TimescaleDB is switched off in it then, and its rows may be few."""

from __future__ import annotations

from typing import Any

from psycopg import Connection, sql
from psycopg.errors import QueryCanceled

from schema.errors import UnfinishedRestoreError

# A setting of a database that a restore of ours goes on in, or was killed in: the id of the backup.
UNFINISHED = "lifecompanion.restoring"
SWITCHED_OFF = "timescaledb.restoring"
# In one message, so that a login's own limit ends it at most before its second word; then it is asked again.
ATTEMPTS = 20
ASKED = f"""
    BEGIN; SET LOCAL statement_timeout = 0;
    SELECT current_setting('{UNFINISHED}', true), current_setting('{SWITCHED_OFF}', true); COMMIT"""
# Where it is set, most particular first; the server's own configuration last.
PLACES = """
    SELECT d.datname::text, r.rolname::text
      FROM pg_db_role_setting s
      LEFT JOIN pg_database d ON d.oid = s.setdatabase LEFT JOIN pg_roles r ON r.oid = s.setrole
     WHERE (s.setdatabase = 0 OR d.datname = current_database()) AND (s.setrole = 0 OR r.rolname = session_user)
       AND EXISTS (SELECT FROM unnest(s.setconfig) AS entry WHERE split_part(entry, '=', 1) = %s)
     ORDER BY s.setrole = 0, s.setdatabase = 0"""


def require_restored(connection: Connection[Any]) -> None:
    """Raise UnfinishedRestoreError, with the remedy, where a restore into this database has not come to its end."""
    backup, switched_off = _ask(connection)
    if backup:
        name = connection.info.dbname
        raise UnfinishedRestoreError(
            f"database {name}: the restore of backup {backup} into it goes on, or was killed before its end; wait for "
            f"it, or restore again into {name}, which drops what is there first")
    if _is_on(switched_off):
        raise UnfinishedRestoreError(_explain(connection))


def _ask(connection: Connection[Any]) -> tuple[str | None, str | None]:
    """Both settings, None for one that nothing sets."""
    for attempt in range(ATTEMPTS):
        try:
            answers = connection.execute(ASKED.encode())
            while answers.description is None and answers.nextset():
                pass  # the SELECT alone has rows
            return answers.fetchone() or (None, None)
        except QueryCanceled:
            connection.rollback()
            if attempt == ATTEMPTS - 1:
                raise
    return None, None


def _is_on(value: str | None) -> bool:
    """Whether the server takes this text for true; it is any text while nothing has loaded TimescaleDB."""
    text = (value or "").lower()
    return bool(text) and (text in ("on", "1") or any(word.startswith(text) for word in ("true", "yes")))


def _explain(connection: Connection[Any]) -> str:
    place = connection.execute(PLACES, [SWITCHED_OFF]).fetchone()
    database, role = place or (None, None)
    owners = [sql.SQL(word).format(sql.Identifier(name)) for word, name in (
        ("ROLE {}" if role else "", role), ("IN DATABASE {}" if role else "DATABASE {}", database)) if name]
    if owners:
        setter = sql.SQL(" ").join(owners).as_string(connection)
        remedy = f"ALTER {setter} RESET {SWITCHED_OFF}"
    else:
        setter, remedy = "the whole server", f"ALTER SYSTEM RESET {SWITCHED_OFF} and reload the configuration"
    after = "SELECT timescaledb_post_restore() there where a restore was to end, else " if database and not role else ""
    return (f"database {connection.info.dbname}: {SWITCHED_OFF} is on (set for {setter}), so TimescaleDB is switched "
            f"off in it, as in the midst of a restore; run {after}{remedy}")
