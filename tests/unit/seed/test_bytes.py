"""One number and one end give the same bytes on every machine, whatever its processor can do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
# What a machine writes for this spec; changes when the factories do, and then only on purpose.
DIGEST = "dda8535c90e0f12cc2f07d46fa8d0a7537c206e6727a8b5445d9b24d1f75ce18"
PROGRAM = """
import hashlib
from datetime import UTC, datetime
from seed import Spec, alerts, classifications, devices, readings, users
from seed.load.encoding import text
spec = Spec(days=12, until=datetime(2026, 4, 2, 9, 30, tzinfo=UTC))
parts, windows = list(readings(spec)), classifications(spec)
digest = hashlib.sha256()
for rows in (users(spec), devices(spec), *parts, windows, alerts(spec, parts, windows)):
    digest.update(text(rows))
print(digest.hexdigest())
"""


def written(**environment: str) -> str:
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True,
                          check=True, env={**os.environ, **environment})
    return done.stdout.strip()


def test_the_bytes_are_the_ones_written_down_here() -> None:
    assert written() == DIGEST


@pytest.mark.parametrize("variables", [
    {"NPY_DISABLE_CPU_FEATURES": "AVX512_SPR AVX512_ICL X86_V4"},
    {"NPY_DISABLE_CPU_FEATURES": "AVX512_SPR AVX512_ICL X86_V4 X86_V3",
     "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-AVX512F,-FMA,-FMA4"},
], ids=["without AVX-512", "without AVX2 and FMA"])
def test_a_processor_that_can_less_writes_the_same(variables: dict[str, str]) -> None:
    assert written(**variables) == DIGEST


def test_time_zone_and_language_of_the_machine_do_not_matter() -> None:
    assert written(TZ="Asia/Tokyo", LC_ALL="C", PYTHONHASHSEED="7") == DIGEST
