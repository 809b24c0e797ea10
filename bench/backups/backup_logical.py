"""A logical backup and its restore against the bare tools, round by round, on one server and one local S3 server.

Both sides use the same client programs, those that `find_programs` finds (on the PATH here), and the server's own
address, past the proxy of a published port, which costs by the byte. Without programs of this machine the bare tools
run in the server's container.
"""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from backups.logical.catalog import find_backup
from backups.operations import take_logical
from backups.postgresql.client_programs import complaint, find_programs
from backups.restoring.restore import restore_logical
from backups.restoring.target_database import drop_database
from bench.report.keeping import keep
from infra.local import docker_engine
from infra.settings import OFFICIAL_IMAGE
from tests.support.backed_up import Backed, backed
from tests.support.running.s3_servers import seaweedfs
from tests.support.running.servers import Server, docker, running

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
ROWS = int(os.environ.get("BENCH_ROWS", "5000000"))
BARE_DUMP = "pg_dump -Fd -j2, zstd at its default level (3), into a local folder"
# Ours begins from level 1, with a smaller table of matches and a shorter memory: see backups/storage/compression.py.
BARE_FAST = "pg_dump -Fd -j2, zstd at level 1, into a local folder"
OURS, VERIFIED = "lcdb backup run --no-verify, to S3, encrypted", "lcdb backup run, verified"
# The container that keeps the schedule has read its libraries when a moment comes.
WITHIN = "the same within a process that runs already, as the schedule's"
BARE_RESTORE = "pg_restore, serial, with pre- and post-restore"
BARE_RESTORE_FAST = "pg_restore, the same, of the dump of level 1"
OUR_RESTORE = "lcdb backup restore, from S3, verified first (within a process that runs already)"
# A command leaves a database that queries can be planned for.
BARE_ANALYZED, OUR_COMMAND = "pg_restore, the same, then ANALYZE", "lcdb backup restore, as a command, ANALYZE included"
# Of the default level: what somebody has who sets nothing.
DUMP_GOALS = {(OURS, BARE_DUMP): 1.15, (WITHIN, BARE_DUMP): 1.15}
RESTORE_GOALS = {(OUR_RESTORE, BARE_RESTORE): 0.7, (OUR_COMMAND, BARE_ANALYZED): 0.7}
# The command itself, in a process of its own, as a user has it; the last line is its peak memory. getrusage would say
# its parent's, which is larger: a child begins with that figure.
TAKE = ("from cli import main\nmain()\n"
        "print(next(int(line.split()[1]) for line in open('/proc/self/status') if line.startswith('VmHWM')) // 1024)\n")


def run() -> None:
    """Fill a server, take turns, keep both pictures."""
    kind = "official" if docker_engine.has_image(OFFICIAL_IMAGE) else "debian"
    with tempfile.TemporaryDirectory(prefix="lcdb-bench-") as name:
        folder = Path(name)
        for part in ("server", "s3"):
            (folder / part).mkdir()
        with running(kind, folder / "server") as server, seaweedfs(folder / "s3") as s3, \
                backed(_at_its_own_address(server), s3.login, rows=ROWS) as subject:
            _measure(subject, folder)


def _at_its_own_address(server: Server) -> Server:
    host = docker("inspect", "--format", "{{.NetworkSettings.IPAddress}}", str(server.container)).strip()
    return replace(server, admin=replace(server.admin, host=host, port=5432))


def _measure(subject: Backed, folder: Path) -> None:
    file = folder / "backup.json"
    file.write_text(json.dumps(subject.config().model_dump(mode="json", exclude={"keys", "schedule", "retention"})
                               | {"keys": [subject.key]}))
    file.chmod(0o600)
    memory: list[int] = []
    dumps: dict[str, list[float]] = {BARE_DUMP: [], BARE_FAST: [], OURS: [], WITHIN: [], VERIFIED: []}
    restores: dict[str, list[float]] = {BARE_RESTORE: [], BARE_RESTORE_FAST: [], OUR_RESTORE: [], BARE_ANALYZED: [],
                                        OUR_COMMAND: []}
    with subject.source.connect() as connection:
        # One index, as in the figures that the goals were set by.
        connection.execute("DROP INDEX public.idx_environmental_time_temp")
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")
    # What loads the libraries once, and warms up the server for both sides.
    take_logical(subject.config(), verified=False)
    for number in range(ROUNDS):
        for way, method, target in ((BARE_FAST, "zstd:1", "fast"), (BARE_DUMP, "zstd", "bare")):
            shutil.rmtree(folder / target, ignore_errors=True)
            dumps[way].append(_timed(functools.partial(_bare_dump, subject, folder / target, method)))
        for way, take in ((WITHIN, functools.partial(take_logical, subject.config(), verified=False)),
                          (OURS, lambda: memory.append(_take(file, "--no-verify"))),
                          (VERIFIED, lambda: memory.append(_take(file, "--verify")))):
            dumps[way].append(_timed(take))
        for way, restore in ((BARE_RESTORE, functools.partial(_bare_restore, subject, folder / "bare")),
                             (BARE_RESTORE_FAST, functools.partial(_bare_restore, subject, folder / "fast")),
                             (OUR_RESTORE, functools.partial(_our_restore, subject)),
                             (BARE_ANALYZED, functools.partial(_bare_analyzed, subject, folder / "bare")),
                             (OUR_COMMAND, functools.partial(_restore, file))):
            restores[way].append(_restored(subject, restore, f"restored_{number}"))
        print(f"round {number + 1}:", {way: round(runs[-1], 1) for way, runs in (dumps | restores).items()})
    words = f"{ROWS:,} readings, TimescaleDB ({subject.server.kind} image)"
    size = "" if ROWS == 5_000_000 else f"_{ROWS // 1_000_000}m"
    print(f"peak memory of a command: {max(memory)} MiB")
    keep(f"backup_logical{size}", f"Logical backup of {words}", (BARE_DUMP, BARE_FAST), dumps, DUMP_GOALS)
    keep(f"restore_logical{size}", f"Logical restore of {words}", (BARE_RESTORE, BARE_RESTORE_FAST, BARE_ANALYZED),
         restores, RESTORE_GOALS)


