"""What an interrupted upload had sent is not sent again, and what comes of it is the backup of the later snapshot."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from backups.config import Retention
from backups.drill.comparison import compare
from backups.errors import BusyError, DumpError, S3Error
from backups.logical import backup, pipeline, resume, work_queue
from backups.logical.catalog import Entry, list_backups, open_backup
from backups.logical.manifest import NAME
from backups.logical.reader import Opened
from backups.logical.resume import SENT
from backups.logical.retention import prune
from backups.logical.verify import verify
from backups.restoring.restore import restore_logical
from backups.storage import multipart
from backups.storage.encryption import Keyring, new_key
from backups.storage.object_store import Store
from tests.support.backed_up import Backed, backed, tries_while_busy
from tests.support.running.s3_servers import S3Server
from tests.support.running.servers import Server

pytestmark = [pytest.mark.servers("official", "debian"), pytest.mark.repeats("debian")]
NOISE = "CREATE TABLE public.{} AS SELECT g AS id, md5(random()::text) AS noise FROM generate_series(1, {}) g"


@pytest.fixture(scope="module")
def source(server: Server, s3: S3Server) -> Iterator[Backed]:
    with backed(server, s3.login, rows=4_000) as backed_up:
        yield backed_up


@pytest.fixture
def subject(source: Backed, monkeypatch: pytest.MonkeyPatch) -> Iterator[Backed]:
    """Two tables with objects of their own, one of them in parts; every object that is sent is noted at once."""
    monkeypatch.setattr(multipart, "PART_BYTES", 5 << 20)
    monkeypatch.setattr(pipeline, "SMALL_BYTES", 10_000)
    monkeypatch.setattr(work_queue, "LEAST_BYTES", 1 << 20)
    monkeypatch.setattr(resume, "NOTED_BYTES", 1)
    source.database.execute(NOISE.format("still", 60_000), NOISE.format("changing", 12_000))
    yield source
    source.database.execute("DROP TABLE public.still, public.changing")
    source.store.delete([key for key, _ in source.store.objects(f"{source.source.database}/")])


@pytest.fixture
def sent(subject: Backed, monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """The objects that are sent from now on, and their sizes."""
    sizes: dict[str, int] = {}
    finish = multipart.Upload.finish

    def note(self: multipart.Upload) -> Any:
        stored = finish(self)
        sizes[stored.key.rsplit("/", 1)[1]] = stored.bytes
        return stored
    monkeypatch.setattr(multipart.Upload, "finish", note)
    return sizes


def interrupt(subject: Backed, monkeypatch: pytest.MonkeyPatch, ring: Keyring | None = None, before: str = NAME) -> str:
    """A run that ends when all is sent but the manifest, or before another object; its id."""
    put = Store.put

    def refuse(store: Store, key: str, *rest: Any, **more: Any) -> None:
        if key.endswith(f"/{before}"):
            raise S3Error("away")
        put(store, key, *rest, **more)
    others = set(ids(subject))
    with monkeypatch.context() as patched:
        patched.setattr(Store, "put", refuse)
        with pytest.raises(S3Error, match="away"):
            back_up(subject, ring)
    (new_id,) = set(ids(subject)) - others
    return new_id


def back_up(subject: Backed, ring: Keyring | None = None) -> Entry:
    """A backup that began in another second than the one before: so its id comes after that one's."""
    time.sleep(1 - time.time() % 1)
    return subject.back_up(ring)


def ids(subject: Backed) -> list[str]:
    return subject.store.folders(f"{subject.source.database}/logical/")


def large(subject: Backed, entry: Entry) -> dict[str, str]:
    """Of each part of the two tables, the run that sent it."""
    assert entry.manifest
    return {f"{table.name} {table.part}": resume.run_of(table.stored.key, f"{entry.database}/logical/")
            for table in entry.manifest.tables if table.name in ("still", "changing") and table.stored}


def require_restored(subject: Backed, entry: Entry) -> None:
    """It is verified, and what is restored of it is what the source holds now."""
    verify(subject.store, subject.ring, entry, image=subject.image)
    opened = Opened(subject.store, *open_backup(subject.store, subject.ring, entry))
    with subject.room() as name:
        restore_logical(subject.store, subject.ring, entry, subject.admin, name, image=subject.image)
        restored = replace(subject.admin, database=name)
        assert compare(opened.manifest, restored, image=subject.image, opened=opened).differences == []
        asked = b"SELECT (SELECT sum(id) FROM public.still), (SELECT sum(id) FROM public.changing)"
        with restored.connect() as one, subject.source.connect() as other:
            assert one.execute(asked).fetchone() == other.execute(asked).fetchone()


