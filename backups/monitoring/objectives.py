"""Recovery point and recovery time of physical backups: what a loss now would cost, and how long recovery would take.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from backups.config import BackupConfig
from backups.errors import BackupError, DamagedError
from backups.logical.catalog import DRILLS
from backups.monitoring.forecast import Forecast, format_duration, longest_gap
from backups.physical.catalog import CATALOGUE, PhysicalEntry
from backups.physical.pgbackrest import STANZA
from backups.physical.settings import ARCHIVE_TIMEOUT_SECONDS, PHYSICAL
from backups.storage.object_store import Store
from schema.errors import SchemaError

ARCHIVE = f"{PHYSICAL}/archive/{STANZA}/"
SEGMENT = re.compile(r"/([0-9A-F]{24})-[0-9a-f]{40}")
SEGMENT_BYTES = 16 << 20
# Until a drill has measured them here: the slower end of what was seen on two cores with a local S3 server.
RESTORE_BYTES_PER_SECOND, REPLAY_BYTES_PER_SECOND, START_SECONDS = 80e6, 80e6, 5.0
# A drill that restored, or replayed, less than this says little about the rate: most of its time goes into beginning.
LEAST_BYTES = 64 << 20
# The rate of WAL is that of a day, and not said before there is an hour of it.
RATE_PERIOD, LEAST_PERIOD_SECONDS = timedelta(days=1), 3600
# An incremental is taken out of turn from this part of the target on, where replay is at least that part of it, and the
# last backup is not younger.
NEAR, COUNTS, LEAST_AGE_SECONDS = 0.8, 0.1, 600


@dataclass(frozen=True)
class Objectives:
    """Recovery point and expected recovery time, in seconds and bytes.

    `behind_seconds` is None where the server did not answer; `measured` says whether a drill measured the rates; a
    segment is closed after `timeout_seconds`, 0 for never.
    """

    archived: datetime | None
    behind_seconds: float | None
    waiting_segments: int
    wal_bytes: int
    restore_seconds: float
    replay_seconds: float
    target_seconds: float
    measured: bool
    archiving_problem: str | None = None
    forecast: Forecast | None = None
    timeout_seconds: float = ARCHIVE_TIMEOUT_SECONDS

    @property
    def expected_seconds(self) -> float:
        """Starting a server, copying the newest backup back, and replaying the WAL since."""
        return START_SECONDS + self.restore_seconds + self.replay_seconds

    @property
    def problem(self) -> str | None:
        """One line where WAL does not arrive, or recovery takes or will take longer than its target; else None."""
        if self.archiving_problem:
            return self.archiving_problem
        if self.expected_seconds > self.target_seconds:
            helps = self.expected_seconds - self.replay_seconds <= self.target_seconds
            remedy = "take an incremental now, and more often" if helps else \
                "copying the files back takes too long already: raise the target, or keep a standby (replicas)"
            return (f"expected recovery time found {format_duration(self.expected_seconds)} "
                    f"({format_duration(self.replay_seconds)} of it replay of {self.wal_bytes / 1e6:,.0f} MB of WAL), "
                    f"required at most {format_duration(self.target_seconds)} (recoveryTimeTarget); {remedy}")
        return self.forecast.problem if self.forecast else None

    def describe(self) -> str:
        """Recovery point and expected recovery time as one line for people."""
        limit = f"at most {self.timeout_seconds:.0f} s" if self.timeout_seconds else "without limit"
        point = "not asked: the server does not answer" if self.behind_seconds is None else \
            f"{self.behind_seconds:.0f} s behind, {limit} while WAL arrives"
        arrived = f"{self.archived:%Y-%m-%d %H:%M:%S} UTC" if self.archived else "never"
        return (f"recovery point {point} (last WAL in the bucket {arrived}); expected recovery time "
                f"{format_duration(self.expected_seconds)}, {format_duration(self.replay_seconds)} of it replay of "
                f"{self.wal_bytes / 1e6:,.0f} MB of WAL, by {'a drill here' if self.measured else 'assumed rates'}; "
                f"target {format_duration(self.target_seconds)}")

    def facts(self) -> dict[str, Any]:
        """The same as a JSON-ready mapping."""
        return {"archived": self.archived.isoformat() if self.archived else None,
                "behind_seconds": self.behind_seconds, "archive_timeout_seconds": self.timeout_seconds,
                "waiting_segments": self.waiting_segments,
                "wal_bytes": self.wal_bytes, "expected_recovery_seconds": round(self.expected_seconds, 1),
                "replay_seconds": round(self.replay_seconds, 1), "target_seconds": self.target_seconds,
                "wal_bytes_per_second": round(self.forecast.wal_rate) if self.forecast else None,
                "measured": self.measured, "problem": self.problem}


def read_objectives(config: BackupConfig, entries: Sequence[PhysicalEntry]) -> Objectives:
    """Ask the bucket, and the server where it answers, for recovery point and expected recovery time."""
    store, database, now = config.store(), config.database_name(), datetime.now(UTC)
    newest = next((entry.manifest for entry in reversed(entries) if entry.manifest), None)
    archive = read_archive(store, database, newest.start_wal if newest else None, now)
    rates = read_rates(store, database)
    replay = rates.get("replay", REPLAY_BYTES_PER_SECOND)
    restore_seconds = (newest.bytes if newest else 0) / rates.get("restore", RESTORE_BYTES_PER_SECOND)
    target, gap = config.recovery_time_target * 60.0, longest_gap(config.schedule, now)
    server = read_archiving(config)
    return Objectives(
        archive.arrived, server.behind_seconds, server.waiting_segments, archive.wal_bytes, restore_seconds,
        archive.wal_bytes / replay, target, "restore" in rates, server.problem,
        Forecast(gap, archive.rate, replay, START_SECONDS + restore_seconds, target) if gap and archive.rate else None,
        server.timeout_seconds)


@dataclass(frozen=True)
class Archive:
    """The archived WAL: when the newest segment arrived, the bytes since a segment, the bytes a second of the last day.
    """

    arrived: datetime | None
    wal_bytes: int
    rate: float | None


def read_archive(store: Store, database: str, since: str | None, now: datetime) -> Archive:
    """Read the list of WAL segments in the bucket: from segment `since` on, and those of the last day.

    The rate is None until the WAL covers an hour.
    """
    late, count, moments = now - RATE_PERIOD, 0, list[datetime]()
    for version in store.folders(f"{database}/{ARCHIVE}"):
        # A folder holds one timeline's next 256 segments: from the newest back, most of them are long past.
        for folder in sorted(store.folders(f"{database}/{ARCHIVE}{version}/"), reverse=True):
            segments = [(match[1], moment) for key, _, moment in store.list_with_times(
                f"{database}/{ARCHIVE}{version}/{folder}/") if (match := SEGMENT.search(key))]
            moments += [moment for _, moment in segments]
            count += sum(since is not None and segment >= since for segment, _ in segments)
            if segments and max(segments)[1] < late and (since is None or folder <= since[:16]):
                break
    recent = [moment for moment in moments if moment >= late]
    period = (now - min(recent)).total_seconds() if recent else 0.0
    return Archive(max(moments, default=None), count * SEGMENT_BYTES,
                   len(recent) * SEGMENT_BYTES / period if period >= LEAST_PERIOD_SECONDS else None)


def read_rates(store: Store, database: str) -> Mapping[str, float]:
    """Bytes a second of restore and replay in the last successful drill; a phase too short to tell is absent."""
    keys = [key for key, _ in store.objects(f"{database}/{CATALOGUE}/") if f"/{DRILLS}" in key]
    if not keys:
        return {}
    newest, rates = max(keys, key=lambda key: key.rsplit("/", 1)[1]), dict[str, float]()
    try:
        facts = json.loads(store.get(newest) or b"{}")
        for phase, size in (("restore", facts["bytes"]), ("replay", facts.get("replayed_bytes", 0))):
            if size >= LEAST_BYTES and facts["seconds"].get(phase):
                rates[phase] = size / float(facts["seconds"][phase])
    except (AttributeError, DamagedError, KeyError, RecursionError, TypeError, ValueError):
        return {}  # somebody else put it there
    return rates


@dataclass(frozen=True)
class Archiving:
    """The server's view of archiving: seconds of writes not yet in the bucket, waiting segments, and what is wrong.

    `behind_seconds` is None where the server did not answer; `timeout_seconds` is archive_timeout.
    """

    behind_seconds: float | None
    waiting_segments: int
    problem: str | None
    timeout_seconds: float


def read_archiving(config: BackupConfig) -> Archiving:
    """Ask the server, without waiting for it, how archiving goes."""
    try:
        with config.administrator().connect(wait_seconds=0) as connection:
            row = connection.execute("""
                SELECT (SELECT count(*) FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready'),
                       (SELECT extract(epoch FROM now() - min(modification))::float8 FROM pg_ls_archive_statusdir()
                         WHERE name LIKE '%.ready'),
                       extract(epoch FROM now() - coalesce(last_archived_time, pg_postmaster_start_time()))::float8,
                       coalesce(last_failed_time > last_archived_time, last_failed_time IS NOT NULL),
                       (SELECT setting::float8 FROM pg_settings WHERE name = 'archive_timeout'),
                       last_archived_time IS NULL
                  FROM pg_stat_archiver""").fetchone()
    except (BackupError, SchemaError, psycopg.Error):
        return Archiving(None, 0, None, ARCHIVE_TIMEOUT_SECONDS)
    assert row
    waiting, oldest, age, failing, timeout, never = row
    problem = None
    # A segment is open for so long at most; it has as long again to arrive.
    allowed = timeout or float(ARCHIVE_TIMEOUT_SECONDS)
    if waiting and oldest > allowed:
        why = "its archive command fails" if failing else \
            "none has arrived yet" if never else "it is slower than the writers"
        problem = (f"archiving: {waiting} WAL segments wait, the oldest for {oldest:.0f} s, required at most "
                   f"{allowed:.0f} s: {why}; see the server's log and the bucket")
    elif not timeout:
        problem = (f"archiving: archive_timeout found 0, required {ARCHIVE_TIMEOUT_SECONDS} s or so: what was written "
                   "last is not in the bucket before its segment is full; set it and reload the server")
    # The segment that is being written is closed by then, if anything was written to it.
    return Archiving(age if waiting or not timeout else min(age, timeout), waiting, problem, timeout)


def nears_target(objectives: Objectives, entries: Sequence[PhysicalEntry], now: datetime | None = None) -> bool:
    """Whether to take an incremental backup now: replay brings the expected recovery time near its target."""
    age = ((now or datetime.now(UTC)) - entries[-1].taken).total_seconds() if entries else 0.0
    return age > LEAST_AGE_SECONDS and objectives.expected_seconds > NEAR * objectives.target_seconds \
        and objectives.replay_seconds > COUNTS * objectives.target_seconds