def _timed(run: Callable[[], object]) -> float:
    since = time.monotonic()
    run()
    return time.monotonic() - since


def _take(file: Path, word: str) -> int:
    return int(_command("backup", "run", "--config", str(file), word).splitlines()[-1])


def _command(*words: str) -> str:
    # Where Python may not keep what it compiled, each command would compile the whole project anew.
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    return subprocess.run([sys.executable, "-c", TAKE, *words], env=environment, capture_output=True, text=True,
                          check=True).stdout


def _bare_dump(subject: Backed, target: Path, method: str) -> None:
    _bare(subject, subject.source.database, "pg_dump", "-Fd", "-j2", f"--compress={method}", f"--file={target}",
          where=target)


def _bare(subject: Backed, database: str, program: str, *words: str, where: Path) -> None:
    """Run the bare tool: this machine's, or the one in the server's container."""
    programs = find_programs(_version(subject), subject.image)
    if programs.folder is None:
        fresh = f"rm -rf {where} && mkdir -p {where.parent} && " if program == "pg_dump" else ""
        _in_server(subject, f"{fresh}{program} -U postgres -d {database} {' '.join(words)}")
        return
    with programs.run(program, [f"--dbname=service=lcdb dbname={database}", *words],
                      replace(subject.admin, database=database)) as process:
        if process.wait() != 0:
            raise SystemExit(f"bench: {program}: {complaint(process)}")


def _version(subject: Backed) -> int:
    with subject.admin.connect() as connection:
        return connection.info.server_version


def _in_server(subject: Backed, command: str) -> None:
    """Run the bare tool where it has the shortest way: in the server's container, over its socket."""
    subprocess.run(["docker", "exec", str(subject.server.container), "bash", "-ec", command], check=True,
                   capture_output=True)


def _restored(subject: Backed, restore: Callable[[str], None], name: str) -> float:
    """The seconds that a restore took; that every row is there, and that it goes again, is not in them."""
    try:
        seconds = _timed(functools.partial(restore, name))
        _require_rows(subject, [name])
        return seconds
    finally:
        _drop(subject, name)


def _bare_restore(subject: Backed, dump: Path, name: str) -> None:
    with subject.admin.connect() as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0".encode())
    with replace(subject.admin, database=name).connect() as connection:
        connection.execute("CREATE EXTENSION timescaledb SCHEMA public")
        connection.execute("SELECT public.timescaledb_pre_restore()")
    _bare(subject, name, "pg_restore", str(dump), where=dump)
    with replace(subject.admin, database=name).connect() as connection:
        connection.execute("SELECT public.timescaledb_post_restore()")


def _our_restore(subject: Backed, name: str) -> None:
    entry = find_backup(subject.store, subject.source.database)
    restore_logical(subject.store, subject.ring, entry, subject.admin, name, image=subject.image, analyze=False)


def _bare_analyzed(subject: Backed, dump: Path, name: str) -> None:
    _bare_restore(subject, dump, name)
    with replace(subject.admin, database=name).connect() as connection:
        connection.execute("ANALYZE")


def _restore(file: Path, name: str) -> None:
    _command("backup", "restore", "--config", str(file), "--into", name)


def _require_rows(subject: Backed, names: Sequence[str]) -> None:
    for name in names:
        with replace(subject.admin, database=name).connect() as connection:
            counted = connection.execute("SELECT count(*) FROM public.environmental_readings").fetchone()
        if counted != (ROWS,):
            raise SystemExit(f"bench: {name}: found {counted}, required {ROWS} rows")


def _drop(subject: Backed, name: str) -> None:
    with subject.admin.connect() as connection:
        drop_database(connection, name)
