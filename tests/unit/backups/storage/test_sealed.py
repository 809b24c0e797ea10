"""What earlier programs sealed is read by this one: a seal is of the same text as ever."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import BaseModel

from backups.physical.restore_points import Count, Point
from backups.storage.sealed import Sealed
from tests.unit.backups.storage.test_hostile import MANIFEST
from tests.unit.backups.test_manifest import KEY, manifest

POINT = Point(name="a", lsn="0/1", when=datetime(2026, 11, 25, tzinfo=UTC), snapshot="1:1:",
              counts={"a": Count(rows=1, checksum="2")})


def test_the_seals_are_those_that_commit_41819d6_gave() -> None:
    assert manifest("i@sha256:0").model_copy(update={"format": 3}).with_seal(KEY).seal == (
        "25ac0d5d2690ea39ecdc9cf240de5c48"
        "1fbaa56211921c4facf6d328f933e24e")
    assert MANIFEST.with_seal("cipher").seal == (
        "0a34a1333d70082d0c58a8081bd27c6c"
        "a09ce17a24d7da1f2f8e1d4b42813852")
    assert POINT.with_seal("cipher").seal == (
        "9ef6dd2ef3a45cf81f2ffe67ef450c43"
        "28eb9ed75c209b989b5721052d11590d")


@pytest.mark.parametrize("value", [MANIFEST, POINT, manifest(None)], ids=["physical", "point", "logical"])
def test_a_value_is_sealed_with_one_key_and_no_other(value: Sealed) -> None:
    sealed = value.with_seal("cipher")
    assert isinstance(sealed, BaseModel)
    assert sealed.is_sealed_with(b"cipher")
    assert not sealed.is_sealed_with("another cipher")
    assert not value.model_copy(update={"seal": ""}).is_sealed_with("cipher")
