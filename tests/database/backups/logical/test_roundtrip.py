"""A logical backup is taken, read back, restored and equal to the byte, on both editions."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from backups.drill import logical_drill
from backups.drill.comparison import compare
from backups.drill.logical_drill import Drill, check_schema, read_drills, run_drill
from backups.errors import BackupError, BusyError, RestoreError, WrongKeyError
from backups.logical.backup import run_logical
from backups.logical.catalog import Entry, find_backup, has_verified_backup, list_backups, open_backup, rewrap
from backups.logical.reader import Opened
from backups.logical.source.snapshot import snapshot_of
from backups.logical.verify import verify
from backups.monitoring.status import read_status, render_metrics
from backups.operations import replace_live
from backups.restoring.held_jobs import release_jobs
from backups.restoring.restore import restore_logical
from backups.restoring.target_database import create_database, require_fit
from backups.schedule import run_due
from backups.storage.encryption import Keyring, new_key
from cli.declarations import Source, find_declared
from schema.model.change.step import Hazard
from tests.support.backed_up import Backed, backed
from tests.support.running.s3_servers import S3Server
from tests.support.running.servers import Server, docker
from tests.support.writers import everybody_writes, writing

pytestmark = [pytest.mark.servers("official", "debian"), pytest.mark.repeats("debian")]


@pytest.fixture(scope="module")
def subject(server: Server, s3: S3Server) -> Iterator[Backed]:
    with backed(server, s3.login) as backed_up:
        yield backed_up


@pytest.fixture(scope="module")
def entry(subject: Backed) -> Entry:
    return subject.back_up()


def counts(address: object, *tables: str) -> list[int]:
    with address.connect() as connection:  # type: ignore[attr-defined]
        connection.execute("SET search_path = public")
        return [connection.execute(f'SELECT count(*) FROM {table}').fetchone()[0] for table in tables]


@pytest.mark.repeats
def test_the_manifest_says_what_was_backed_up(subject: Backed, entry: Entry) -> None:
    manifest = entry.manifest
    assert manifest
    assert manifest.server.edition == ("timescale" if subject.server.community else "apache")
    assert manifest.server.postgresql.startswith("17.")
    assert manifest.server.image == subject.image
    assert str(manifest.server.image_digest).startswith("sha256:")
    assert manifest.server.image_digest == subject.digest
    readings = manifest.hypertables()["public.environmental_readings"]
    assert len(readings) >= 11
    by_chunk = sum(table.rows for table in readings)
    compressed = [table for table in readings if table.compressed]
    if subject.server.community:
        assert len(compressed) == 2
        assert len(manifest.jobs) >= 3
    else:
        assert by_chunk == counts(subject.source, "environmental_readings")[0]
    assert {"public.users": 20, "public.devices": 50}.items() <= {t.full_name: t.rows for t in manifest.tables}.items()
    assert all(re.fullmatch("[0-9a-f]{64}", stored.sha256) for stored in manifest.objects())


@pytest.mark.repeats
def test_the_restored_database_is_equal_to_the_byte_and_sequences_go_on(subject: Backed, entry: Entry) -> None:
    assert entry.manifest
    with subject.room() as name:
        done = restore_logical(subject.store, subject.ring, entry, subject.admin, name, image=subject.image)
        restored = replace(subject.admin, database=name)
        opened = Opened(subject.store, *open_backup(subject.store, subject.ring, entry))
        assert compare(entry.manifest, restored, image=subject.image, opened=opened).differences == []
        tables = ("environmental_readings", "users", '"Odd name"', *(("hourly",) if subject.server.community else ()))
        assert counts(restored, *tables) == counts(subject.source, *tables)
        assert done.rows == entry.manifest.rows
        with restored.connect() as connection:
            connection.execute("SET search_path = public")
            assert connection.execute("INSERT INTO devices (user_id, type, mac_address, mqtt_topic) VALUES "
                                      "(1, 'x', '02:00:00:00:01:01', 'x') RETURNING id").fetchone() == (51,)
            # A row of a new week makes a chunk, and its number is none that was taken.
            connection.execute("INSERT INTO environmental_readings (device_id, measured_at) VALUES (1, now() + "
                               "interval '60 days')")


def test_a_restored_database_has_the_statistics_that_analyze_makes(subject: Backed, entry: Entry) -> None:
    query = ("SELECT starelid::regclass, staattnum, stainherit FROM pg_statistic JOIN pg_class c ON c.oid = starelid "
             "WHERE NOT relisshared")
    with subject.room() as name:
        restore_logical(subject.store, subject.ring, entry, subject.admin, name, image=subject.image)
        with replace(subject.admin, database=name).connect() as connection:
            statistics = set(connection.execute(query.encode()).fetchall())
            assert ("public.environmental_readings", 3, True) in statistics
            connection.execute("ANALYZE")
            assert set(connection.execute(query.encode()).fetchall()) == statistics


def test_restored_rows_come_frozen_so_that_no_vacuum_writes_their_pages_again(subject: Backed, entry: Entry) -> None:
    assert entry.manifest
    full = {table.full_name for table in entry.manifest.tables if table.rows and not table.extension}
    with subject.room() as name:
        restore_logical(subject.store, subject.ring, entry, subject.admin, name, image=subject.image)
        with replace(subject.admin, database=name).connect() as connection:
            connection.execute("SET search_path = ''")
            pages = {row[0]: row[1:] for row in connection.execute(
                "SELECT oid::regclass::text, relpages, relallvisible FROM pg_class WHERE relkind = 'r'")}
            seen = [pages[table] for table in full]
            # Not quite all: the server marks a page where it begins one with several rows at once.
            assert sum(marked for _, marked in seen) > 0.7 * sum(all_ for all_, _ in seen) > 100


@pytest.mark.repeats
@pytest.mark.parametrize("provider", [
    "icu ICU_LOCALE 'de-u-kn-true' ICU_RULES '&b < a'", "builtin BUILTIN_LOCALE 'C.UTF-8'"])
def test_a_restored_database_sorts_text_as_its_source(subject: Backed, provider: str) -> None:
    asked = ("SELECT datlocprovider, datlocale, daticurules FROM pg_database WHERE datname = current_database()",
             "SELECT word FROM public.words ORDER BY 1")
    with subject.room() as source, subject.room() as name, subject.admin.connect() as server:
        server.execute(sql.SQL(  # the words are those above
            f"CREATE DATABASE {{}} TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C' LOCALE_PROVIDER {provider}"
            ).format(sql.Identifier(source)))  # type: ignore[arg-type]
        address = replace(subject.admin, database=source)
        with address.connect() as connection:
            connection.execute("CREATE TABLE public.words AS SELECT unnest(ARRAY['n10', 'n9', 'b', 'a']) AS word")
            wanted = [connection.execute(query.encode()).fetchall() for query in asked]
        entry = find_backup(subject.store, source, run_logical(subject.store, subject.ring, address).id)
        restore_logical(subject.store, subject.ring, entry, subject.admin, name, image=subject.image)
        with replace(subject.admin, database=name).connect() as connection:
            assert [connection.execute(query.encode()).fetchall() for query in asked] == wanted


@pytest.mark.repeats
def test_a_locale_that_the_server_lacks_is_one_line(subject: Backed, entry: Entry) -> None:
    assert entry.manifest
    server = entry.manifest.server.model_copy(update={"collate": "xx_XX.UTF-8"})
    message = "cannot be made .*xx_XX.UTF-8.*; nothing was touched$"
    with subject.room() as name, subject.admin.connect() as admin, pytest.raises(RestoreError, match=message):
        create_database(admin, entry.manifest.model_copy(update={"server": server}), name)


def test_large_objects_and_what_materialized_views_hold_are_restored(subject: Backed) -> None:
    subject.database.execute(
        "CREATE TABLE pictures AS SELECT lo_from_bytea(0, 'a picture'::bytea) AS picture",
        # The first reads the second by name only once it is replaced: it comes first in any order of making.
        "CREATE VIEW between AS SELECT 0::bigint AS n",
        "CREATE MATERIALIZED VIEW above AS SELECT n + 1 AS n FROM between",
        "CREATE MATERIALIZED VIEW below AS SELECT count(*) AS n FROM users",
        "CREATE OR REPLACE VIEW between AS SELECT n FROM below", "REFRESH MATERIALIZED VIEW above",
        "CREATE FUNCTION fails() RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint'",
        "CREATE MATERIALIZED VIEW broken AS SELECT fails() AS n",
        "CREATE OR REPLACE FUNCTION fails() RETURNS bigint LANGUAGE plpgsql AS $$BEGIN RAISE 'not here'; END$$")
    try:
        entry = subject.back_up()
        with subject.room() as name:
            done = restore_logical(subject.store, subject.ring, entry, subject.admin, name, image=subject.image)
            assert done.unfilled == ["public.broken: not here"]
            with replace(subject.admin, database=name).connect() as connection:
                assert connection.execute("SELECT above.n, below.n FROM public.above, public.below"
                                          ).fetchone() == (21, 20)
                assert connection.execute("SELECT convert_from(lo_get(picture), 'UTF8') FROM public.pictures"
                                          ).fetchone() == ("a picture",)
    finally:
        subject.database.execute("SELECT lo_unlink(picture) FROM pictures", "DROP TABLE pictures",
                                 "DROP MATERIALIZED VIEW broken, above", "DROP VIEW between",
                                 "DROP MATERIALIZED VIEW below", "DROP FUNCTION fails")


def test_rows_in_another_order_are_the_same_rows_and_a_changed_one_is_not(subject: Backed, entry: Entry) -> None:
    assert entry.manifest
    opened = Opened(subject.store, *open_backup(subject.store, subject.ring, entry))
    with subject.room() as name:
        restore_logical(subject.store, subject.ring, entry, subject.admin, name, image=subject.image)
        restored = replace(subject.admin, database=name)
        with restored.connect() as connection:
            connection.execute("SET session_replication_role = replica")
            connection.execute("UPDATE public.users SET name = name WHERE id = 1")  # its new version comes last
            strict = compare(entry.manifest, restored, image=subject.image).differences
            assert strict == ["public.users: 20 rows as required, but their content differs"]
            assert compare(entry.manifest, restored, image=subject.image, opened=opened).differences == []
            connection.execute("UPDATE public.users SET name = name || '.' WHERE id = 2")
            assert compare(entry.manifest, restored, image=subject.image, opened=opened).differences == strict


def test_restored_jobs_do_not_run_until_they_are_released(subject: Backed, entry: Entry) -> None:
    if not subject.server.community:
        pytest.skip("the apache edition has no jobs")
    with subject.room() as name:
        done = restore_logical(subject.store, subject.ring, entry, subject.admin, name, image=subject.image)
        restored = replace(subject.admin, database=name)
        jobs = len(entry.manifest.jobs)  # type: ignore[union-attr]
        assert len(done.held_jobs) == jobs >= 3
        scheduled = "SELECT count(*) FROM timescaledb_information.jobs WHERE scheduled AND job_id >= 1000"
        with restored.connect() as connection:
            assert connection.execute(scheduled).fetchone() == (0,)
            assert release_jobs(restored) == list(done.held_jobs)
            assert connection.execute(scheduled).fetchone() == (jobs,)
        assert check_schema(restored, "timestamp") == []
        with pytest.raises(RestoreError, match="holds no jobs back"):
            release_jobs(restored)


@pytest.mark.servers("debian")
def test_owner_grants_and_settings_of_the_database_are_restored(subject: Backed) -> None:
    with subject.source.connect() as connection:
        name = subject.source.database
        connection.execute(f"ALTER DATABASE {name} SET work_mem = '7MB'; REVOKE CONNECT ON DATABASE {name} FROM PUBLIC;"
                           .encode())
    entry = subject.back_up()
    with subject.room() as room:
        restore_logical(subject.store, subject.ring, entry, subject.admin, room, image=subject.image)
        with replace(subject.admin, database=room).connect() as connection:
            assert connection.execute("SHOW work_mem").fetchone() == ("7MB",)
            assert connection.execute("SELECT has_database_privilege('public', current_database(), 'CONNECT'), "
                                      "has_database_privilege('test_owner', current_database(), 'CREATE')"
                                      ).fetchone() == (False, True)


def test_settings_that_are_lists_and_those_of_roles_are_the_same_again(subject: Backed) -> None:
    name = sql.Identifier(subject.source.database)
    role = sql.Identifier(f"Role of {subject.source.database}")
    settings = ("SELECT rolname::text, unnest(setconfig) FROM pg_db_role_setting LEFT JOIN pg_roles ON pg_roles.oid ="
                " setrole WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())"
                " ORDER BY 1, 2")
    path = sql.SQL("SET search_path = public, \"Odd, \"\"S\", \"$user\"")
    with subject.admin.connect() as connection:
        connection.execute(sql.SQL("CREATE ROLE {}").format(role))
        for place, setting in (
                (sql.SQL("DATABASE {}").format(name), path),
                (sql.SQL("DATABASE {}").format(name), sql.SQL("SET temp_tablespaces = pg_default, ''")),
                (sql.SQL("DATABASE {}").format(name), sql.SQL("SET datestyle = 'German, DMY'")),
                (sql.SQL("DATABASE {}").format(name), sql.SQL("SET foo.bar = 'a, b'")),
                (sql.SQL("ROLE {} IN DATABASE {}").format(role, name), path),
                (sql.SQL("ROLE {} IN DATABASE {}").format(role, name), sql.SQL("SET statement_timeout = '5s'"))):
            connection.execute(sql.SQL("ALTER {} {}").format(place, setting))
    try:
        with subject.source.connect() as connection:
            before = connection.execute(settings.encode()).fetchall()
        entry = subject.back_up()
        with subject.admin.connect() as connection:
            connection.execute(sql.SQL("ALTER ROLE {} IN DATABASE {} RESET ALL").format(role, name))
            connection.execute(sql.SQL("DROP ROLE {}").format(role))
        with subject.room() as room:
            done = restore_logical(subject.store, subject.ring, entry, subject.admin, room, image=subject.image)
            assert list(done.new_roles) == [f"Role of {subject.source.database}"]
            with replace(subject.admin, database=room).connect() as connection:
                restored = connection.execute(settings.encode()).fetchall()
        assert [row for row in restored if not row[1].startswith("lifecompanion.")] == before
    finally:
        with subject.admin.connect() as connection:
            connection.execute(sql.SQL("ALTER DATABASE {} RESET ALL").format(name))
            connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(role))


@pytest.mark.servers("debian")
def test_the_snapshot_is_one_and_writers_are_not_kept_waiting(subject: Backed) -> None:
    work = {"pairs": "WITH a AS (INSERT INTO public.pairs_a VALUES (1)) INSERT INTO public.pairs_b VALUES (1)"}
    with subject.source.connect() as connection:
        connection.execute("CREATE TABLE public.pairs_a (n int); CREATE TABLE public.pairs_b (n int)")
        try:
            with writing(subject.source, tuple(work), every=0.005, statements=work) as writers:
                everybody_writes(writers, work)
                since = time.monotonic()
                entry = subject.back_up()
                until = time.monotonic()
        finally:
            connection.execute("DROP TABLE public.pairs_a, public.pairs_b")
    assert writers.failures == []
    assert writers.within(since, until) == set(work)
    assert entry.manifest
    rows = {table.name: table.rows for table in entry.manifest.tables}
    assert rows["pairs_a"] == rows["pairs_b"] > 0


def test_two_backups_of_one_database_never_overlap(subject: Backed) -> None:
    with snapshot_of(subject.source), pytest.raises(BusyError, match="another backup of it is being taken"):
        run_logical(subject.store, subject.ring, subject.source, image=subject.image)


def drops_are_backed_up(subject: Backed, folder: Path, monkeypatch: pytest.MonkeyPatch) -> bool:
    """What `lcdb schema apply --allow drops_table` makes of the bucket."""
    file = folder / "backup.json"
    file.touch(mode=0o600)
    file.write_text(json.dumps({"bucket": subject.store.bucket, "s3": subject.store.login.to_dict(),
                                "keys": [subject.key], "database": subject.source.to_dict()}))
    monkeypatch.setenv("LCDB_BACKUP_CONFIG", str(file))
    assert not find_declared(None, Source(None)).options.backed_up
    return find_declared(None, Source(None), allow=[Hazard.DROPS_TABLE]).options.backed_up


def test_verifying_makes_it_a_proven_backup_and_a_drill_shows_it(
        subject: Backed, entry: Entry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, database = subject.store, entry.database
    assert not drops_are_backed_up(subject, tmp_path, monkeypatch)
    assert verify(store, subject.ring, entry, image=subject.image).id == entry.id
    assert has_verified_backup(store, database, timedelta(hours=1))
    assert not has_verified_backup(store, database, timedelta(0))
    # ... which is what lets the schema engine drop a table with rows without a second allowance.
    assert drops_are_backed_up(subject, tmp_path, monkeypatch)
    done = run_drill(store, subject.ring, find_backup(store, database, entry.id), image=subject.image,
                     admin=subject.admin)
    # Two tables are the test's own, which nobody declares.
    assert [problem for problem in done.problems if "hourly" not in problem] == []
    assert done.tables_compared > 15
    assert set(done.jobs.values()) == ({"ok"} if subject.server.community else set())
    assert read_drills(store, database)[-1]["passed"] is True
    pages = [key for key, _ in store.objects(f"{database}/") if key.endswith(".html")]
    assert b"<svg" in (store.get(pages[-1]) or b"")


@pytest.mark.servers("debian")
def test_a_drill_removes_what_a_killed_one_left_and_never_what_another_one_is_at(subject: Backed, entry: Entry) -> None:
    def run() -> Drill:
        return run_drill(subject.store, subject.ring, entry, image=subject.image, admin=subject.admin)

    left = f"{logical_drill.NAME}_{entry.id[-6:]}"
    with subject.admin.connect() as connection:
        connection.execute(f'CREATE DATABASE "{left}"'.encode())
        connection.execute("SELECT pg_advisory_lock(%s)", [logical_drill.LOCK])
        with pytest.raises(BusyError, match="another drill is going on"):
            run()
        assert connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [left]).fetchone()
        connection.execute("SELECT pg_advisory_unlock_all()")
    assert [problem for problem in run().problems if "is there already" in problem] == []


@pytest.mark.servers("debian")
def test_status_metrics_and_an_age_limit(subject: Backed, entry: Entry) -> None:
    verify(subject.store, subject.ring, entry, image=subject.image)
    fine = read_status(subject.store, entry.database, timedelta(hours=2))
    assert fine.problem is None
    assert f'lcdb_backup_ok{{database="{entry.database}",kind="logical"}} 1.000' in render_metrics([fine])
    assert "required at most 0 h" in str(read_status(subject.store, entry.database, timedelta(0)).problem)
    assert "found no verified backup" in str(read_status(subject.store, "nobody", timedelta(1)).problem)


@pytest.mark.servers("debian")
def test_a_missed_run_is_replaced_once(subject: Backed) -> None:
    config, lines = subject.config(schedule=[{"kind": "logical", "cron": "0 0 1 * *"}, {"kind": "prune",
                                                                                     "cron": "* * * * *"}]), list[str]()
    assert run_due(config, lines.append) == []
    before = len(list_backups(subject.store, subject.source.database))
    assert before > 0
    assert any("prune: deleted" in line for line in lines)
    assert run_due(config, lines.append) == []
    assert len(list_backups(subject.store, subject.source.database)) == before


@pytest.mark.servers("debian")
def test_a_backup_that_a_scheduled_drill_did_not_prove_is_not_drilled_again_before_a_newer_one_exists(
        subject: Backed) -> None:
    database, yearly = subject.source.database, [{"kind": "drill", "cron": "0 0 1 1 *"}]
    # The columns are of the other kind, so the plan is not empty.
    wrong, lines = subject.config(schedule=yearly, timestamps="timestamptz"), list[str]()
    first = subject.back_up()
    before = len(read_drills(subject.store, database))
    assert run_due(wrong, lines.append) == ["drill"]
    assert run_due(wrong, lines.append) == ["drill"]
    assert len(read_drills(subject.store, database)) == before + 1
    assert f"drill: FAILED: drill of {first.id}: not proven: schema: " in lines[1]
    assert lines[3].startswith(f"drill: FAILED: drill of {first.id}: not proven on 2")
    second = subject.back_up()
    assert run_due(subject.config(schedule=yearly), lines.append) == []
    assert lines[-1].startswith(f"drill: backup {second.id} proven, recovered in ")
    assert run_due(subject.config(schedule=yearly), lines.append) == []
    assert (len(read_drills(subject.store, database)), len(lines)) == (before + 2, 6)


@pytest.mark.servers("debian")
def test_keys_are_rotated_without_writing_a_backup_again(subject: Backed, entry: Entry) -> None:
    new = new_key()
    rings = Keyring([new]), Keyring([new, subject.key])
    with pytest.raises(WrongKeyError, match=f"encrypted with key {subject.ring.current}, found {rings[0].current}"):
        open_backup(subject.store, rings[0], entry)
    assert entry.id in rewrap(subject.store, rings[1], entry.database)
    assert open_backup(subject.store, rings[0], entry)[0].id == entry.id
    # What somebody wrote over is put anew; one that nothing opens keeps no other from its new key.
    key = f"{entry.folder}/keys/{rings[0].current}"
    subject.store.put(key, b"garbage")
    assert open_backup(subject.store, rings[1], entry)[0].id == entry.id
    lost = subject.back_up()
    subject.store.put(f"{lost.folder}/keys/{subject.ring.current}", b"garbage")
    with pytest.raises(BackupError, match=f"too: 1 backups; not: 1, .*{lost.id}: its wrapped key was changed"):
        rewrap(subject.store, rings[1], entry.database)
    assert open_backup(subject.store, rings[0], entry)[0].id == entry.id
    subject.store.delete([f"{lost.folder}/manifest.json"])
    assert rewrap(subject.store, rings[1], entry.database) == []


def test_an_existing_database_is_never_overwritten_by_a_restore(subject: Backed, entry: Entry) -> None:
    with pytest.raises(RestoreError, match="is there already, and a restore overwrites nothing"):
        restore_logical(subject.store, subject.ring, entry, subject.admin, subject.source.database, image=subject.image)
    assert counts(subject.source, "users") == [20]


@pytest.mark.repeats
def test_a_server_that_does_not_fit_is_refused_before_anything_is_touched(subject: Backed, entry: Entry) -> None:
    assert entry.manifest
    server = entry.manifest.server
    for change, words in (({"timescaledb": "1.0", "extensions": {**server.extensions, "timescaledb": "1.0"}},
                           "required exactly 1.0"), ({"server_version": 990000}, "required 99 or later"),
                          ({"extensions": {"no_such": "1"}}, "extension no_such found none")):
        other = entry.manifest.model_copy(update={"server": server.model_copy(update=change)})
        _, data_key = open_backup(subject.store, subject.ring, entry)
        misfit = replace(entry, manifest=other.with_seal(data_key))
        with subject.room() as name, pytest.raises(RestoreError, match=words):
            restore_logical(subject.store, subject.ring, misfit, subject.admin, name, image=subject.image)
        with subject.admin.connect() as connection:
            assert not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()


def test_a_server_without_the_extension_in_the_administrator_s_database_fits(subject: Backed, entry: Entry) -> None:
    assert entry.manifest
    community = entry.manifest.server.model_copy(update={"edition": "timescale"})
    manifest = entry.manifest.model_copy(update={"server": community})
    with subject.room() as name:
        with subject.admin.connect() as connection:
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
        with replace(subject.admin, database=name).connect() as connection:
            if subject.server.community:
                require_fit(manifest, connection)
                connection.execute("SET timescaledb.license = 'apache'")
            with pytest.raises(RestoreError, match="edition found apache, required timescale"):
                require_fit(manifest, connection)


@pytest.mark.servers("debian")
def test_a_live_database_is_replaced_after_a_fresh_backup_and_stays_aside(subject: Backed) -> None:
    with backed(subject.server, subject.store.login, rows=500) as other:
        entry = other.back_up()
        other.database.execute("DELETE FROM environmental_readings WHERE device_id < 25", "DELETE FROM \"Odd name\"")
        live = other.source.database
        done, aside = replace_live(other.config(), other.admin, entry, f"{live}_new", image=other.image)
        try:
            assert done.database == live
            assert counts(other.source, "environmental_readings", '"Odd name"') == [500, 4]
            assert counts(replace(other.source, database=aside), '"Odd name"') == [0]
            assert len(list_backups(other.store, live)) == 2
        finally:
            with other.admin.connect() as connection:
                connection.execute(f'DROP DATABASE "{aside}" WITH (FORCE)'.encode())


SWAP = """
import json, sys
from backups.restoring.target_database import swap_names
from schema.connection import Address
admin, *names = json.load(sys.stdin)
swap_names(Address.from_dict(admin), *names)
"""


@pytest.mark.servers("debian")
def test_a_swap_of_names_that_is_killed_leaves_both_databases_open_under_their_own(subject: Backed) -> None:
    with subject.room() as live, subject.room() as restored, subject.admin.connect() as admin:
        for name in (live, restored):
            admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
        with replace(subject.admin, database=live).connect() as session:
            # One that does not end when it is told to keeps the swap waiting.
            pid = str(session.info.backend_pid)
            docker("exec", str(subject.server.container), "sh", "-c", f"kill -STOP {pid}")
            try:
                with subprocess.Popen([sys.executable, "-c", SWAP], stdin=subprocess.PIPE, text=True) as process:
                    assert process.stdin
                    process.stdin.write(json.dumps([subject.admin.to_dict(), restored, live, "aside"]))
                    process.stdin.close()
                    renaming = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'ALTER DATABASE%RENAME%'"
                    while admin.execute(renaming).fetchone() == (0,):
                        assert process.poll() is None
                    process.kill()
            finally:
                docker("exec", str(subject.server.container), "sh", "-c", f"kill -CONT {pid}")
        for name in (live, restored):
            with replace(subject.admin, database=name).connect() as connection:
                assert connection.execute("SELECT datname, datallowconn FROM pg_database WHERE datname = "
                                          "current_database()").fetchone() == (name, True)


@pytest.mark.servers("debian")
def test_commands_speak_json_and_keep_secrets_to_themselves(subject: Backed, entry: Entry, tmp_path: Path) -> None:
    file = tmp_path / "backup.json"
    values = {"bucket": subject.store.bucket, "s3": subject.store.login.to_dict(), "keys": [subject.key],
              "image": subject.image, "database": subject.source.to_dict(), "admin": subject.admin.to_dict()}
    file.write_text(json.dumps(values))
    file.chmod(0o600)

    def lcdb(*words: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run([sys.executable, "-c", "from cli import main; main()", "backup", *words, "--config",
                               str(file)], capture_output=True, text=True, check=False, env={**os.environ})
        for secret in (subject.key, str(subject.store.login.secret_key), subject.admin.password):
            assert secret not in done.stdout + done.stderr
        return done

    taken = json.loads(lcdb("run", "--json").stdout)
    assert json.loads(lcdb("list", "--json").stdout)[-1]["id"] == taken["id"]
    assert json.loads(lcdb("show", taken["id"], "--json").stdout)["verified"]
    assert "1 week" not in lcdb("list").stdout
    assert lcdb("status").returncode == 0
    assert "lcdb_backup_ok" in lcdb("status", "--prometheus").stdout
    refused = lcdb("verify", "19990101")
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    with subject.room() as name:
        done = json.loads(lcdb("restore", taken["id"], "--into", name, "--json").stdout)
        assert done["database"] == name


def test_no_time_limit_of_the_administrator_ends_a_restore(subject: Backed) -> None:
    with subject.admin.connect() as connection:
        connection.execute("DROP ROLE IF EXISTS test_hasty")
        connection.execute("CREATE ROLE test_hasty SUPERUSER LOGIN PASSWORD 'hasty-password'")
        connection.execute("ALTER ROLE test_hasty SET statement_timeout = '5ms'")
    hasty = replace(subject.admin, user="test_hasty", password="hasty-password")
    with pytest.raises(psycopg.errors.QueryCanceled), hasty.connect() as connection:
        connection.execute("SELECT pg_sleep(1)")
    entry = subject.back_up()
    with subject.room() as name:
        assert restore_logical(subject.store, subject.ring, entry, hasty, name, image=subject.image).rows > 0


def test_a_login_that_may_not_read_a_table_is_one_line(subject: Backed) -> None:
    with subject.source.connect() as connection:
        connection.execute("DROP ROLE IF EXISTS test_blind")
        connection.execute("CREATE ROLE test_blind LOGIN PASSWORD 'blind-password'")
        connection.execute(f"GRANT CONNECT ON DATABASE {subject.source.database} TO test_blind".encode())
    blind = replace(subject.source, user="test_blind", password="blind-password")
    with pytest.raises(BackupError) as caught:
        run_logical(subject.store, subject.ring, blind, image=subject.image)
    assert "permission denied" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_role_backup_needs_to_read_everything_and_nothing_more(subject: Backed) -> None:
    with subject.source.connect() as connection:
        connection.execute("DROP ROLE IF EXISTS test_rows_reader")
        connection.execute("CREATE ROLE test_rows_reader LOGIN PASSWORD 'reader-password' IN ROLE pg_read_all_data")
        connection.execute(f"GRANT CONNECT ON DATABASE {subject.source.database} TO test_rows_reader".encode())
    reader = replace(subject.source, user="test_rows_reader", password="reader-password")
    assert run_logical(subject.store, subject.ring, reader, image=subject.image).rows > 0


@pytest.mark.servers("debian")
def test_bucket_login_and_key_alone_are_enough_on_an_empty_machine(
        subject: Backed, entry: Entry, tmp_path: Path) -> None:
    file = tmp_path / "backup.json"
    file.write_text(json.dumps({"bucket": subject.store.bucket, "s3": subject.store.login.to_dict(),
                                "keys": [subject.key], "name": entry.database}))
    file.chmod(0o600)
    admin = subject.admin
    dsn = f"postgresql://{admin.user}:{admin.password}@{admin.host}:{admin.port}/postgres?sslmode=disable"
    with subject.room() as name:
        done = subprocess.run(
            [sys.executable, "-c", "from cli import main; main()", "backup", "restore", entry.id, "--into", name,
             "--config", str(file), "--json"], capture_output=True, text=True, check=False,
            env={**os.environ, "LCDB_DSN": dsn})
        assert done.returncode == 0, done.stderr
        assert counts(replace(admin, database=name), "users") == [20]
