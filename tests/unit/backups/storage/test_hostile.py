"""What somebody else put into the bucket ends nothing, starts nothing and commands no terminal."""

from __future__ import annotations

import io
import json
from dataclasses import asdict
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest
from rich.console import Console

from backups.drill.logical_drill import Drill, read_drills
from backups.drill.report import render_page
from backups.errors import DamagedError, WrongKeyError
from backups.logical.catalog import Entry
from backups.logical.manifest import NAME, Server
from backups.monitoring.objectives import read_rates
from backups.physical.catalog import CATALOGUE, SETS, PhysicalManifest, list_physical
from backups.physical.settings import ensure_cipher, read_cipher, rewrap_cipher
from backups.storage.encryption import Keyring, new_key
from backups.storage.object_store import Store
from cli.commands.backup.screen import backups_table

LABEL = "20261125-010000F"
DRILL = Drill("b", "db", "t", "2026-11-25", "s", 1, 1 << 30, {"restore": 2.0}, 2.0, 1, {}, [], [])
MANIFEST = PhysicalManifest(
    id=LABEL, type="full", start=datetime(2026, 11, 25, 1, tzinfo=UTC), stop=datetime(2026, 11, 25, 2, tzinfo=UTC),
    bytes=1, stored_bytes=1, start_wal="0" * 24, server=Server(
        server_version=170005, postgresql="17.5", timescaledb="2.29.2", edition="timescale", extensions={},
        encoding="UTF8", collate="C", ctype="C", database="db", owner="o", image="ours:1"))
GARBAGE = [b"", b"\xff", b"[]", b"null", b"{}", b'{"when": 1}', b"[" * 100_000,
           json.dumps({**asdict(DRILL), "passed": True, "seconds": [1], "bytes": "x"}).encode()]


def bucket(objects: dict[str, bytes | Exception]) -> Store:
    """One that holds just these."""
    def get(key: str) -> bytes | None:
        body = objects.get(key)
        if isinstance(body, Exception):
            raise body
        return body

    def folders(under: str) -> list[str]:
        return sorted({key.removeprefix(under).split("/")[0] for key in objects if key.startswith(under)})

    return cast(Store, SimpleNamespace(
        get=get, put=objects.__setitem__, folders=folders,
        objects=lambda under: [(key, 1) for key in sorted(objects) if key.startswith(under)]))


@pytest.mark.parametrize("wrapped", ["ÿþ", "abc", "!!!!", "aGVsbG8=", ""])
def test_garbage_in_place_of_a_wrapped_key_is_one_line(wrapped: str) -> None:
    ring = Keyring([new_key()])
    with pytest.raises(WrongKeyError, match="its wrapped key was changed"):
        ring.unwrap(ring.current, wrapped, "b")


def test_a_cipher_that_somebody_wrote_over_is_put_anew_and_another_stack_s_is_left_alone() -> None:
    old, new = new_key(), new_key()
    both, key = Keyring([new, old]), f"db/physical-keys/{Keyring([new]).current}"
    store = bucket({})
    assert ensure_cipher(store, Keyring([old]), "db", "cipher")
    store.put(key, b"garbage")
    assert read_cipher(store, both, "db") == "cipher"
    assert rewrap_cipher(store, both, "db")
    assert not rewrap_cipher(store, both, "db")
    store.put(key, b"garbage")
    assert ensure_cipher(store, both, "db", "cipher")
    assert read_cipher(store, Keyring([new]), "db") == "cipher"
    before = store.get(key)
    with pytest.raises(WrongKeyError, match="is not this stack's"):
        ensure_cipher(store, both, "db", "another")
    assert store.get(key) == before


@pytest.mark.parametrize("garbage", [*GARBAGE, DamagedError("too long")])
def test_garbage_among_drills_is_no_drill(garbage: bytes | Exception) -> None:
    good = json.dumps({**asdict(DRILL), "passed": True}).encode()
    store = bucket({f"db/{CATALOGUE}/{LABEL}/drills/1.json": good, f"db/{CATALOGUE}/{LABEL}/drills/2.json": garbage})
    assert [facts["backup"] for facts in read_drills(store, "db")] == ["b"]
    assert "proven" in render_page(read_drills(store, "db"))
    assert read_rates(store, "db") == {}


@pytest.mark.parametrize("change", [{"start": "2026-11-25T01:00:00"}, {"needs": 1}, {"server": None}])
def test_a_physical_backup_is_listed_whatever_lies_in_its_manifest_s_place(change: dict[str, Any]) -> None:
    other = "20261126-010000F"
    objects: dict[str, bytes | Exception] = {
        f"db/{SETS}{LABEL}/backup.manifest": b"", f"db/{SETS}{other}/backup.manifest": b"",
        f"db/{CATALOGUE}/{LABEL}/{NAME}": json.dumps({**MANIFEST.model_dump(mode="json"), **change}).encode(),
        f"db/{CATALOGUE}/{other}/{NAME}": DamagedError("too long")}
    assert [entry.id for entry in list_physical(bucket(objects), "db")] == [LABEL, other]


def test_a_changed_physical_manifest_fails_its_seal() -> None:
    sealed = PhysicalManifest.model_validate_json(MANIFEST.with_seal("cipher").model_dump_json())
    sealed.require_seal("cipher")
    changed = sealed.model_copy(update={"server": sealed.server.model_copy(update={"image": "evil:1"})})
    for manifest, cipher in ((changed, "cipher"), (sealed, "another"), (MANIFEST, "cipher")):
        with pytest.raises(DamagedError, match="its seal is not that of the repository's cipher"):
            manifest.require_seal(cipher)


def test_names_of_somebody_else_neither_colour_nor_command_a_terminal() -> None:
    out = io.StringIO()
    Console(file=out, width=200).print(backups_table(
        [Entry("[red]x[/b]\x1b[2J", "db", "logical", None, None, None, "[/b]: not a manifest")]))
    assert "[red]x[/b]?[2J" in out.getvalue()
    assert "[/b]: not a manifest" in out.getvalue()
