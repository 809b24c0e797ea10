"""TimescaleDB's jobs in a restored database: held until somebody releases them by name.

A copy whose policies run would delete and compress on its own, the moment it is opened. Which jobs are to run again is
remembered in a setting of the database itself: it goes wherever the database goes, and no table of ours is needed.
"""

from __future__ import annotations

from typing import Any

from psycopg import Connection, sql

from backups.errors import RestoreError
from schema.connection import Address

SETTING = "lifecompanion.held_jobs"


def hold_jobs(connection: Connection[Any]) -> list[int]:
    """Unschedule every job that is scheduled, and remember which; in the middle of a restore, by the catalog itself."""
    # Its schema had another name in older versions (2.19 for one).
    table = connection.execute("SELECT coalesce(to_regclass('_timescaledb_catalog.bgw_job'), "
                               "to_regclass('_timescaledb_config.bgw_job'))::text").fetchone()
    assert table
    jobs = [row[0] for row in connection.execute(
        f"UPDATE {table[0]} SET scheduled = false WHERE scheduled AND id >= 1000 RETURNING id".encode())]
    _remember(connection, jobs)
    return sorted(jobs)


def read_schema(connection: Connection[Any]) -> sql.Identifier:
    """The schema that TimescaleDB's functions are in; a superuser's search path need not hold it."""
    row = connection.execute("SELECT nspname::text FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace "
                             "WHERE extname = 'timescaledb'").fetchone()
    return sql.Identifier(row[0] if row else "public")


def read_held(connection: Connection[Any]) -> list[int] | None:
    """The jobs that wait to be released; None where nothing was held here."""
    row = connection.execute(
        "SELECT split_part(setting, '=', 2) FROM pg_db_role_setting, unnest(setconfig) AS setting"
        " WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database()) AND setrole = 0"
        "   AND setting LIKE %s", [f"{SETTING}=%"]).fetchone()
    return None if row is None else [int(word) for word in row[0].split(" ") if word]


def release_jobs(address: Address) -> list[int]:
    """Let the held jobs run again; returns their ids. Raises RestoreError where none are held."""
    with address.connect() as connection:
        schema = read_schema(connection)
        held = read_held(connection)
        if held is None:
            raise RestoreError(f"database {address.database}: holds no jobs back: it was not restored, or is released "
                               "already")
        with connection.transaction():
            for job in held:
                connection.execute(sql.SQL(
                    "SELECT {}.alter_job(job_id, scheduled => true) FROM timescaledb_information.jobs "
                    "WHERE job_id = {}").format(schema, sql.Literal(job)))
            connection.execute(sql.SQL("ALTER DATABASE {} RESET {}").format(
                sql.Identifier(address.database), sql.SQL(SETTING)))
    return held


def _remember(connection: Connection[Any], jobs: list[int]) -> None:
    connection.execute(sql.SQL("ALTER DATABASE {} SET {} = {}").format(
        sql.Identifier(connection.info.dbname), sql.SQL(SETTING), sql.Literal(" ".join(map(str, sorted(jobs))))))
