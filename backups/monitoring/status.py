"""The state of a database's backups: for people, as an exit status, and for Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from backups.logical.catalog import Entry, Listed, list_backups, newest_moment, newest_proven
from backups.monitoring.objectives import Objectives
from backups.physical.catalog import PhysicalEntry
from backups.storage.object_store import Store


@dataclass(frozen=True)
class Status:
    """The newest backup, the newest verified one, and totals; `problem` says what is wrong."""

    database: str
    count: int
    bytes: int
    newest: Listed | None
    verified: Listed | None
    drilled: datetime | None
    max_age: timedelta
    now: datetime
    kind: str = "logical"
    objectives: Objectives | None = None
    failed: datetime | None = None

    @property
    def problem(self) -> str | None:
        """One line where the newest verified backup is too old or missing, or the newest drill failed; else None."""
        hours, word = self.max_age.total_seconds() / 3600, "" if self.kind == "logical" else f"{self.kind} "
        take = f"`lcdb backup run{' --kind logical' if self.kind == 'logical' else ''}`"
        if self.verified is None:
            return f"{self.database}: found no verified {word}backup, required one of the last {hours:g} h; take one " \
                   f"with {take}"
        age = self.now - self.verified.taken
        if age > self.max_age:
            hours_old = age.total_seconds() / 3600
            return f"{self.database}: newest verified {word}backup found {hours_old:.1f} h old, required at most " \
                   f"{hours:g} h; look at the schedule's log, or take one with {take}"
        if self.failed and (self.drilled is None or self.failed >= self.drilled):
            return f"{self.database}: the newest drill of a {word}backup, {self.failed:%Y-%m-%d %H:%M} UTC, failed; " \
                   "its report lies beside the backup; look into it, then run `lcdb backup drill`"
        if self.objectives and self.objectives.problem:
            return f"{self.database}: {self.objectives.problem}"
        return None


def read_status(store: Store, database: str, max_age: timedelta, entries: Sequence[Entry] | None = None) -> Status:
    """Read the state of the database's logical backups from the bucket."""
    listed = list_backups(store, database) if entries is None else entries
    readable = [entry for entry in listed if entry.manifest]
    return Status(database, len(readable), sum(entry.manifest.stored_bytes for entry in readable if entry.manifest),
                  readable[-1] if readable else None, newest_proven(readable),
                  newest_moment([e.drilled for e in readable]), max_age, datetime.now(UTC),
                  failed=newest_moment([e.failed for e in readable]))


def physical_status(database: str, max_age: timedelta, entries: Sequence[PhysicalEntry], objectives: Objectives | None
                    ) -> Status:
    """The state of the physical backups, with recovery point and recovery time; pure but for the clock."""
    return Status(database, len(entries), sum(entry.stored_bytes for entry in entries),
                  entries[-1] if entries else None, newest_proven(entries),
                  newest_moment([e.drilled for e in entries]), max_age, datetime.now(UTC), "physical", objectives,
                  newest_moment([e.failed for e in entries]))


def render_metrics(statuses: Sequence[Status]) -> str:
    """The states in Prometheus's text format, for a scrape or for node_exporter's textfile collector."""
    def stamp(entry: Listed | None) -> float:
        return entry.taken.timestamp() if entry else 0.0

    families: dict[str, tuple[str, Callable[[Status], float]]] = {
        "lcdb_backup_ok": ("1 while nothing is wrong, as `lcdb backup status` says it",
                           lambda s: float(s.problem is None)),
        "lcdb_backup_newest_timestamp_seconds": ("start of the newest backup", lambda s: stamp(s.newest)),
        "lcdb_backup_newest_verified_timestamp_seconds": ("start of the newest verified backup",
                                                          lambda s: stamp(s.verified)),
        "lcdb_backup_newest_drill_timestamp_seconds": ("when a backup was last restored as a drill",
                                                       lambda s: s.drilled.timestamp() if s.drilled else 0.0),
        "lcdb_backup_newest_failed_drill_timestamp_seconds": ("when a drill last failed",
                                                              lambda s: s.failed.timestamp() if s.failed else 0.0),
        "lcdb_backup_count": ("backups in the bucket", lambda s: float(s.count)),
        "lcdb_backup_stored_bytes": ("bytes of all backups in the bucket", lambda s: float(s.bytes)),
        "lcdb_backup_newest_duration_seconds": (
            "how long the newest backup took", lambda s: s.newest.seconds if s.newest else 0.0),
    }
    only_physical: dict[str, tuple[str, Callable[[Objectives], float | None]]] = {
        "lcdb_backup_recovery_point_seconds": ("seconds of writes that are not in the bucket yet",
                                               lambda o: o.behind_seconds),
        "lcdb_backup_wal_waiting_segments": ("WAL segments that wait to be archived", lambda o: o.waiting_segments),
        "lcdb_backup_wal_since_backup_bytes": ("WAL that a recovery would replay", lambda o: o.wal_bytes),
        "lcdb_backup_expected_recovery_seconds": ("how long a recovery would take", lambda o: o.expected_seconds),
        "lcdb_backup_recovery_target_seconds": ("how long it may take", lambda o: o.target_seconds),
    }
    lines = []
    for name, (words, value) in families.items():
        lines += [f"# HELP {name} {words}", f"# TYPE {name} gauge"]
        lines += [f'{name}{{database="{status.database}",kind="{status.kind}"}} {value(status):.3f}'
                  for status in statuses]
    for name, (words, figure) in only_physical.items():
        known = [(status, figure(status.objectives)) for status in statuses if status.objectives]
        lines += [f"# HELP {name} {words}", f"# TYPE {name} gauge"] if known else []
        lines += [f'{name}{{database="{status.database}",kind="{status.kind}"}} {number:.3f}'
                  for status, number in known if number is not None]
    return "\n".join(lines) + "\n"
