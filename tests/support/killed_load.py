"""A load of development data in its own process, killed half-way."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

from schema.connection import Address
from seed import Spec
from seed.load.ledger import SCHEMA

SOURCE = Path(__file__).parents[2]
_PROGRAM = """
import sys, time, json
from schema.connection import Address
from seed import Spec
from seed.load.loader import LoadOptions, seed
address, spec, adding = json.load(sys.stdin)
seed(Address.from_dict(address), Spec.from_dict(spec), lambda *_: time.sleep(0.05),
     LoadOptions(add=adding, single_transaction_rows=0, workers=2))
"""


def kill_half_way(address: Address, spec: Spec, *, adding: bool = False) -> None:
    """Start the load in portions and kill -9 its process once a few portions are loaded."""
    process = subprocess.Popen([sys.executable, "-c", _PROGRAM], stdin=subprocess.PIPE, cwd=SOURCE, text=True)
    try:
        assert process.stdin
        process.stdin.write(json.dumps([address.to_dict(), spec.to_dict(), adding]))
        process.stdin.close()
        deadline = time.monotonic() + 60
        while portions(address) < 3:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        process.kill()
        process.wait()


def portions(address: Address) -> int:
    """Count the portions in the load's record; 0 without a record."""
    with address.connect() as connection:
        exists = connection.execute("SELECT to_regclass(%s) IS NOT NULL", (f"{SCHEMA}.portion",)).fetchone()
        if exists != (True,):
            return 0
        row = connection.execute(f"SELECT count(*) FROM {SCHEMA}.portion".encode()).fetchone()
        assert row
        return int(row[0])
