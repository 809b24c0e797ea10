"""Time to recover a server from an empty machine, by kind of backup: from the bucket, its login and the keys alone.

The same readings each time: a full physical backup of all of them; a full one of 8 in 10, an incremental of one more in
10, and WAL with the last; a logical backup. From nothing but the image to a server that answers, its jobs off.
"""

from __future__ import annotations

import functools
import os
import secrets
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from backups.config import BackupConfig
from backups.logical.catalog import find_backup
from backups.operations import take_logical
from backups.physical.backup import take_physical
from backups.physical.point_in_time import RECOVERY_PARAMETERS, recover, remove_container
from backups.restoring.restore import restore_logical
from bench.report.keeping import keep
from infra.settings import OFFICIAL_IMAGE
from schema.connection import Address
from tests.support.filled import add_readings, fill
from tests.support.running.archived import Archived, archived, bridge_address
from tests.support.running.s3_servers import seaweedfs
from tests.support.running.servers import docker

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
ROWS = int(os.environ.get("BENCH_ROWS", "5000000"))
OPTIONS = os.environ.get("BENCH_DOCKER_OPTIONS", "").split()
RESTORED = "recovered"
FULL, CHAIN, LOGICAL = "physical, full", "physical, full + incremental + WAL", "logical"


def run() -> None:
    """Take the backups, lose the server, recover in turns, keep the picture."""
    with tempfile.TemporaryDirectory(prefix="lcdb-bench-") as name, seaweedfs(Path(name), bridge_address()) as s3:
        bucket = f"bench-{secrets.token_hex(4)}"
        s3.login.client().create_bucket(Bucket=bucket)
        with archived("official", s3.login, bucket) as archive:
            chain = _back_up(archive)
        # The server is gone; what follows has the bucket, its login and the keys, and the name of the image.
        config = archive.config.model_copy(update={"admin": None, "database": None, "physical": None})
        _measure(config, str(archive.config.image), archive.admin, chain)


def _back_up(archive: Archived) -> str:
    fill(archive, ROWS * 8 // 10, of=ROWS)
    take_physical(archive.config, "full", verified=False)
    add_readings(archive, ROWS * 8 // 10 + 1, ROWS * 9 // 10, ROWS)
    incremental = take_physical(archive.config, "incr", verified=False)
    add_readings(archive, ROWS * 9 // 10 + 1, ROWS, ROWS)
    archive.execute("CHECKPOINT", "SELECT pg_switch_wal()")
    take_logical(archive.config, verified=False)
    take_physical(archive.config, "full", verified=False)
    return incremental.id


def _measure(config: BackupConfig, image: str, source: Address, chain: str) -> None:
    seconds: dict[str, list[float]] = {FULL: [], CHAIN: [], LOGICAL: []}
    ways: dict[str, Callable[[], float]] = {
        FULL: functools.partial(_recover, config, image, source, None),
        CHAIN: functools.partial(_recover, config, image, source, chain),
        LOGICAL: functools.partial(_restore, config)}
    for number in range(ROUNDS):
        for way, take in ways.items():
            seconds[way].append(take())
        print(f"round {number + 1}:", {way: round(runs[-1], 1) for way, runs in seconds.items()}, flush=True)
    keep("recovery", f"From an empty machine to a server with {ROWS:,} readings, its jobs off", (FULL,), seconds)


def _recover(config: BackupConfig, image: str, source: Address, backup: str | None) -> float:
    name, since = f"bench-recovery-{secrets.token_hex(3)}", time.monotonic()
    try:
        recovered = recover(config, name, backup=backup, image=image, options=OPTIONS)
        taken = time.monotonic() - since
        _require_rows(replace(source, port=recovered.address.port))
        return taken
    finally:
        remove_container(name)


def _restore(config: BackupConfig) -> float:
    since = time.monotonic()
    with _server() as server:
        entry = find_backup(config.store(), config.database_name())
        restore_logical(config.store(), config.keyring(), entry, server, RESTORED, image=OFFICIAL_IMAGE)
        taken = time.monotonic() - since
        _require_rows(replace(server, database=RESTORED))
        return taken


@contextmanager
def _server() -> Iterator[Address]:
    """A new server as durable as the recovered ones; the drill's throw-away one is not."""
    name, password = f"bench-recovery-{secrets.token_hex(3)}", secrets.token_hex(8)
    parameters = {key: value for key, value in RECOVERY_PARAMETERS.items() if key not in ("hba_file", "archive_mode")}
    docker("run", "--detach", "--name", name, "--publish", "127.0.0.1::5432", "--shm-size", "256m", *OPTIONS,
           "--env", f"POSTGRES_PASSWORD={password}", "--env", "NO_TS_TUNE=true", OFFICIAL_IMAGE, "postgres",
           *(word for key, value in parameters.items() for word in ("-c", f"{key}={value}")))
    try:
        port = int(docker("port", name, "5432/tcp").splitlines()[0].rsplit(":", 1)[1])
        server = Address("127.0.0.1", port, "postgres", "postgres", password, sslmode="disable")
        server.connect(wait_seconds=60).close()
        yield server
    finally:
        docker("rm", "--force", "--volumes", name)


def _require_rows(address: Address) -> None:
    with address.connect() as connection:
        counted = connection.execute("SELECT count(*) FROM public.environmental_readings").fetchone()
    if counted != (ROWS,):
        raise SystemExit(f"bench: {address}: found {counted}, required {ROWS} rows")
