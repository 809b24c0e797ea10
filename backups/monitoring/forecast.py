"""Whether the schedule keeps recovery within its target at the server's present rate of WAL; pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice, pairwise, takewhile
from zoneinfo import ZoneInfo

from cronsim import CronSim

from backups.config import PHYSICAL_KINDS, Due, Kind

# Long enough to see a week's pattern whole; where all comes more seldom, the second moment of one line is the end.
HORIZON = timedelta(days=8)
# What a person would schedule, and the seconds between two.
STEPS = (("24 h", 86400), ("12 h", 43200), ("8 h", 28800), ("6 h", 21600), ("4 h", 14400), ("3 h", 10800),
         ("2 h", 7200), ("hour", 3600), ("30 min", 1800), ("15 min", 900))


@dataclass(frozen=True)
class Forecast:
    """The longest gap between physical backups, and the rates that decide how long a recovery takes.

    Seconds, and bytes a second; `fixed_seconds` is the part that does not depend on WAL.
    """

    gap_seconds: float
    wal_rate: float
    replay_rate: float
    fixed_seconds: float
    target_seconds: float

    @property
    def replay_seconds(self) -> float:
        """How long replaying the WAL of the longest gap would take."""
        return self.gap_seconds * self.wal_rate / self.replay_rate

    @property
    def problem(self) -> str | None:
        """One line with a schedule that suffices, where this one does not; None where it does."""
        if self.fixed_seconds + self.replay_seconds <= self.target_seconds:
            return None
        problem = (f"backupSchedule: a backup every {format_duration(self.gap_seconds)} lets replay take "
                   f"{format_duration(self.replay_seconds)} at {self.wal_rate / 1e6:.1f} MB of WAL a second, recovery "
                   f"{format_duration(self.fixed_seconds + self.replay_seconds)}; required at most "
                   f"{format_duration(self.target_seconds)} (recoveryTimeTarget)")
        allowed = (self.target_seconds - self.fixed_seconds) * self.replay_rate / self.wal_rate
        step = next((word for word, seconds in STEPS if seconds <= allowed), None)
        if step is None:
            return f"{problem}; no schedule does: raise the target, or keep a standby (replicas)"
        return f"{problem}; schedule an incremental every {step}"


def longest_gap(schedule: Sequence[Due], now: datetime, kinds: frozenset[Kind] = PHYSICAL_KINDS) -> float | None:
    """The longest time in seconds between two backups of these kinds; None where the schedule takes none."""
    lines = [due for due in schedule if due.kind in kinds]
    if not lines:
        return None
    until = max(now + HORIZON, min(list(islice(_moments(due, now), 2))[-1] for due in lines))
    moments = sorted(moment for due in lines for moment in takewhile(lambda at: at <= until, _moments(due, now)))
    return max(((later - earlier).total_seconds() for earlier, later in pairwise(moments)), default=None)


def format_duration(seconds: float) -> str:
    """A duration in s, min or h, as people write it."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.3g} h"


def _moments(due: Due, since: datetime) -> Iterator[datetime]:
    for moment in CronSim(due.cron, since.astimezone(ZoneInfo(due.timezone))):
        yield moment.astimezone(since.tzinfo)
