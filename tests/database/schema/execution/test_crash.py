"""An apply that dies anywhere: the next one goes on from there, to the same end.

Every third step of a long plan is met by one way of dying, each way in turn; with LCDB_CRASHES=all, as `make nightly`
sets it, each step is met by every way, on the Debian server, too.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from psycopg import sql

from schema import apply
from schema.comparison.compare import Options
from schema.errors import ApplyError
from schema.model.change.step import Step, Transaction
from tests.support.running.servers import OWNER, Database, create_database, drop_database
from tests.support.schemas.online_changes import BEFORE, COMPRESSED, FILLED, everything

ALL = os.environ.get("LCDB_CRASHES") == "all"
OPTIONS = Options(on_unsupported="skip", lock_timeout="10s")
AFTER = everything()
# What must be as it is after an apply that nothing has cut off: all that is in the catalogs, and every row.
END = """
    SELECT 'column', attrelid::regclass::text, attname::text, format_type(atttypid, atttypmod) || attnotnull::text
      FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped AND attrelid IN
           (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v'))
    UNION ALL SELECT 'constraint', conrelid::regclass::text, conname::text, pg_get_constraintdef(oid)
      FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT 'index', indrelid::regclass::text, indexrelid::regclass::text, pg_get_indexdef(indexrelid)
      FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid WHERE relnamespace = 'public'::regnamespace
    UNION ALL SELECT 'indexes of chunks', count(*)::text, '', bool_and(indisvalid)::text FROM pg_index
      JOIN pg_class ON pg_class.oid = indrelid WHERE relnamespace = '_timescaledb_internal'::regnamespace
    UNION ALL SELECT 'view', viewname::text, '', definition FROM pg_views WHERE schemaname = 'public'
    UNION ALL SELECT 'schema', nspname::text, '', '' FROM pg_namespace WHERE nspname !~ '^pg_(toast_)?temp'
    UNION ALL SELECT 'rows', (SELECT count(*)::text || sum(hashtext(name || email || floor)) FROM rooms),
                     (SELECT count(*)::text || sum(value) FROM samples), (SELECT count(*)::text || sum(kwh) FROM meters)
     ORDER BY 1, 2, 3, 4"""
JOBS = """
    SELECT job_id, proc_name::text, hypertable_name::text, schedule_interval::text, config::text
      FROM timescaledb_information.jobs WHERE hypertable_name IS NOT NULL ORDER BY 1"""
LEFTOVERS = """
    SELECT indexrelid::regclass::text FROM pg_index WHERE NOT (indisvalid AND indisready)
    UNION ALL SELECT relname FROM pg_class WHERE relname LIKE '%\\_\\_new' OR relname LIKE '%\\_\\_old'
    UNION ALL SELECT conname FROM pg_constraint WHERE conname LIKE '%is\\_not\\_null' OR NOT convalidated
    UNION ALL SELECT nspname FROM pg_namespace WHERE nspname LIKE 'lifecompanion\\_scratch%'"""


class CrashError(Exception):
    """The process dies here."""


Way = Callable[[Database, Step], None]


def dies(_database: Database, _step: Step) -> None:
    """The process stops before the step."""
    raise CrashError


def loses_its_session(database: Database, _step: Step) -> None:
    """The server's process ends before the step."""
    _end_session(database, "true")


def is_cut_off_while_building(database: Database, step: Step) -> None:
    """The server's process ends in the middle of a step: it waits for a writer, with a part of its work committed."""
    locked = threading.Event()
    threading.Thread(target=_end_while_waiting, args=[database, _locks(database, step), locked]).start()
    assert locked.wait(30), "the writer got no lock"


def _locks(database: Database, step: Step) -> str:
    """The table, or the last chunk of the hypertable, that the step gets to."""
    table = step.object.split(".", maxsplit=1)[0]
    chunks = database.execute(f"SELECT c::text FROM show_chunks('{table}') c ORDER BY c DESC LIMIT 1") \
        if "transaction_per_chunk" in step.sql else []
    return str(chunks[0][0]) if chunks else table


def _end_while_waiting(database: Database, table: str, locked: threading.Event) -> None:
    with database.admin.connect(autocommit=False, application_name="a writer") as writer:
        writer.execute(f"LOCK TABLE {table} IN ROW EXCLUSIVE MODE".encode())
        locked.set()
        _end_session(database, "wait_event_type = 'Lock'")


def _end_session(database: Database, condition: str) -> None:
    """End the changer's session once the condition holds of it, and see it gone."""
    asked = (f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s AND {condition} "
             "AND application_name = %s")
    with database.admin.connect() as connection:
        deadline = time.monotonic() + 8
        while not connection.execute(asked.encode(), [database.admin.database, apply.APPLICATION]).fetchall():
            assert time.monotonic() < deadline, f"nobody waited ({condition})"
            time.sleep(0.02)


@pytest.fixture(scope="module")
def filled(server: Any) -> Iterator[Database]:
    """The schema before the change, with rows, some of them in the columnstore; each crash happens to a copy of it."""
    if server.kind != "official" and not ALL:
        pytest.skip("LCDB_CRASHES is not all")
    template = create_database(server, "t_crash_template")
    apply.ensure(template.owner, BEFORE, options=OPTIONS)
    with template.admin.connect() as connection:
        for statement in (*FILLED, *([COMPRESSED] if server.community else [])):
            connection.execute(statement.encode())
    yield template
    drop_database(template)


@contextmanager
def copied(filled: Database) -> Iterator[Database]:
    """A copy of the database; it is kept where the test fails."""
    name = "t_crash_copy"
    copy = Database(filled.server, replace(filled.owner, database=name), replace(filled.admin, database=name))
    with filled.server.admin.connect() as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
            sql.Identifier(name), sql.Identifier(filled.admin.database)))
        connection.execute(sql.SQL("GRANT CREATE, TEMPORARY ON DATABASE {} TO {}").format(
            sql.Identifier(name), sql.Identifier(OWNER)))
    yield copy
    drop_database(copy)


