"""TimescaleDB's jobs in a restored database stay off until they are released.

Otherwise a copy's policies would delete and compress rows as soon as it exists. The ids of the jobs to start again are
kept in a setting of the database itself, so that no table is needed for them.
"""

from __future__ import annotations

from typing import Any

from psycopg import Connection, sql

from backups.errors import RestoreError
from schema.connection import Address

SETTING = "lifecompanion.held_jobs"


def hold_jobs(connection: Connection[Any]) -> list[int]:
    """Unschedule every scheduled job and record their ids in the database's settings; returns the ids.

    Runs in the middle of a restore, so it updates TimescaleDB's catalog directly.
    """
    # Its schema had another name in older versions (2.19 for one).
    table = connection.execute("SELECT coalesce(to_regclass('_timescaledb_catalog.bgw_job'), "
                               "to_regclass('_timescaledb_config.bgw_job'))::text").fetchone()
    assert table
    jobs = [row[0] for row in connection.execute(
        f"UPDATE {table[0]} SET scheduled = false WHERE scheduled AND id >= 1000 RETURNING id".encode())]
    _remember(connection, jobs)
    return sorted(jobs)


def read_schema(connection: Connection[Any]) -> sql.Identifier:
    """The schema that TimescaleDB's functions are in; a superuser's search path may lack it."""
    row = connection.execute("SELECT nspname::text FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace "
                             "WHERE extname = 'timescaledb'").fetchone()
    return sql.Identifier(row[0] if row else "public")


def read_held(connection: Connection[Any]) -> list[int] | None:
    """The ids of the jobs that wait to be released; None where this database holds none back."""
    row = connection.execute(
        "SELECT split_part(setting, '=', 2) FROM pg_db_role_setting, unnest(setconfig) AS setting"
        " WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database()) AND setrole = 0"
        "   AND setting LIKE %s", [f"{SETTING}=%"]).fetchone()
    return None if row is None else [int(word) for word in row[0].split(" ") if word]


def release_jobs(address: Address) -> list[int]:
    """Schedule the held jobs again; returns their ids. Raises RestoreError where none are held."""
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
