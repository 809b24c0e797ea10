"""A manifest is what was sealed, also one that was written before a newer program knew more to say."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from backups.errors import DamagedError
from backups.logical.manifest import FORMAT, ChunkRows, Manifest, Server, TableData
from backups.storage.encryption import seal
from backups.storage.object_store import Stored

KEY = b"k" * 32
DIGEST = "timescale/timescaledb@sha256:0123"


def manifest(digest: str | None) -> Manifest:
    server = Server(server_version=170012, postgresql="17.12", timescaledb="2.29.2", edition="timescale",
                    extensions={}, encoding="UTF8", collate="C", ctype="C", database="d", owner="o", image="i:1",
                    image_digest=digest)
    now = datetime(2026, 11, 25, tzinfo=UTC)
    return Manifest(id="b", database="d", started=now, finished=now, server=server, program={},
                    structure=Stored("structure.dump", 1, "0"), tables=[], sequences=[], roles=[], jobs=[],
                    fingerprint="f").with_seal(KEY)


def test_a_manifest_without_an_image_digest_is_sealed_as_before_digests() -> None:
    text = json.loads(manifest(None).to_json())
    assert "image_digest" not in text["server"]
    Manifest.from_json(json.dumps(text).encode(), "here").require_seal(KEY)
    assert manifest(None).server.origin().endswith("2 (timescale), image i:1 (digest unknown)")


def test_a_digest_is_kept_named_and_sealed() -> None:
    text = json.loads(manifest(DIGEST).to_json())
    parsed = Manifest.from_json(json.dumps(text).encode(), "here")
    parsed.require_seal(KEY)
    assert DIGEST in parsed.server.origin()
    text["server"]["image_digest"] = DIGEST.replace("0123", "4567")
    with pytest.raises(DamagedError, match="was changed"):
        Manifest.from_json(json.dumps(text).encode(), "here").require_seal(KEY)


@pytest.mark.parametrize("forged", ["", "\u00e4", "0" * 64])
def test_a_seal_that_is_not_ours_is_one_line_whatever_its_letters(forged: str) -> None:
    with pytest.raises(DamagedError, match="was changed"):
        manifest(DIGEST).model_copy(update={"seal": forged}).require_seal(KEY)


def test_a_manifest_of_the_format_without_shared_objects_opens_as_it_was_sealed() -> None:
    values = json.loads(manifest(DIGEST).to_json()) | {"format": 1, "tables": [{
        "schema_": "public", "name": "t", "full_name": "public.t", "columns": "a", "rows": 1, "bytes": 2, "sha256": "0",
        "extension": None, "hypertable": None, "compressed": False,
        "stored": {"key": "d/logical/b/data/1.copy.zst", "bytes": 3, "sha256": "1"}}]}
    del values["seal"]
    old = values | {"seal": seal(KEY, json.dumps(values, sort_keys=True, separators=(",", ":")).encode())}
    parsed = Manifest.from_json(json.dumps(old).encode(), "here")
    parsed.require_seal(KEY)
    assert parsed.tables[0].offset is None
    assert json.loads(parsed.to_json()) == old


def test_a_manifest_of_a_later_program_is_refused_in_one_line() -> None:
    values = json.loads(manifest(DIGEST).to_json()) | {"format": FORMAT + 1}
    with pytest.raises(DamagedError, match=rf"format found {FORMAT + 1}, required at most {FORMAT}; use the program "
                                           "that wrote it"):
        Manifest.from_json(json.dumps(values).encode(), "here")


@pytest.mark.parametrize("change", [
    {"started": "2026-11-25T00:00:00"},
    {"tables": [{"schema_": "s", "name": "t", "full_name": "s.t", "columns": "a", "rows": 1, "bytes": 1, "sha256": "0",
                 "stored": {"key": "k", "bytes": 1, "sha256": "0"}, "offset": -1}]}])
def test_a_manifest_that_no_program_writes_is_refused_in_one_line(change: dict[str, object]) -> None:
    values = json.loads(manifest(DIGEST).to_json()) | change
    with pytest.raises(DamagedError, match=r"^here: not a manifest") as caught:
        Manifest.from_json(json.dumps(values).encode(), "here")
    assert "\n" not in str(caught.value)


def test_a_manifest_that_is_nested_without_end_is_refused_in_one_line() -> None:
    with pytest.raises(DamagedError, match=r"^here: not a manifest"):
        Manifest.from_json(b"[" * 200_000, "here")


def table(name: str, rows: int, **more: object) -> TableData:
    return TableData.model_validate({"schema_": "s", "name": name, "full_name": f"s.{name}", "columns": "a",
                                     "rows": rows, "bytes": 1, "sha256": "0", **more})


def test_its_rows_are_those_that_queries_give_and_batches_are_none() -> None:
    tables = [table("t", 2), table("chunk", 5), table("batches", 3), table("t", 1, part=1),
              table("configuration", 9, extension="e")]
    rows = ChunkRows(full_name="s.chunk", batches="s.batches", rows=3005)
    known = manifest(None).model_copy(update={"tables": tables, "chunks": [rows]})
    assert known.row_counts() == {"s.t": 3, "s.chunk": 3005}
    assert (known.rows, known.counts_batches) == (3008, False)


def test_one_of_an_earlier_program_counts_its_batches_and_says_so() -> None:
    tables = [table("chunk", 0, compressed=True), table("batches", 3)]
    earlier = manifest(None).model_copy(update={"format": 3, "tables": tables})
    assert earlier.chunks is None
    assert "chunks" not in json.loads(earlier.to_json())
    assert (earlier.rows, earlier.counts_batches) == (3, True)
    assert not manifest(None).model_copy(update={"tables": [table("t", 3)]}).counts_batches


def test_unpopulated_views_are_sealed_and_one_of_an_earlier_program_knows_of_none() -> None:
    known = manifest(None).model_copy(update={"unpopulated": ["s.v"]}).with_seal(KEY)
    parsed = Manifest.from_json(known.to_json(), "here")
    parsed.require_seal(KEY)
    assert parsed.unpopulated == ["s.v"]
    with pytest.raises(DamagedError, match="was changed"):
        parsed.model_copy(update={"unpopulated": []}).require_seal(KEY)
    assert "unpopulated" not in json.loads(manifest(None).to_json())
