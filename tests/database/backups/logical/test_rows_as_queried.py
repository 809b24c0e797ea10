"""What a query gives of chunks with compressed batches is backed up, restored and compared, not their batches alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner

from backups.drill.comparison import Comparison, compare
from backups.drill.logical_drill import run_drill
from backups.errors import DamagedError, RestoreError
from backups.logical.backup import run_logical
from backups.logical.catalog import Entry, find_backup, open_backup
from backups.logical.manifest import ChunkRows
from backups.logical.reader import Opened
from backups.restoring import missing_values, restore
from backups.restoring.restore import Restored, restore_logical
from cli.registry import gather
from schema.connection import Address
from tests.support.backed_up import BackedUp, backed
from tests.support.running.s3_servers import S3Server
from tests.support.running.servers import Server

pytestmark = pytest.mark.servers("official")
# A column of each type with the default that rows from before it have.
DEFAULTS = {
    "boolean NOT NULL": "false", "integer": "42", '"Mood"': "'it''s \"fine\", \\ ok'", '"Mood"[]': "'{sad}'",
    "pair": "ROW(1, 'x,\"y\" \\z')::pair", "pair[]": "ARRAY[ROW(1, 'a'), ROW(2, NULL)]::pair[]",
    "loose": "'a ''quote'''",
    "text[]": "ARRAY['a \"q\"', 'b\\c', NULL, '{x,y}', '']", "integer[]": "'{{1,2},{3,4}}'", "numeric(10,4)": "1.5",
    "varchar(20)": "'varchär'", "char(10)": "'x'", "bytea": "'\\x00ff'", "jsonb": "'{\"a\": [1, \"b\\\\\"]}'",
    "json": "'{\"b\":  2}'", "uuid": "'00000000-0000-0000-0000-000000000001'", "inet": "'10.1.2.3/24'",
    "tstzrange": "'[2026-01-01,2026-02-01)'", "point": "'(1,2)'", "bit varying(9)": "B'1010'", "xml": "'<a/>'",
    "timestamptz": "'2026-05-05 05:05:05.123456+09'", "interval": "'-1 mon 2 days -03:04:05.678'",
    "date": "'0044-03-15 BC'",
    "timestamp": "'infinity'", "float8": "'NaN'", "real": "'0.1'", "text": "repeat('0123456789', 150)", "name": "''",
    "varchar": "'NULL'", "smallint": "NULL", "time": "'24:00'"}
CREATED = ("CREATE TYPE \"Mood\" AS ENUM ('sad', 'it''s \"fine\", \\ ok')", "CREATE TYPE pair AS (a int, b text)",
           "CREATE DOMAIN loose AS text",
           'CREATE TABLE "Old rows" (at timestamptz NOT NULL, d int, gone text DEFAULT \'old\')',
           "SELECT create_hypertable('\"Old rows\"', 'at', chunk_time_interval => interval '1 day')",
           "ALTER TABLE \"Old rows\" SET (timescaledb.compress, timescaledb.compress_segmentby='d',"
           " timescaledb.compress_orderby='at')",
           "INSERT INTO \"Old rows\" SELECT '2026-01-01'::timestamptz + n * interval '10 min', n % 3"
           " FROM generate_series(0, 6 * 144 - 1) n")
COMPRESS = ("SELECT compress_chunk(c) FROM (SELECT show_chunks('\"Old rows\"') c ORDER BY 1 OFFSET {} LIMIT {}) x")
CHANGED = (
    COMPRESS.format(0, 2), 'ALTER TABLE "Old rows" ADD first int DEFAULT 1', COMPRESS.format(2, 1),
    *(f'ALTER TABLE "Old rows" ADD "Column {number}" {kind} DEFAULT {value}'
      for number, (kind, value) in enumerate(DEFAULTS.items())),
    'ALTER TABLE "Old rows" DROP COLUMN gone', 'ALTER TABLE "Old rows" ADD gone int DEFAULT 7', COMPRESS.format(3, 1),
    # Compressed with nothing but NULL, which is not what rows from before have.
    "INSERT INTO \"Old rows\" (at, d, first, gone) SELECT '2026-01-05'::timestamptz + n * interval '1 min', 9, NULL,"
    " NULL FROM generate_series(1, 300) n", COMPRESS.format(4, 1),
    # One segment of a chunk, others without the column still; and rows beside batches.
    "UPDATE \"Old rows\" SET first = 1000 WHERE d = 1 AND at < '2026-01-01 12:00'",
    "SELECT compress_chunk((SELECT show_chunks('\"Old rows\"') c ORDER BY 1 LIMIT 1))",
    "INSERT INTO \"Old rows\" (at, d) SELECT '2026-01-02 00:05'::timestamptz + n * interval '10 min', 2"
    " FROM generate_series(1, 20) n",
    "UPDATE \"Old rows\" SET first = NULL WHERE d = 0 AND at < '2026-01-03'",
    'ALTER TABLE "Old rows" ALTER first SET DEFAULT 77', 'ALTER TABLE "Old rows" ALTER "Column 1" DROP DEFAULT',
    'ALTER TABLE "Old rows" RENAME "Column 2" TO "Renamed"',
    "CREATE MATERIALIZED VIEW by_hour WITH (timescaledb.continuous) AS SELECT time_bucket('1 hour', at) AS hour, d,"
    " count(*) AS n, sum(first) AS s FROM \"Old rows\" GROUP BY 1, 2",
    "ALTER MATERIALIZED VIEW by_hour SET (timescaledb.compress)",
    "SELECT compress_chunk(c) FROM show_chunks('by_hour') c")
# Columns whose batches have filters of hashes, made without a word for an index, of enums' numbers among them.
FILTERED = (
    "CREATE TYPE kept AS (mood \"Mood\", n int)",
    "CREATE TABLE filtered (at timestamptz NOT NULL, d int, mood \"Mood\", moods \"Mood\"[], kept kept, note text)",
    "SELECT create_hypertable('filtered', 'at', chunk_time_interval => interval '100 days')",
    *(f"CREATE INDEX ON filtered ({columns})" for columns in ("mood", "moods", "kept", "note", "note, mood")),
    "ALTER TABLE filtered SET (timescaledb.compress, timescaledb.compress_segmentby = 'd',"
    " timescaledb.compress_orderby = 'at')",
    "INSERT INTO filtered SELECT '2026-01-05'::timestamptz + n * interval '1 min', n % 3, 'sad', '{sad}',"
    " ROW('sad', 1)::kept, md5(n::text) FROM generate_series(1, 300) n",
    "SELECT compress_chunk(c) FROM show_chunks('filtered') c")
# What the server words in another way once it has read its own wording.
WORDED = (
    "CREATE TABLE worded (a numeric CHECK (a = ANY (ARRAY[1, 2])), f float8, v varchar(5) CHECK (v IN ('a', 'b')))",
    "CREATE INDEX ON worded (f) WHERE f = ANY (ARRAY[1, 2])",
    "CREATE VIEW worded_too AS SELECT v FROM worded UNION VALUES ('c'::varchar)")
WORDS = ("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'worded_a_check'",
         "SELECT pg_get_indexdef('public.worded_f_idx'::regclass)",
         "SELECT pg_get_viewdef('public.worded_too'::regclass)")
CONDITIONS = {"mood = 'sad'": 300, "moods = '{sad}'": 300, "kept = ROW('sad', 1)::public.kept": 300,
              "note = md5('7')": 1, "note = md5('7') AND mood = 'sad'": 1}
AS_QUERIED = {name: f"SELECT count(*), sum(hashtextextended(x::text, 0)) FROM public.{name} AS x"
              for name in ('"Old rows"', "by_hour")}


@dataclass(frozen=True)
class Subject(BackedUp):
    """A database with columns added after compression, and a backup of it."""

    def restore(self, name: str, entry: Entry | None = None) -> Restored:
        return restore_logical(self.backed.store, self.backed.ring, entry or self.entry, self.backed.admin, name,
                               image=self.backed.image, analyze=False)

    def compare(self, name: str, entry: Entry | None = None) -> Comparison:
        manifest, data_key = open_backup(self.backed.store, self.backed.ring, entry or self.entry)
        opened = Opened(self.backed.store, manifest, data_key)
        return compare(manifest, self.at(name), image=self.backed.image, opened=opened)

    def at(self, name: str) -> Address:
        return replace(self.backed.admin, database=name)

    def of_format_3(self) -> Entry:
        """The same backup as a program that knew nothing of rows as queries give them would have written it."""
        _, data_key = open_backup(self.backed.store, self.backed.ring, self.entry)
        earlier = self.manifest.model_copy(update={"format": 3, "chunks": None}).with_seal(data_key)
        return replace(self.entry, manifest=earlier)


@pytest.fixture(scope="module")
def subject(server: Server, s3: S3Server) -> Iterator[Subject]:
    with backed(server, s3.login, rows=2000) as backed_up:
        backed_up.database.execute("SET search_path = public", *CREATED)
        backed_up.database.execute("SET search_path = public", *CHANGED, *FILTERED, *WORDED)
        yield Subject(backed_up, backed_up.back_up())


def ask(address: Address, query: str) -> list[tuple[Any, ...]]:
    with address.connect() as connection:
        return list(connection.execute(query.encode()).fetchall())


def test_every_value_comes_back_as_a_query_gave_it(subject: Subject) -> None:
    wanted = {name: ask(subject.backed.source, query) for name, query in AS_QUERIED.items()}
    assert wanted['"Old rows"'][0][0] == 6 * 144 + 300 + 20
    with subject.backed.room() as name:
        subject.restore(name)
        assert {table: ask(subject.at(name), query) for table, query in AS_QUERIED.items()} == wanted
        comparison = subject.compare(name)
        assert (comparison.differences, comparison.unread) == ([], [])
        assert comparison.rows == subject.manifest.rows
        # What is recompressed there, or loaded and compressed, has its own values and those of before.
        ask(subject.at(name), "INSERT INTO public.\"Old rows\" (at, d) VALUES ('2026-01-01 00:01', 0) RETURNING 1")
        ask(subject.at(name), "SELECT public.compress_chunk((SELECT public.show_chunks('public.\"Old rows\"') c"
            " ORDER BY 1 LIMIT 1))")
        assert ask(subject.at(name), "SELECT first, \"Column 0\" FROM public.\"Old rows\" WHERE at = '2026-01-01 00:01'"
                   ) == [(77, False)]
        assert ask(subject.at(name), "SELECT count(*) FROM public.\"Old rows\" WHERE \"Column 0\" IS NULL") == [(0,)]


def test_a_condition_finds_what_it_found_whatever_filters_batches_have(subject: Subject) -> None:
    def found(address: Address) -> list[int]:
        return [ask(address, f"SELECT count(*) FROM public.filtered WHERE {condition}")[0][0]
                for condition in CONDITIONS]

    assert found(subject.backed.source) == list(CONDITIONS.values())
    with subject.backed.room() as name:
        subject.restore(name)
        assert found(subject.at(name)) == list(CONDITIONS.values())
        # The one that no enum is in is kept.
        batches = next(chunk.batches for chunk in subject.manifest.chunks or () if chunk.full_name in {
            table.full_name for table in subject.manifest.tables if table.hypertable == "public.filtered"})
        assert ask(subject.at(name), "SELECT count(_ts_meta_v2_bloomh_note) > 0, count(_ts_meta_v2_bloomh_mood) FROM "
                   + batches) == [(True, 0)]
        assert subject.compare(name).differences == []


def test_a_structure_that_is_worded_anew_is_restored(subject: Subject) -> None:
    with subject.backed.room() as name:
        subject.restore(name)
        for query in WORDS:
            assert ask(subject.at(name), query) != ask(subject.backed.source, query)
        assert subject.compare(name).differences == []


def test_counts_are_rows_and_batches_are_none(subject: Subject, tmp_path: Path) -> None:
    counts = subject.manifest.row_counts()
    tables = ask(subject.backed.source, "SELECT (SELECT count(*) FROM public.\"Old rows\"), (SELECT count(*) FROM "
                 "public.environmental_readings), (SELECT count(*) FROM public.by_hour)")[0]
    by_table: dict[str, int] = {}
    for table in subject.manifest.tables:
        if table.hypertable and not table.part:
            by_table[table.hypertable] = by_table.get(table.hypertable, 0) + counts[table.full_name]
    assert (by_table['public."Old rows"'], by_table["public.environmental_readings"]) == tables[:2]
    compressed = {chunk.full_name: chunk for chunk in subject.manifest.chunks or ()}
    assert len(compressed) >= 5 + 2
    assert not {chunk.batches for chunk in compressed.values()} & counts.keys()
    settings = subject.backed.write_settings(tmp_path / "settings.json")
    done = CliRunner().invoke(gather(), ["backup", "list", "--json", "--config", str(settings)])
    assert json.loads(done.stdout)[0]["rows"] == subject.manifest.rows == sum(counts.values())


def test_values_that_a_restore_did_not_set_are_differences_by_name(
        subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restore, "set_missing_values", lambda *_: None)
    with subject.backed.room() as name:
        subject.restore(name)
        lines = "\n".join(subject.compare(name).differences)
    chunk = min(chunk.full_name for chunk in subject.manifest.chunks or () if chunk.missing)
    assert f"{chunk}: column first has nothing in rows from before it, required {{1}}" in lines
    assert f"{chunk}: a query gives " in lines
    assert "but their content differs" in lines


def test_a_value_that_the_server_reads_as_another_one_is_refused(
        subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(missing_values, "SET", missing_values.SET.replace(
        "{value}", "textout(replace({value}, '{{42}}', '{{43}}'))"))
    with pytest.raises(RestoreError, match=r"column Column 1 has \{43\} in rows from before it, required \{42\}"), \
            subject.backed.room() as name:
        subject.restore(name)


def test_a_backup_of_an_earlier_program_is_restored_and_names_what_it_lost(subject: Subject) -> None:
    earlier = subject.of_format_3()
    assert earlier.manifest
    with subject.backed.room() as name:
        done = subject.restore(name, earlier)
        assert any("column Column 0 is NULL in" in line and "and was not" in line for line in done.lost)
        assert any("column first is NULL in" in line and "may not have been" in line for line in done.lost)
        comparison = subject.compare(name, earlier)
    assert [line.split(":")[0] for line in comparison.unread] == ["compressed chunks"]
    drill = run_drill(subject.backed.store, subject.backed.ring, earlier, admin=subject.backed.admin,
                      image=subject.backed.image, check_schema=False)
    assert not drill.passed
    assert done.lost[0] in drill.problems
    assert drill.unread == comparison.unread


def test_rows_that_the_time_did_not_suffice_for_are_named_and_counted_all_the_same(subject: Subject) -> None:
    backed_up = subject.backed
    manifest = run_logical(backed_up.store, backed_up.ring, backed_up.source, image=backed_up.image, seconds=0)
    assert manifest.rows == subject.manifest.rows
    assert {chunk.checksum for chunk in manifest.chunks or ()} == {None}
    assert {chunk.unread for chunk in manifest.chunks or ()} == {"the 0 s for reading rows were over"}
    assert [chunk.rows for chunk in manifest.chunks or ()] == [chunk.rows for chunk in subject.manifest.chunks or ()]
    with backed_up.room() as name:
        entry = find_backup(backed_up.store, manifest.database, manifest.id)
        subject.restore(name, entry)
        comparison = subject.compare(name, entry)
    count = len(manifest.chunks or ())
    (line,) = comparison.unread
    assert line.startswith(f"{count} of {count} compressed chunks: compared as they are stored, and by their ")
    assert not [line for line in comparison.differences if "query" in line]


def test_a_chunk_that_takes_too_long_is_added_up_from_its_batches(
        subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = "SELECT count(*), pg_sleep(30)::text FROM {} AS x"
    monkeypatch.setattr("backups.logical.source.chunk_rows.HASHED", slow)
    backed_up = subject.backed
    manifest = run_logical(backed_up.store, backed_up.ring, backed_up.source, image=backed_up.image, seconds=0.2)
    assert manifest.rows == subject.manifest.rows
    assert {chunk.unread for chunk in manifest.chunks or ()} == {"the 0.2 s for reading rows were over"}


def test_a_chunk_that_the_server_cannot_read_is_named_with_its_words(
        subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backups.logical.source.chunk_rows.HASHED", "SELECT count(*), (1 / 0)::text FROM {} AS x")
    backed_up = subject.backed
    manifest = run_logical(backed_up.store, backed_up.ring, backed_up.source, image=backed_up.image)
    assert {chunk.unread for chunk in manifest.chunks or ()} == {"division by zero"}
    assert manifest.rows == subject.manifest.rows


def test_a_forged_value_is_damage(subject: Subject) -> None:
    chunks = [chunk.model_copy(update={"missing": {"first": "{2}"}}) for chunk in subject.manifest.chunks or ()]
    with pytest.raises(DamagedError, match="was changed"):
        subject.restore("never", replace(subject.entry, manifest=subject.manifest.model_copy(
            update={"chunks": chunks})))


def test_a_value_that_does_not_fit_is_one_line_and_leaves_no_database(subject: Subject) -> None:
    _, data_key = open_backup(subject.backed.store, subject.backed.ring, subject.entry)
    chunks = [ChunkRows(**{**chunk.model_dump(), "missing": {"first": "{no number}"}} if chunk.missing else
                        chunk.model_dump()) for chunk in subject.manifest.chunks or ()]
    bad = subject.manifest.model_copy(update={"chunks": chunks}).with_seal(data_key)
    with subject.backed.room() as name:
        with pytest.raises(RestoreError, match=r"invalid input syntax for type integer.*was dropped again") as caught:
            subject.restore(name, replace(subject.entry, manifest=bad))
        assert "\n" not in str(caught.value)
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(subject.at(name).dsn())
