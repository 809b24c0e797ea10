"""A database that a restore goes on in, was killed in, or that is left switched off, is named by every command."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from psycopg import sql
from typer.testing import CliRunner

from backups.errors import RestoreError
from backups.logical.backup import run_logical
from backups.logical.catalog import Entry
from backups.logical.source.snapshot import snapshot_of
from backups.restoring import restore, target_database
from backups.restoring.held_jobs import release_jobs
from backups.restoring.restore import restore_logical
from backups.restoring.target_database import create_database
from cli.registry import gather
from infra.automation.inspection import read_server
from schema.apply import ensure, plan
from schema.connection import Address
from schema.errors import UnfinishedRestoreError
from schema.export.adoption import adopt
from schema.lifecompanion import declared
from tests.support.backed_up import Backed, backed
from tests.support.running.s3_servers import S3Server
from tests.support.running.servers import Database, Server

pytestmark = pytest.mark.servers("official")
COMES_TO_IT: dict[str, Callable[[Address], object]] = {
    "adopt": adopt, "plan": lambda address: plan(address, declared()),
    "apply": lambda address: ensure(address, declared()), "report": read_server,
    "snapshot": lambda address: snapshot_of(address).__enter__(), "release": release_jobs}


class KilledError(BaseException):
    """Stands for a kill -9: nothing of what the restore does after a failure is done."""


@pytest.fixture(scope="module")
def subject(server: Server, s3: S3Server) -> Iterator[Backed]:
    with backed(server, s3.login, rows=1000) as backed_up:
        yield backed_up


@pytest.fixture(scope="module")
def entry(subject: Backed) -> Entry:
    return subject.back_up()


@contextmanager
def setting(admin: Address, place: sql.Composed, value: str) -> Iterator[None]:
    with admin.connect() as connection:
        connection.execute(sql.SQL("ALTER {} SET timescaledb.restoring = {}").format(place, sql.Literal(value)))
    try:
        yield
    finally:
        with admin.connect(amid_restore=True) as connection:
            connection.execute(sql.SQL("ALTER {} RESET timescaledb.restoring").format(place))


@pytest.mark.parametrize("command", COMES_TO_IT)
def test_a_database_that_is_switched_off_is_one_line_with_the_remedy(database: Database, command: str) -> None:
    place = sql.SQL("DATABASE {}").format(sql.Identifier(database.admin.database))
    with setting(database.server.admin, place, "on"), pytest.raises(UnfinishedRestoreError) as caught:
        COMES_TO_IT[command](database.admin)
    line = str(caught.value)
    assert line.startswith(f"database {database.admin.database}: timescaledb.restoring is on (set for DATABASE ")
    assert f'ALTER DATABASE "{database.admin.database}" RESET timescaledb.restoring' in line
    assert "SELECT timescaledb_post_restore()" in line
    assert "\n" not in line


@pytest.mark.parametrize("value", ["on", "yes", "true", "1", "TR"])
def test_a_role_s_setting_is_named_as_such_however_it_is_written(database: Database, value: str) -> None:
    place = sql.SQL("ROLE {} IN DATABASE {}").format(sql.Identifier(database.owner.user),
                                                     sql.Identifier(database.owner.database))
    with setting(database.server.admin, place, value), pytest.raises(UnfinishedRestoreError) as caught:
        plan(database.owner, declared())
    assert str(caught.value).endswith(
        f'; run ALTER ROLE "{database.owner.user}" IN DATABASE "{database.owner.database}" RESET timescaledb.restoring')


def test_one_that_is_switched_on_again_by_a_word_is_as_any_other(database: Database) -> None:
    place = sql.SQL("DATABASE {}").format(sql.Identifier(database.admin.database))
    with setting(database.server.admin, place, "off"):
        database.admin.connect().close()
    with database.admin.connect(autocommit=False) as connection:
        assert connection.info.transaction_status.name == "IDLE"


def test_a_backup_of_it_is_refused_by_the_command(subject: Backed, tmp_path: Path) -> None:
    settings = subject.write_settings(tmp_path / "settings.json")
    place = sql.SQL("DATABASE {}").format(sql.Identifier(subject.source.database))
    with setting(subject.admin, place, "on"):
        with pytest.raises(UnfinishedRestoreError, match=r"timescaledb\.restoring is on"):
            run_logical(subject.store, subject.ring, subject.source, image=subject.image)
        done = CliRunner().invoke(gather(), ["backup", "run", "--kind", "logical", "--config", str(settings)])
    assert isinstance(done.exception, UnfinishedRestoreError)


KILLED_AT = {"before_its_catalog": "_load_catalog", "before_its_jobs_are_held": "hold_jobs",
             "while_rows_load": "_load_tables", "before_its_indexes": "set_missing_values",
             "after_timescaledb_is_back": "_require_structure", "while_it_is_analyzed": "_analyze",
             "before_its_settings": "finish_database"}


@pytest.mark.parametrize("step", KILLED_AT.values(), ids=KILLED_AT)
def test_release_refuses_whatever_moment_a_restore_was_killed_at(
        subject: Backed, entry: Entry, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_: object, **__: object) -> None:
        raise KilledError

    with subject.room() as name:
        with monkeypatch.context() as patched:
            patched.setattr(restore, step, die)
            patched.setattr(restore, "_take_away", lambda *_: "")
            with pytest.raises(KilledError):
                restore_logical(subject.store, subject.ring, entry, subject.admin, name, image=subject.image)
        at = Address(**{**subject.admin.to_dict(), "database": name})
        for come in (release_jobs, adopt):
            with pytest.raises(UnfinishedRestoreError) as caught:
                come(at)
            assert str(caught.value) == (
                f"database {name}: the restore of backup {entry.id} into it goes on, or was killed before its end; "
                f"wait for it, or restore again into {name}, which drops what is there first")
        if step == "finish_database":
            restore_logical(subject.store, subject.ring, entry, subject.admin, name, image=subject.image)
            assert len(release_jobs(at)) >= 3
            with pytest.raises(RestoreError, match="holds no jobs back"):
                release_jobs(at)


def test_a_server_that_goes_on_creating_leaves_no_database_of_the_name_without_its_mark(
        subject: Backed, entry: Entry, monkeypatch: pytest.MonkeyPatch) -> None:
    assert entry.manifest
    names = "SELECT datname::text FROM pg_database WHERE datname = %s OR datname LIKE 'lcdb_unmarked%%'"
    with subject.room() as name, subject.admin.connect() as connection:
        with monkeypatch.context() as patched:
            # All that comes after CREATE DATABASE.
            patched.setattr(target_database, "UNFINISHED", None)
            with pytest.raises(TypeError):
                create_database(connection, entry.manifest, name)
        (unmarked,) = connection.execute(names, [name]).fetchall()
        assert unmarked[0].startswith("lcdb_unmarked_")
        create_database(connection, entry.manifest, name)
        assert connection.execute(names, [name]).fetchall() == [(name,)]
        create_database(connection, entry.manifest, name)
