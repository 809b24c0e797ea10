"""A logical backup and its restore against the bare tools, round by round, on one server and one local S3 server."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from backups.catalogue import find_backup
from backups.restore import restore_logical
from backups.target import drop_database
from bench.results import keep
from infra.settings import OFFICIAL_IMAGE
from infra.targets import engine
from tests.database.backed_up import Backed, backed
from tests.database.servers import running
from tests.program.s3_servers import versitygw

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
ROWS = int(os.environ.get("BENCH_ROWS", "5000000"))
BARE_DUMP = "pg_dump -Fd -j2 with zstd into a local folder"
OURS, VERIFIED = "lcdb backup run --no-verify, to S3, encrypted", "lcdb backup run, verified"
BARE_RESTORE = "pg_restore, serial, with pre- and post-restore"
OUR_RESTORE = "lcdb backup restore, from S3, verified first"
# A process of its own for each backup, as a user has it; its peak memory is printed.
TAKE = ("import resource, sys\nfrom pathlib import Path\nfrom backups.config import BackupConfig\n"
        "from backups.runs import take_logical\n"
        "take_logical(BackupConfig.from_file(Path(sys.argv[1])), verified=sys.argv[2] == 'verified')\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)\n")


def run() -> None:
    """Fill a server, take turns, keep both pictures."""
    kind = "official" if engine.has_image(OFFICIAL_IMAGE) else "debian"
    with tempfile.TemporaryDirectory(prefix="lcdb-bench-") as name:
        folder = Path(name)
        for part in ("server", "s3"):
            (folder / part).mkdir()
        with running(kind, folder / "server") as server, versitygw(folder / "s3") as s3, \
                backed(server, s3.login, rows=ROWS) as subject:
            _measure(subject, folder)


def _measure(subject: Backed, folder: Path) -> None:
    file = folder / "backup.json"
    file.write_text(json.dumps(subject.config().model_dump(mode="json", exclude={"keys", "schedule", "retention"})
                               | {"keys": [subject.key]}))
    file.chmod(0o600)
    memory: list[int] = []
    dumps: dict[str, list[float]] = {BARE_DUMP: [], OURS: [], VERIFIED: []}
    restores: dict[str, list[float]] = {BARE_RESTORE: [], OUR_RESTORE: []}
    with subject.source.connect() as connection:
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")
    for number in range(ROUNDS):
        dumps[BARE_DUMP].append(_timed(lambda: _in_server(subject, _dump_command(subject.source.database))))
        for way, word in ((OURS, "unverified"), (VERIFIED, "verified")):
            dumps[way].append(_timed(lambda word=word: memory.append(_take(file, word))))
        restores[BARE_RESTORE].append(_timed(functools.partial(_bare_restore, subject, f"bare_{number}")))
        restores[OUR_RESTORE].append(_timed(functools.partial(_our_restore, subject, f"ours_{number}")))
        print(f"round {number + 1}:", {way: round(runs[-1], 1) for way, runs in (dumps | restores).items()})
    words = f"{ROWS:,} readings, TimescaleDB ({subject.server.kind} image)"
    print(keep("backup_logical", f"Logical backup of {words}; peak memory {max(memory)} MiB", BARE_DUMP, dumps))
    print(keep("restore_logical", f"Logical restore of {words}", BARE_RESTORE, restores))


def _timed(run: Callable[[], object]) -> float:
    since = time.monotonic()
    run()
    return time.monotonic() - since


def _take(file: Path, word: str) -> int:
    done = subprocess.run([sys.executable, "-c", TAKE, str(file), word], capture_output=True, text=True, check=True)
    return int(done.stdout)


def _dump_command(database: str) -> str:
    return f"rm -rf /tmp/bare && pg_dump -U postgres -Fd -j2 --compress=zstd -f /tmp/bare {database}"


def _in_server(subject: Backed, command: str) -> None:
    """Run the bare tool where it has the shortest way: in the server's container, over its socket."""
    port = str(subject.admin.port)
    names = subprocess.run(["docker", "ps", "--filter", f"publish={port}", "--format", "{{.Names}}"],
                           capture_output=True, text=True, check=True).stdout.split()
    subprocess.run(["docker", "exec", names[0], "bash", "-ec", command], check=True, capture_output=True)


def _bare_restore(subject: Backed, name: str) -> None:
    try:
        with subject.admin.connect() as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE template0".encode())
        with replace(subject.admin, database=name).connect() as connection:
            connection.execute("CREATE EXTENSION timescaledb SCHEMA public")
            connection.execute("SELECT public.timescaledb_pre_restore()")
        _in_server(subject, f"pg_restore -U postgres -d {name} /tmp/bare")
        with replace(subject.admin, database=name).connect() as connection:
            connection.execute("SELECT public.timescaledb_post_restore()")
        _require_rows(subject, [name])
    finally:
        _drop(subject, name)


def _our_restore(subject: Backed, name: str) -> None:
    try:
        entry = find_backup(subject.store, subject.source.database)
        restore_logical(subject.store, subject.ring, entry, subject.admin, name, image=subject.image, analyze=False)
        _require_rows(subject, [name])
    finally:
        _drop(subject, name)


def _require_rows(subject: Backed, names: Sequence[str]) -> None:
    for name in names:
        with replace(subject.admin, database=name).connect() as connection:
            found = connection.execute("SELECT count(*) FROM public.environmental_readings").fetchone()
        if found != (ROWS,):
            raise SystemExit(f"bench: {name}: found {found}, required {ROWS} rows")


def _drop(subject: Backed, name: str) -> None:
    with subject.admin.connect() as connection:
        drop_database(connection, name)
