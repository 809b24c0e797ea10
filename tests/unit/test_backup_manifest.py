"""A manifest is what was sealed, also one that was written before a newer program knew more to say."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from backups.errors import DamagedError
from backups.manifest import Manifest, Server
from backups.store import Stored

KEY = b"k" * 32
DIGEST = "timescale/timescaledb@sha256:0123"


def manifest(digest: str | None) -> Manifest:
    server = Server(server_version=170012, postgresql="17.12", timescaledb="2.29.2", edition="timescale",
                    extensions={}, encoding="UTF8", collate="C", ctype="C", database="d", owner="o", image="i:1",
                    image_digest=digest)
    now = datetime(2026, 11, 25, tzinfo=UTC)
    return Manifest(id="b", database="d", started=now, finished=now, server=server, program={},
                    structure=Stored("structure.dump", 1, "0"), tables=[], sequences=[], roles=[], jobs=[],
                    fingerprint="f").sealed(KEY)


def test_one_without_a_digest_is_written_and_sealed_as_before_there_was_one() -> None:
    text = json.loads(manifest(None).to_json())
    assert "image_digest" not in text["server"]
    Manifest.from_json(json.dumps(text).encode(), "here").require_seal(KEY)
    assert manifest(None).server.origin().endswith("2 (timescale), image i:1 (digest unknown)")


def test_a_digest_is_kept_named_and_sealed() -> None:
    text = json.loads(manifest(DIGEST).to_json())
    found = Manifest.from_json(json.dumps(text).encode(), "here")
    found.require_seal(KEY)
    assert DIGEST in found.server.origin()
    text["server"]["image_digest"] = DIGEST.replace("0123", "4567")
    with pytest.raises(DamagedError, match="was changed"):
        Manifest.from_json(json.dumps(text).encode(), "here").require_seal(KEY)
