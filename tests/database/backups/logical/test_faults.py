"""What goes wrong while a backup is taken, kept or restored: one clear line, nothing listed as good that is not."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from backups.config import Retention
from backups.drill import logical_drill
from backups.errors import BackupError, BusyError, DamagedError, DumpError, RestoreError, S3Error, WrongKeyError
from backups.logical import pipeline, resume
from backups.logical.backup import run_logical
from backups.logical.catalog import Entry, find_backup, list_backups
from backups.logical.manifest import NAME, Manifest
from backups.logical.resume import run_of
from backups.logical.retention import prune
from backups.logical.source.snapshot import APPLICATION, snapshot_of
from backups.logical.verify import verify
from backups.operations import take_logical
from backups.restoring.restore import restore_logical
from backups.restoring.target_database import drop_database
from backups.storage import multipart
from backups.storage.encryption import Keyring
from backups.storage.object_store import Store
from cli.commands.backup.screen import entry_facts
from tests.support.backed_up import Backed, backed
from tests.support.running.faulty_s3 import faulty
from tests.support.running.s3_servers import STRANGER, S3Server, login_of, seaweedfs
from tests.support.running.servers import Server, docker, impatient, running

pytestmark = pytest.mark.servers("debian")
# A nightly run sets 50.
KILLS = int(os.environ.get("LCDB_TEST_KILLS", "4"))
ROWS = 20_000


@pytest.fixture(scope="module")
def subject(server: Server, s3: S3Server) -> Iterator[Backed]:
    with backed(server, s3.login, rows=ROWS) as backed_up:
        # Enough that does not compress for a multipart upload.
        backed_up.database.execute("CREATE TABLE noise AS SELECT md5(random()::text) FROM generate_series(1, 360000)")
        yield backed_up


@pytest.fixture
def entry(subject: Backed) -> Entry:
    return subject.back_up()


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Multipart uploads of small data, as the real ones are of large."""
    monkeypatch.setattr(multipart, "PART_BYTES", 5 << 20)
    # And small tables that share an object beside chunks that have one of their own.
    monkeypatch.setattr(pipeline, "SMALL_BYTES", 10_000)
    # What was sent is noted soon enough to be taken over from whatever fails here.
    monkeypatch.setattr(resume, "NOTED_BYTES", 1 << 20)


def key_of(entry: Entry, table: str) -> str:
    assert entry.manifest
    return next(part.stored.key for part in entry.manifest.tables if part.full_name == table and part.stored)


def key_of_chunk(entry: Entry) -> str:
    assert entry.manifest
    return next(part.stored.key for part in entry.manifest.tables
                if part.hypertable and part.stored and part.offset is None)


def truncate(subject: Backed, entry: Entry) -> str:
    key = key_of_chunk(entry)
    subject.store.put(key, (subject.store.get(key) or b"")[:-1])
    return key


