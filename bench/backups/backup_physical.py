"""pgBackRest through `lcdb backup run` against the bare tool in the same container, round by round.

To a local S3 server with TLS, into an encrypted repository. Before each incremental the same number of rows is new.
Once as a command, which pays for the start of Python and its libraries, once as a call in a process that runs already,
as the schedule's does.

pgBackRest waits for the next second of the clock before it copies, so a run takes up to a second more or less by when
it begins. All runs of a round begin at the same part of a second, each round at another one.
"""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from backups.physical.backup import take_physical
from backups.physical.pgbackrest import STANZA
from bench.report.keeping import keep
from tests.support.filled import add_readings, fill
from tests.support.running.archived import Archived, archived_with_own_s3

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "6"))
ROWS = int(os.environ.get("BENCH_ROWS", "5000000"))
# What each incremental has to copy.
ADDED = 50_000
BARE, OURS = "pgbackrest {} backup, in the server's container", "lcdb backup run --kind {} --no-verify"
WITHIN = "the same within a process that runs already, as the schedule's"


def run() -> None:
    """Fill a server, take turns, keep both pictures."""
    with tempfile.TemporaryDirectory(prefix="lcdb-bench-") as name, archived_with_own_s3(Path(name)) as (archive, _):
        fill(archive, ROWS)
        archive.execute("VACUUM ANALYZE", "CHECKPOINT")
        take_physical(archive.config, "full", verified=False)
        _measure(archive, Path(name))


def _measure(archive: Archived, folder: Path) -> None:
    file = archive.write_settings(folder / "backup.json")
    seconds: dict[str, dict[str, list[float]]] = {}
    added = ROWS
    for number in range(ROUNDS):
        for type_ in ("full", "incr"):
            ways = {BARE.format(f"--type={type_}"): functools.partial(_bare, archive, type_),
                    OURS.format(type_): functools.partial(_ours, file, type_),
                    WITHIN: functools.partial(take_physical, archive.config, type_, verified=False)}
            turns = list(ways.items())
            # None always comes after another.
            for way, take in turns[number % 3:] + turns[:number % 3]:
                if type_ == "incr":
                    add_readings(archive, added + 1, added + ADDED, ROWS)
                    added += ADDED
                archive.execute("CHECKPOINT", "SELECT pg_switch_wal()", "SELECT pg_sleep(1)")
                _await_part_of_second(number / ROUNDS)
                seconds.setdefault(type_, {}).setdefault(way, []).append(_timed(take))
        print(f"round {number + 1}:", {way: round(runs[-1], 2) for ways in seconds.values()
                                       for way, runs in ways.items()}, flush=True)
    for type_, title in (("full", f"Full backup of {ROWS:,} readings"),
                         ("incr", f"Incremental backup of {ADDED:,} new readings beside {ROWS:,}")):
        bare = BARE.format(f"--type={type_}")
        keep(f"backup_physical_{type_}", f"{title}, by pgBackRest to encrypted S3", (bare,),
             {way: seconds[type_][way] for way in (bare, OURS.format(type_), WITHIN)})


def _await_part_of_second(part: float) -> None:
    time.sleep((part - time.time()) % 1)


def _timed(run: Callable[[], object]) -> float:
    since = time.monotonic()
    run()
    return time.monotonic() - since


def _bare(archive: Archived, type_: str) -> None:
    subprocess.run(["docker", "exec", "--user", "postgres", archive.container, "pgbackrest", f"--stanza={STANZA}",
                    f"--type={type_}", "--no-expire-auto", "backup"], check=True, capture_output=True)


def _ours(file: Path, type_: str) -> None:
    subprocess.run([sys.executable, "-c", "from cli import main; main()", "backup", "run", "--kind", type_,
                    "--no-verify", "--config", str(file)], check=True, capture_output=True)
