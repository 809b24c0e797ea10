"""A large table is read and loaded in several parts, side by side: none of its rows is lost, none comes twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from backups.drill.comparison import compare
from backups.errors import DamagedError
from backups.logical import work_queue
from backups.logical.catalog import Entry, open_backup
from backups.logical.reader import Opened
from backups.logical.verify import verify
from backups.restoring.restore import restore_logical
from tests.support.backed_up import Backed, backed
from tests.support.running.s3_servers import S3Server
from tests.support.running.servers import Server

pytestmark = [pytest.mark.servers("official", "debian"), pytest.mark.repeats("debian")]
# Rows of a time whose chunk is compressed already; and a table of short values and long ones.
LATE = """INSERT INTO public.environmental_readings (device_id, measured_at, temperature)
    SELECT 1 + g % 50, now()::timestamp - interval '79 days' + g * interval '1 second', 20
      FROM generate_series(1, 20000) g"""
LONG = """CREATE TABLE public.long AS SELECT g AS id, CASE WHEN g % 5000 = 0
    THEN (SELECT string_agg(md5((g * i)::text), '') FROM generate_series(1, 3000) i) ELSE E'x\\n\\\\' || g END AS value
    FROM generate_series(1, 60000) g"""


@pytest.fixture(scope="module")
def subject(server: Server, s3: S3Server) -> Iterator[Backed]:
    with backed(server, s3.login, rows=20_000) as backed_up:
        # Pages with room for earlier rows: not one row lies where it was inserted first.
        backed_up.database.execute(LATE, LONG, "ALTER TABLE public.long ADD PRIMARY KEY (id)",
                                   "UPDATE public.long SET value = value || '.' WHERE id % 3 = 0",
                                   "DELETE FROM public.long WHERE id % 7 = 0")
        yield backed_up


@pytest.fixture
def entry(subject: Backed, monkeypatch: pytest.MonkeyPatch) -> Entry:
    monkeypatch.setattr(work_queue, "LEAST_BYTES", 100_000)
    monkeypatch.setattr(work_queue, "MOST_BYTES", 300_000)
    return subject.back_up()


def counts(subject: Backed, database: str) -> object:
    with replace(subject.source, database=database).connect() as connection:
        return connection.execute("SELECT (SELECT count(*) FROM public.environmental_readings), "
                                  "(SELECT count(*) FROM public.long), (SELECT sum(id) FROM public.long)").fetchone()


def test_every_row_of_a_table_read_in_parts_is_restored_once(subject: Backed, entry: Entry) -> None:
    assert entry.manifest
    parts = {name: len(pieces) for name, pieces in entry.manifest.parts().items() if len(pieces) > 1}
    assert parts["public.long"] > 2
    assert any("_chunk" in name for name in parts)
    if subject.server.community:
        # The chunk that holds both has parts, and none of its compressed rows is in them.
        mixed = [table for table in entry.manifest.tables if table.compressed and table.rows]
        assert sum(table.rows for table in mixed) == 20_000
        assert len(mixed) > 1
    verify(subject.store, subject.ring, entry, image=subject.image)
    opened = Opened(subject.store, *open_backup(subject.store, subject.ring, entry))
    with subject.room() as name:
        done = restore_logical(subject.store, subject.ring, entry, subject.admin, name, image=subject.image)
        assert done.rows == entry.manifest.rows
        assert counts(subject, name) == counts(subject, subject.source.database)
        restored = replace(subject.admin, database=name)
        assert compare(entry.manifest, restored, image=subject.image, opened=opened).differences == []
        with restored.connect() as connection:
            connection.execute("UPDATE public.long SET value = 'y' WHERE id = 59999")
            assert compare(entry.manifest, restored, image=subject.image, opened=opened).differences == [
                "public.long: 51429 rows as required, but their content differs"]
            connection.execute("DELETE FROM public.long WHERE id = 59999")
            assert compare(entry.manifest, restored, image=subject.image, opened=opened).differences == [
                "public.long: found 51428 rows, required 51429"]


def test_a_missing_part_is_named_before_any_change(subject: Backed, entry: Entry) -> None:
    assert entry.manifest
    lost = entry.manifest.parts()["public.long"][-1]
    assert lost.stored
    subject.store.client.delete_object(Bucket=subject.store.bucket, Key=subject.store.prefix + lost.stored.key)
    with pytest.raises(DamagedError, match=rf"^{lost.stored.key} .* is not there"):
        verify(subject.store, subject.ring, entry, image=subject.image)
    with subject.room() as name:
        with pytest.raises(DamagedError, match="is not there"):
            restore_logical(subject.store, subject.ring, entry, subject.admin, name, image=subject.image)
        with subject.admin.connect() as connection:
            assert connection.execute("SELECT count(*) FROM pg_database WHERE datname = %s", [name]).fetchone() == (0,)