def flip(subject: Backed, entry: Entry) -> str:
    key = key_of(entry, "public.users")
    data = bytearray(subject.store.get(key) or b"")
    data[len(data) // 2] ^= 1
    subject.store.put(key, bytes(data))
    return key


def swap(subject: Backed, entry: Entry) -> str:
    one, two = key_of(entry, "public.users"), key_of_chunk(entry)
    first, second = subject.store.get(one) or b"", subject.store.get(two) or b""
    subject.store.put(one, second)
    subject.store.put(two, first)
    return one.rsplit("/", 1)[0]


def lose(subject: Backed, entry: Entry) -> str:
    key = key_of(entry, "public.users")
    subject.store.delete([key])
    return key


def lose_structure(subject: Backed, entry: Entry) -> str:
    assert entry.manifest
    subject.store.delete([entry.manifest.structure.key])
    return entry.manifest.structure.key


def forge(subject: Backed, entry: Entry) -> str:
    """Somebody who can write to the bucket alters a row count, and does it well."""
    values = json.loads(subject.store.get(f"{entry.folder}/{NAME}") or b"")
    values["tables"][-1]["rows"] += 1
    subject.store.put(f"{entry.folder}/{NAME}", json.dumps(values).encode())
    return NAME


@pytest.mark.parametrize("damage", [truncate, flip, swap, lose, lose_structure, forge])
def test_damage_is_named_and_a_restore_refuses_before_it_touches_anything(
        subject: Backed, entry: Entry, damage: Callable[[Backed, Entry], str]) -> None:
    named = damage(subject, entry)
    damaged = find_backup(subject.store, entry.database, entry.id)
    with pytest.raises(DamagedError) as caught:
        verify(subject.store, subject.ring, damaged, image=subject.image)
    assert named in str(caught.value)
    assert "\n" not in str(caught.value)
    with subject.room() as name:
        with pytest.raises(DamagedError):
            restore_logical(subject.store, subject.ring, damaged, subject.admin, name, image=subject.image)
        with subject.admin.connect() as connection:
            assert not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
    listed = find_backup(subject.store, entry.database, entry.id)
    assert not replace(listed, verified=listed.damaged).proven
    assert "found damaged" in str(entry_facts(listed)["problem"])


def test_foreign_objects_in_the_bucket_do_not_disturb_backups(subject: Backed, entry: Entry) -> None:
    store, database = subject.store, entry.database
    store.put(f"{database}/logical/notes/{NAME}", b"{}")
    store.put(f"{database}/logical/more notes/read me", b"")
    store.put(f"{entry.folder}/verified/by me.json", b"{}")
    listed = list_backups(store, database)
    assert listed[0].problem
    assert listed[-1].id == find_backup(store, database).id
    assert listed[-1].verified is None
    kept = prune(store, subject.ring, database, Retention(), dry_run=True, now=datetime.now(UTC) + timedelta(days=8))
    assert "notes" in kept.kept
    assert not {"notes", "more notes"} & {*kept.deleted, *kept.cleared}
    store.delete([f"{database}/logical/notes/{NAME}", f"{database}/logical/more notes/read me",
                  f"{entry.folder}/verified/by me.json"])


def test_backups_that_somebody_else_forges_push_none_of_ours_out(subject: Backed, entry: Entry) -> None:
    store, database = subject.store, entry.database
    values, forged = json.loads(store.get(f"{entry.folder}/{NAME}") or b""), list[str]()
    for day in range(1, 20):
        moment = datetime.now(UTC) + timedelta(days=day)
        id_ = f"{moment:%Y%m%dT%H%M%SZ}-aaaaaa"
        text = json.dumps({**values, "id": id_, "started": moment.isoformat()}).encode()
        for name in (NAME, f"verified/{moment:%Y%m%dT%H%M%SZ}.json"):
            store.put(f"{database}/logical/{id_}/{name}", text)
            forged.append(f"{database}/logical/{id_}/{name}")
    # A whole backup of ours in another database's place.
    copy = f"another/logical/{entry.id}"
    for name in (NAME, f"keys/{subject.ring.current}"):
        store.put(f"{copy}/{name}", store.get(f"{entry.folder}/{name}") or b"")
    verify(store, subject.ring, entry, image=subject.image)
    try:
        done = prune(store, subject.ring, database, Retention(), dry_run=True)
        assert entry.id not in done.deleted
        assert done.kept[entry.id].startswith("newest of day")
        assert "no wrapped key" in done.kept[forged[0].split("/")[2]]
        with pytest.raises(DamagedError, match=f"is backup {entry.id} of {database}"):
            verify(store, subject.ring, find_backup(store, "another"))
    finally:
        store.delete([*forged, f"{copy}/{NAME}", f"{copy}/keys/{subject.ring.current}"])


def test_no_image_is_started_that_an_unproven_manifest_names(
        subject: Backed, entry: Entry, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = list[object]()
    monkeypatch.setattr(logical_drill, "find_programs", lambda _, image: asked.append(image))
    assert entry.manifest
    forged = entry.manifest.model_copy(update={
        "server": entry.manifest.server.model_copy(update={"image": "evil:1"})})
    with pytest.raises(BackupError, match="no image is known"):
        logical_drill.run_drill(subject.store, subject.ring, replace(entry, manifest=forged))
    assert asked == [None]


def test_a_half_written_manifest_is_listed_with_its_problem_and_never_taken_for_good(
        subject: Backed, entry: Entry) -> None:
    subject.store.put(f"{entry.folder}/{NAME}", (subject.store.get(f"{entry.folder}/{NAME}") or b"")[:500])
    listed = next(backup for backup in list_backups(subject.store, entry.database) if backup.id == entry.id)
    assert "not a manifest" in str(listed.problem)
    assert not listed.proven
    subject.store.delete([f"{entry.folder}/{NAME}"])


def through(subject: Backed) -> Any:
    return faulty(subject.store.login)


def test_an_overloaded_server_is_asked_again_until_it_answers(subject: Backed) -> None:
    with through(subject) as (login, faults):
        faults.slow_down = 6
        store = replace(subject.store, login=login, patience=30)
        manifest = run_logical(store, subject.ring, subject.source, image=subject.image)
        assert faults.slow_down == 0
    verify(subject.store, subject.ring, find_backup(subject.store, manifest.database, manifest.id), image=subject.image)


def test_a_server_that_goes_away_for_a_while_interrupts_no_backup(subject: Backed) -> None:
    with through(subject) as (login, faults):
        store = replace(subject.store, login=login, patience=30)
        threading.Timer(0.8, lambda: setattr(faults, "away_until", time.monotonic() + 3)).start()
        manifest = run_logical(store, subject.ring, subject.source, image=subject.image)
    verify(subject.store, subject.ring, find_backup(subject.store, manifest.database, manifest.id), image=subject.image)


def test_a_download_that_breaks_off_goes_on_where_it_broke(subject: Backed, entry: Entry) -> None:
    with through(subject) as (login, faults):
        faults.cut, faults.match = 3, "/data/"
        verify(replace(subject.store, login=login), subject.ring, entry, image=subject.image)
        assert faults.cut == 0


@pytest.mark.parametrize(("fault", "code", "words"), [
    ("deny", "AccessDenied", "may not put"), ("deny", "ExpiredToken", "the credentials have expired"),
    ("deny", "RequestTimeTooSkewed", "this machine's clock differs too much"), ("slow_down", "", "SlowDown")])
def test_a_server_that_keeps_refusing_is_one_line_and_nothing_is_listed(
        subject: Backed, fault: str, code: str, words: str) -> None:
    before = [listed.id for listed in list_backups(subject.store, subject.source.database)]
    with through(subject) as (login, faults):
        setattr(faults, fault, 10_000)
        faults.code = code
        faults.match = "PUT"
        with pytest.raises(S3Error) as caught:
            run_logical(replace(subject.store, login=login, patience=2), subject.ring, subject.source,
                        image=subject.image)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert [listed.id for listed in list_backups(subject.store, subject.source.database)] == before


def test_a_refused_part_leaves_no_upload_behind(subject: Backed) -> None:
    with through(subject) as (login, faults):
        faults.deny, faults.match = 1, "partNumber=2"
        with pytest.raises(S3Error, match="may not send part 2"):
            run_logical(replace(subject.store, login=login), subject.ring, subject.source, image=subject.image)
        assert faults.deny == 0
    assert subject.store.list_uploads() == []


def test_a_lost_answer_to_the_end_of_an_upload_is_no_failure(subject: Backed) -> None:
    with through(subject) as (login, faults):
        faults.lose, faults.match = 1, "POST .*uploadId="
        manifest = run_logical(replace(subject.store, login=login), subject.ring, subject.source, image=subject.image)
        assert faults.lose == 0
    verify(subject.store, subject.ring, find_backup(subject.store, manifest.database, manifest.id), image=subject.image)
    assert subject.store.list_uploads() == []


def test_an_upload_that_somebody_aborts_is_one_line_and_nothing_is_listed(subject: Backed) -> None:
    before = [listed.id for listed in list_backups(subject.store, subject.source.database)]
    with through(subject) as (login, faults):
        faults.deny, faults.code, faults.match = 1, "NoSuchUpload", "POST .*uploadId="
        with pytest.raises(S3Error, match="its upload was ended before it was complete") as caught:
            run_logical(replace(subject.store, login=login), subject.ring, subject.source, image=subject.image)
    assert "\n" not in str(caught.value)
    assert [listed.id for listed in list_backups(subject.store, subject.source.database)] == before
    assert subject.store.list_uploads() == []


def test_a_wrong_key_and_a_foreign_bucket_are_one_line_errors(
        subject: Backed, entry: Entry, tmp_path: Path) -> None:
    from backups.storage.encryption import new_key

    with pytest.raises(WrongKeyError, match="add that key to the backup keys"):
        verify(subject.store, Keyring([new_key()]), entry, image=subject.image)
    with seaweedfs(tmp_path) as server:
        server.login.client().create_bucket(Bucket="theirs")
        stranger = login_of(server, STRANGER)
        with pytest.raises(S3Error) as caught:
            run_logical(replace(subject.store, login=stranger, bucket="theirs"), subject.ring, subject.source,
                        image=subject.image)
    assert "may not" in str(caught.value)
    assert "another-secret" not in str(caught.value)


@pytest.mark.needs("mount")
def test_a_full_disk_of_the_s3_server_is_one_line_and_nothing_is_listed(
        subject: Backed, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200m", "none", str(data)], check=True)
    try:
        with seaweedfs(tmp_path) as server:
            server.login.client().create_bucket(Bucket="small")
            server.login.client().put_object(Bucket="small", Key="first", Body=b"x")
            with (data / "ballast").open("wb") as ballast, contextlib.suppress(OSError):
                while True:
                    ballast.write(bytes(2**16))
            store = replace(subject.store, login=server.login, bucket="small", patience=2)
            with pytest.raises(S3Error) as caught:
                run_logical(store, subject.ring, subject.source, image=subject.image)
            assert "\n" not in str(caught.value)
            assert list_backups(store, subject.source.database) == []
    finally:
        subprocess.run(["umount", "--lazy", str(data)], check=True)


def test_a_full_disk_of_the_server_is_one_line_that_says_what_became_of_the_database(
        subject: Backed, entry: Entry, tmp_path: Path) -> None:
    data = docker("exec", str(subject.server.container), "sh", "-c", "echo $PGDATA").strip()
    with running("debian", tmp_path, ["--tmpfs", f"{data}:size=400m"], min_wal_size="160MB") as server:
        with server.admin.connect() as connection:
            # WAL is written into files that are there, so it is the rows that find no room.
            for _ in range(11):
                connection.execute("SELECT pg_logical_emit_message(true, 'lcdb', ''), pg_switch_wal()")
            connection.execute("CHECKPOINT")
        docker("exec", str(server.container), "sh", "-c", f"""
            free=$(df --output=avail -k {data} | tail -1)
            head -c $((free - 30000))k /dev/zero > {data}/ballast""")
        with pytest.raises(RestoreError, match=r"No space left on device.*(dropped again|is still there)") as caught:
            restore_logical(subject.store, subject.ring, entry, server.admin, "restored", image=subject.image)
        assert "\n" not in str(caught.value)
        if "dropped again" in str(caught.value):
            with server.admin.connect() as connection:
                assert not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'restored'").fetchone()
        else:
            # Sometimes the log of the server finds no room either, and it cannot even start again.
            assert docker("inspect", "--format", "{{.State.Running}}", str(server.container)).strip() == "false"


def test_a_server_that_dies_half_way_is_one_line_that_names_what_is_left(
        subject: Backed, entry: Entry, tmp_path: Path) -> None:
    with running("debian", tmp_path) as server:
        def kill(doing: str, _: float) -> None:
            if doing == "rows":
                docker("kill", str(server.container))
        with impatient(), pytest.raises(RestoreError, match="the half-restored restored is still there") as caught:
            restore_logical(subject.store, subject.ring, entry, server.admin, "restored", image=subject.image,
                            listener=kill)
    assert "\n" not in str(caught.value)


def test_an_interruption_before_anything_could_be_sent_ends_at_once(
        subject: Backed, monkeypatch: pytest.MonkeyPatch) -> None:
    before = [listed.id for listed in list_backups(subject.store, subject.source.database)]

    def interrupt(*_: object) -> str:
        time.sleep(1)  # meanwhile rows are read, and wait for the folder
        raise KeyboardInterrupt
    with monkeypatch.context() as patched:
        patched.setattr(Keyring, "wrap", interrupt)
        with pytest.raises(KeyboardInterrupt):
            subject.back_up()
    assert [listed.id for listed in list_backups(subject.store, subject.source.database)] == before
    assert subject.store.list_uploads() == []


@pytest.mark.parametrize("take", [lambda subject: take_logical(subject.config(), verified=False), Backed.back_up])
def test_a_table_can_be_altered_while_the_manifest_is_put_but_no_other_backup_begins(
        subject: Backed, monkeypatch: pytest.MonkeyPatch, take: Callable[[Backed], Manifest | Entry]) -> None:
    put, seen = Store.put, list[str]()

    def alter_first(store: Store, key: str, *rest: Any, **named: Any) -> Any:
        if key.endswith(NAME):
            subject.database.execute("SET lock_timeout = '10s'", "ALTER TABLE noise ALTER COLUMN md5 SET DEFAULT ''")
            with pytest.raises(BusyError), snapshot_of(subject.source):
                pass
            seen.append(key)
        return put(store, key, *rest, **named)
    monkeypatch.setattr(Store, "put", alter_first)
    assert take(subject).id in seen[0]


def test_a_session_that_ended_before_its_snapshot_was_let_go_is_one_line(subject: Backed) -> None:
    with snapshot_of(subject.source) as source:
        with subject.admin.connect() as connection:
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND "
                               "application_name = %s", [subject.source.database, APPLICATION])
        with pytest.raises(DumpError, match=r"ended the session that held the snapshot: .+; run the backup again"
                           ) as caught:
            source.release()
    assert "\n" not in str(caught.value)


TAKE = """
import sys
from pathlib import Path
from backups.logical import resume
from backups.storage import multipart
from backups.config import BackupConfig
from backups.logical.catalog import find_backup
from backups.restoring.restore import restore_logical
from backups.operations import take_logical
multipart.PART_BYTES = 5 << 20
resume.NOTED_BYTES = 1 << 20
config = BackupConfig.from_file(Path(sys.argv[1]))
print("begun", flush=True)
if len(sys.argv) > 2:
    entry = find_backup(config.store(), config.database_name())
    restore_logical(config.store(), config.keyring(), entry, config.administrator(), sys.argv[2], image=config.image)
else:
    take_logical(config)
"""


def killed_after(seconds: float, arguments: list[str], script: str = TAKE) -> int:
    """Run the script and kill it with all it started; its exit status, 0 where it was quicker."""
    with subprocess.Popen([sys.executable, "-c", script, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          start_new_session=True) as process:
        assert process.stdout
        assert process.stdout.readline() == b"begun\n"
        time.sleep(seconds)
        os.killpg(process.pid, signal.SIGKILL)
        return process.wait()


@pytest.fixture
def file(subject: Backed, tmp_path: Path) -> Path:
    return subject.write_settings(tmp_path / "backup.json")


def test_backups_killed_at_random_moments_leave_nothing_that_is_not_good(subject: Backed, file: Path) -> None:
    dice = random.Random(4711)
    for _ in range(KILLS):
        killed_after(dice.uniform(0.05, 3.5), [str(file)])
    entry = subject.back_up()
    assert subject.store.list_uploads() == []
    for backup in list_backups(subject.store, entry.database)[-KILLS - 1:]:
        verify(subject.store, subject.ring, backup, image=subject.image)


# A TLS connection whose other end dies in its handshake is left to the garbage collector by urllib3.
@pytest.mark.filterwarnings(r"ignore:Exception ignored in. <(ssl|socket)\.:pytest.PytestUnraisableExceptionWarning")
def test_an_s3_server_killed_at_random_moments_leaves_nothing_that_is_not_good(
        subject: Backed, tmp_path: Path) -> None:
    dice, database = random.Random(815), subject.source.database
    with seaweedfs(tmp_path) as server:
        server.login.client().create_bucket(Bucket="killed")
        store = replace(subject.store, login=server.login, bucket="killed", patience=20)
        for _ in range(max(1, KILLS // 2)):
            killer = threading.Timer(dice.uniform(0.1, 2.0), server.restart)
            killer.start()
            with contextlib.suppress(BackupError):
                run_logical(store, subject.ring, subject.source, image=subject.image)
            killer.join()
        last = run_logical(store, subject.ring, subject.source, image=subject.image)
        assert store.list_uploads() == []
        listed = list_backups(store, database)
        assert last.id in [backup.id for backup in listed]
        for backup in listed:
            verify(store, subject.ring, backup, image=subject.image)


PRUNE = """
import sys
from pathlib import Path
from backups.config import BackupConfig
from backups.logical.retention import prune
config = BackupConfig.from_file(Path(sys.argv[1]))
config.store().client.list_buckets()
print("begun", flush=True)
prune(config.store(), config.keyring(), config.database_name(), config.retention)
"""


def test_a_prune_killed_at_random_moments_leaves_complete_backups_and_the_next_one_continues(
        subject: Backed, file: Path) -> None:
    dice = random.Random(7)
    own_ids: set[str] = set()
    for _ in range(max(1, KILLS // 2)):
        taken = [subject.back_up() for _ in range(2)]
        own_ids.update(backup.id for backup in taken)
        kept = taken[-1]
        verify(subject.store, subject.ring, kept, image=subject.image)
        killed_after(dice.uniform(0.0, 0.5), [str(file)], PRUNE)
        # Others have damaged backups of theirs on purpose.
        for backup in (backup for backup in list_backups(subject.store, kept.database) if backup.id in own_ids):
            verify(subject.store, subject.ring, backup, image=subject.image)
    config = subject.config()
    prune(subject.store, subject.ring, kept.database, config.retention)
    # What was half deleted is cleared once no run can be at it any more.
    prune(subject.store, subject.ring, kept.database, config.retention, now=datetime.now(UTC) + timedelta(days=8))
    left = list_backups(subject.store, kept.database)
    assert kept.id in [backup.id for backup in left]
    # With the folders of killed runs that those that are left took objects from.
    under = f"{kept.database}/logical/"
    named = {run_of(stored.key, under) for backup in left if backup.manifest for stored in backup.manifest.objects()}
    assert set(subject.store.folders(under)) == named | {backup.id for backup in left}


def test_a_killed_restore_starts_again_under_the_same_name(
        subject: Backed, entry: Entry, file: Path) -> None:
    dice = random.Random(42)
    with subject.room() as name:
        for _ in range(max(1, KILLS // 2)):
            killed_after(dice.uniform(1.0, 3.0), [str(file), name])
            with subject.admin.connect() as connection:
                # What runs in a container of its own does not die with its client; nor would a session of psql.
                connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        with subject.admin.connect() as connection:
            finished = connection.execute(
                "SELECT 1 FROM pg_database d WHERE datname = %s AND NOT EXISTS (SELECT FROM pg_db_role_setting s,"
                " unnest(setconfig) c WHERE s.setdatabase = d.oid AND c LIKE 'lifecompanion.restoring=%%')",
                [name]).fetchone()
            if finished:
                drop_database(connection, name)
        done = restore_logical(subject.store, subject.ring, entry, subject.admin, name, image=subject.image)
        assert done.rows == entry.manifest.rows  # type: ignore[union-attr]


def test_a_server_that_ends_the_session_half_way_is_one_line(subject: Backed) -> None:
    stop = threading.Event()

    def end_sessions() -> None:
        with subject.admin.connect() as connection:
            while not stop.is_set():
                connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND "
                                   "query LIKE 'COPY %%'", [subject.source.database])
                time.sleep(0.001)

    ender = threading.Thread(target=end_sessions)
    ender.start()
    try:
        with pytest.raises(DumpError) as caught:
            run_logical(subject.store, subject.ring, subject.source, image=subject.image)
    finally:
        stop.set()
        ender.join()
    # With the server's own words, unless it had no room left to send them.
    assert "the server ended before the last row" in str(caught.value)
    assert "\n" not in str(caught.value)
    subject.back_up()


