"""How the backups of a database stand: for a person, for an exit status, for Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from backups.catalogue import Entry, list_backups
from backups.store import Store


@dataclass(frozen=True)
class Status:
    """The newest backup and the newest verified one, beside figures; `problem` says what is wrong, if anything is."""

    database: str
    count: int
    bytes: int
    newest: Entry | None
    verified: Entry | None
    drilled: datetime | None
    max_age: timedelta
    now: datetime

    @property
    def problem(self) -> str | None:
        """One line where the newest verified backup is older than allowed, or missing; None where all is well."""
        hours = self.max_age.total_seconds() / 3600
        if self.verified is None:
            return f"{self.database}: found no verified backup, required one of the last {hours:g} h; take one with " \
                   "`lcdb backup run`"
        age = self.now - self.verified.taken
        if age > self.max_age:
            found = f"{age.total_seconds() / 3600:.1f} h"
            return f"{self.database}: newest verified backup found {found} old, required at most {hours:g} h; look " \
                   "at the schedule's log, or take one with `lcdb backup run`"
        return None


def read_status(store: Store, database: str, max_age: timedelta, entries: Sequence[Entry] | None = None) -> Status:
    """Ask the bucket how the database's backups stand."""
    found = list_backups(store, database) if entries is None else entries
    whole = [entry for entry in found if entry.manifest]
    return Status(database, len(whole), sum(entry.manifest.stored_bytes for entry in whole if entry.manifest),
                  whole[-1] if whole else None, next((e for e in reversed(whole) if e.proven), None),
                  max((e.drilled for e in whole if e.drilled), default=None), max_age, datetime.now(UTC))


def render_metrics(statuses: Sequence[Status]) -> str:
    """The status in Prometheus's text format, for a scrape or for node_exporter's textfile collector."""
    def stamp(entry: Entry | None) -> float:
        return entry.taken.timestamp() if entry else 0.0

    families: dict[str, tuple[str, Callable[[Status], float]]] = {
        "lcdb_backup_ok": ("1 while the newest verified backup is young enough", lambda s: float(s.problem is None)),
        "lcdb_backup_newest_timestamp_seconds": ("start of the newest backup", lambda s: stamp(s.newest)),
        "lcdb_backup_newest_verified_timestamp_seconds": ("start of the newest verified backup",
                                                          lambda s: stamp(s.verified)),
        "lcdb_backup_newest_drill_timestamp_seconds": ("when a backup was last restored as a drill",
                                                       lambda s: s.drilled.timestamp() if s.drilled else 0.0),
        "lcdb_backup_count": ("backups in the bucket", lambda s: float(s.count)),
        "lcdb_backup_stored_bytes": ("bytes of all backups in the bucket", lambda s: float(s.bytes)),
        "lcdb_backup_newest_duration_seconds": ("how long the newest backup took", lambda s: (
            s.newest.manifest.finished - s.newest.manifest.started).total_seconds()
            if s.newest and s.newest.manifest else 0.0),
    }
    lines = []
    for name, (words, value) in families.items():
        lines += [f"# HELP {name} {words}", f"# TYPE {name} gauge"]
        lines += [f'{name}{{database="{status.database}",kind="logical"}} {value(status):.3f}' for status in statuses]
    return "\n".join(lines) + "\n"