def ways_to_die(number: int, step: Step) -> list[Way]:
    """All of them, or one for every third step in turn."""
    if ALL:
        return [dies, loses_its_session, *([is_cut_off_while_building] if _can_be_cut(step) else [])]
    if number % 3:
        return []
    return [is_cut_off_while_building if _can_be_cut(step) else (dies, loses_its_session)[number % 2]]


def _can_be_cut(step: Step) -> bool:
    return step.transaction is Transaction.NONE and "CREATE" in step.sql


def crash(database: Database, number: int, way: Way, steps: tuple[Step, ...]) -> None:
    """Apply, and die at step `number`."""
    started: list[str] = []

    def progress(_line: str) -> None:
        started.append(_line)
        if len(started) == number + 1:
            way(database, steps[number])

    with pytest.raises((CrashError, ApplyError, psycopg.OperationalError)):
        apply.ensure(database.owner, AFTER, options=OPTIONS, progress=progress)
    assert len(started) == number + 1


def end(database: Database) -> tuple[Any, ...]:
    return database.execute(END), database.execute(JOBS)


@pytest.mark.servers("official", "debian")
def test_an_apply_that_dies_at_any_step_is_resumed_to_the_same_end(filled: Database) -> None:
    with copied(filled) as straight:
        steps = apply.ensure(straight.owner, AFTER, options=OPTIONS).steps
        expected = end(straight)
        assert straight.execute(LEFTOVERS) == []
    assert len(steps) >= (40 if filled.server.community else 28)
    died = 0
    for number, step in enumerate(steps):
        for way in ways_to_die(number, step):
            with copied(filled) as database, ExitStack() as stack:
                stack.callback(lambda number=number, step=step, way=way: print(f"{number} {way.__name__}: {step.sql}"))
                crash(database, number, way, steps)
                apply.ensure(database.owner, AFTER, options=OPTIONS)  # proves that a new plan is empty
                assert tuple(apply.read(database.owner, AFTER, options=OPTIONS)) == AFTER
                assert database.execute(LEFTOVERS) == []
                assert end(database) == expected
                died += 1
    assert died >= len(steps) / (1 if ALL else 3)