def test_only_what_changed_since_an_interrupted_run_is_sent_again(
        subject: Backed, sent: dict[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    first = interrupt(subject, monkeypatch)
    before = sum(sent.values())
    sent.clear()
    subject.database.execute("UPDATE public.changing SET noise = '' WHERE id = 6000")
    entry = back_up(subject)
    assert entry.manifest
    runs = large(subject, entry)
    assert {run for part, run in runs.items() if part.startswith("still")} == {first}
    assert len([part for part in runs if part.startswith("still")]) > 1
    assert {run for part, run in runs.items() if part.startswith("changing")} == {entry.id}
    assert not [name for name in sent if name.split("-")[0].split(".")[0] == str(oid(subject, "still"))]
    assert 0 < sum(sent.values()) < before / 2
    assert entry.manifest.earlier_bytes > before / 2
    assert subject.store.list_uploads() == []
    require_restored(subject, entry)
    # The run after it finds a backup that is complete, and is one of its own.
    following = back_up(subject)
    assert set(large(subject, following).values()) == {following.id}


def oid(subject: Backed, table: str) -> int:
    return int(subject.database.execute(f"SELECT '{table}'::regclass::oid::int8")[0][0])


def test_a_run_interrupted_twice_takes_over_what_either_sent(subject: Backed, monkeypatch: pytest.MonkeyPatch) -> None:
    first = interrupt(subject, monkeypatch)
    subject.database.execute("UPDATE public.changing SET noise = '' WHERE id = 6000")
    second = interrupt(subject, monkeypatch)
    subject.database.execute("DELETE FROM public.changing WHERE id = 1")
    third = interrupt(subject, monkeypatch)
    entry = back_up(subject)
    runs = large(subject, entry)
    assert {part.split()[0]: run for part, run in runs.items()} == {"still": first, "changing": third}
    assert second not in runs.values()
    require_restored(subject, entry)


def test_a_run_that_fails_early_costs_nothing_of_what_those_before_it_had_sent(
        subject: Backed, monkeypatch: pytest.MonkeyPatch) -> None:
    first = interrupt(subject, monkeypatch)
    interrupt(subject, monkeypatch, before=f"{SENT}2.json")
    interrupt(subject, monkeypatch, before=f"{SENT}1.json")
    entry = back_up(subject)
    assert set(large(subject, entry).values()) == {first}
    require_restored(subject, entry)


# Rows arrive at once; the structure, without which there is no backup, waits for a file where one is named.
# A test run in the background ignores Ctrl-C, and so would its children: here it is as in a terminal.
SCRIPT = """
import os, signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)
from backups.logical import pipeline, resume, work_queue
from backups.storage import multipart
resume.NOTED_BYTES, pipeline.SMALL_BYTES, work_queue.LEAST_BYTES = 1, 10_000, 1 << 20
part, held = multipart.Upload.finish, sys.argv.pop(1)
def slowly(self):
    while held and self.key.endswith(".dump") and not os.path.exists(held):
        time.sleep(0.05)
    return part(self)
multipart.Upload.finish = slowly
from cli import main
main()
"""


@pytest.mark.parametrize("ended", [signal.SIGKILL, signal.SIGINT])
def test_a_command_that_is_ended_leaves_what_the_next_one_takes_over(
        subject: Backed, tmp_path: Path, ended: signal.Signals) -> None:
    go = tmp_path / "go on"
    words = ["backup", "run", "--no-verify", "--config", str(subject.write_settings(tmp_path / "backup.json"))]
    with subprocess.Popen([sys.executable, "-c", SCRIPT, str(go), *words], start_new_session=True, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        deadline = time.monotonic() + 60
        while not any(f"/{SENT}" in key for key, _ in subject.store.objects(f"{subject.source.database}/")):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
        os.killpg(process.pid, ended)
        go.touch()
        output, _ = process.communicate(timeout=60)
    assert list_backups(subject.store, subject.source.database) == []
    if ended == signal.SIGINT:
        assert process.returncode == 130
        assert output.splitlines()[-1] == "interrupted; what has arrived in the bucket stays: run the same command " \
            "again, and only the rest is sent"
        assert "Traceback" not in output
    for attempt in tries_while_busy():
        with attempt:
            again = subprocess.run([sys.executable, "-c", SCRIPT, "", *words], text=True, capture_output=True,
                                   check=False)
            if "another backup of it is being taken" in again.stderr:
                raise BusyError
    assert again.returncode == 0, again.stderr
    assert "of it sent by a run that was interrupted)" in again.stdout
    (entry,) = list_backups(subject.store, subject.source.database)
    assert entry.manifest
    assert entry.manifest.earlier_bytes > 0
    require_restored(subject, entry)


def test_what_was_deleted_cut_forged_or_closed_with_a_lost_key_is_sent_anew(
        subject: Backed, monkeypatch: pytest.MonkeyPatch) -> None:
    database = subject.source.database

    def parts(run: str) -> list[str]:
        prefix = f"{database}/logical/{run}/data/{oid(subject, 'still')}"
        return [key for key, _ in subject.store.objects(prefix)]

    first = interrupt(subject, monkeypatch)
    gone, cut, *_ = parts(first)
    subject.store.delete([gone])
    subject.store.put(cut, b"short")
    entry = back_up(subject)
    again = {table.stored.key.rsplit("/", 1)[1] for table in entry.manifest.tables  # type: ignore[union-attr]
             if table.name == "still" and table.stored and f"/{entry.id}/" in table.stored.key}
    assert again == {gone.rsplit("/", 1)[1], cut.rsplit("/", 1)[1]}
    require_restored(subject, entry)

    second = interrupt(subject, monkeypatch)
    for key, _ in list(subject.store.objects(f"{database}/logical/{second}/{SENT}")):
        text = subject.store.get(key) or b""
        subject.store.put(key, text.replace(f"/{second}/data/".encode(), f"/{first}/data/".encode()))
    assert set(large(subject, back_up(subject)).values()) & {first, second} == set()

    interrupt(subject, monkeypatch, Keyring([new_key()]))
    entry = back_up(subject)
    assert set(large(subject, entry).values()) == {entry.id}


def test_what_an_older_key_opens_is_not_taken_over(subject: Backed, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has that key must not come to know the data key of what is taken after it was rotated."""
    interrupt(subject, monkeypatch)
    entry = back_up(subject, Keyring([new_key(), subject.key]))
    assert set(large(subject, entry).values()) == {entry.id}


def test_no_manifest_names_what_was_deleted_meanwhile(subject: Backed, monkeypatch: pytest.MonkeyPatch) -> None:
    first = interrupt(subject, monkeypatch)
    under = f"{subject.source.database}/logical/"
    check = backup.require_earlier_objects

    def lose(store: Store, *rest: Any) -> None:
        store.delete([key for key, _ in store.objects(f"{under}{first}/data/{oid(subject, 'still')}")][:1])
        check(store, *rest)
    with monkeypatch.context() as patched:
        patched.setattr(backup, "require_earlier_objects", lose)
        with pytest.raises(DumpError, match=f"logical/{first}/data/.+ it was deleted while this run went on") as caught:
            back_up(subject)
    assert "\n" not in str(caught.value)
    assert list_backups(subject.store, subject.source.database) == []
    require_restored(subject, back_up(subject))


def test_what_somebody_puts_among_the_notes_is_in_nobody_s_way(
        subject: Backed, monkeypatch: pytest.MonkeyPatch) -> None:
    first = interrupt(subject, monkeypatch)
    folder = f"{subject.source.database}/logical/{first}/{SENT}"
    for number, text in enumerate((b"", b"{}", "\u00e4\n[]".encode(), b"\xff\xfe", b"[" * 100_000)):
        subject.store.put(f"{folder}x{number}.json", text)
    assert first in large(subject, back_up(subject)).values()


def test_prune_leaves_what_a_backup_took_over_as_long_as_there_is_that_backup(
        subject: Backed, monkeypatch: pytest.MonkeyPatch) -> None:
    database, later = subject.source.database, datetime.now(UTC) + timedelta(days=8)
    one = Retention(daily=1, weekly=1, monthly=1)
    first = interrupt(subject, monkeypatch)
    entry = back_up(subject)
    verify(subject.store, subject.ring, entry, image=subject.image)
    assert prune(subject.store, subject.ring, database, one, now=later).cleared == []
    verify(subject.store, subject.ring, entry, image=subject.image)

    # One that cannot be read may have taken it over as well.
    subject.store.put(f"{entry.folder}/{NAME}", (text := subject.store.get(f"{entry.folder}/{NAME}") or b"")[:-9])
    assert prune(subject.store, subject.ring, database, one, now=later).cleared == []
    subject.store.put(f"{entry.folder}/{NAME}", text)

    last = back_up(subject)
    verify(subject.store, subject.ring, last, image=subject.image)
    done = prune(subject.store, subject.ring, database, one, now=later)
    assert (done.deleted, done.cleared) == ([entry.id], [])
    assert prune(subject.store, subject.ring, database, one, now=later).cleared == [first]
    assert ids(subject) == [last.id]


def test_no_backup_goes_that_another_took_objects_from(subject: Backed, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where a run looked for what was sent just before the one that sent it was complete."""
    size = Store.size
    with monkeypatch.context() as patched:
        first = back_up(subject)
        patched.setattr(Store, "size", lambda store, key: None if key.endswith(NAME) else size(store, key))
        second = back_up(subject)
    assert set(large(subject, second).values()) == {first.id}
    verify(subject.store, subject.ring, second, image=subject.image)
    done = prune(subject.store, subject.ring, second.database, Retention(daily=1, weekly=1, monthly=1))
    assert (done.deleted, done.kept[first.id]) == ([], f"{second.id} names objects of it")
