"""No list of processes shows a secret, at any moment of a backup of either kind, of a restore, of a drill."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.support.filled import fill
from tests.support.running.archived import Archived, archived_at
from tests.support.running.s3_servers import S3Server

INTERVAL_SECONDS = 0.01
# A process has its words soon after it began; what has run for longer is looked at in every hundredth round.
YOUNG_SECONDS = 3.0


@contextmanager
def watched() -> Iterator[set[bytes]]:
    """Every command line of this machine, those of containers included, until the block ends."""
    seen, over = set[bytes](), threading.Event()

    def watch() -> None:
        since = dict[str, float]()
        for number in itertools.count():
            if over.is_set():
                break
            now = time.monotonic()
            since = {pid: since.get(pid, now) for pid in filter(str.isdigit, os.listdir("/proc"))}
            for pid, began in since.items():
                if now - began < YOUNG_SECONDS or number % 100 == 0:
                    with suppress(OSError):
                        seen.add(Path("/proc", pid, "cmdline").read_bytes())
            time.sleep(INTERVAL_SECONDS)
    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def lcdb(file: Path, *words: str, status: int = 0) -> None:
    done = subprocess.run([sys.executable, "-c", "from cli import main; main()", "backup", *words, "--config",
                           str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stdout + done.stderr


def secrets_of(archive: Archived) -> dict[str, bytes]:
    config = archive.config
    return {"password": archive.admin.password.encode(), "S3 secret key": config.s3["secret_key"].encode(),
            "backup key": config.keys[0].get_secret_value().encode(),
            "cipher": str((config.physical or {})["cipher"]).encode()}


@pytest.mark.needs("official", "s3")
def test_no_command_line_holds_a_secret(s3: S3Server, tmp_path: Path) -> None:
    with archived_at(s3) as archive:
        fill(archive, 20_000)
        file = archive.write_settings(tmp_path / "backup.json")
        with watched() as seen:
            lcdb(file, "run", "--kind", "logical")
            lcdb(file, "restore", "--into", "again")
            lcdb(file, "run", "--kind", "full")
            lcdb(file, "drill", status=1)  # of a server whose policies are paused, as the schema has them not
        for name, secret in secrets_of(archive).items():
            assert len(secret) > 12
            assert [line for line in seen if secret in line] == [], name
        # Short-lived ones were seen too: what would have shown one.
        for program in (b"pg_dump", b"pg_restore", b"pgbackrest"):
            assert any(program in line for line in seen), program
