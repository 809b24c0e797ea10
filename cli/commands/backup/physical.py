"""The commands of `lcdb backup` where the backup is a physical one, by pgBackRest."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from cli.commands.backup.screen import backups_table, physical_facts, print_result, progress_bar, size_text
from cli.console import console

if TYPE_CHECKING:
    from backups.config import BackupConfig
    from backups.logical.catalog import Entry
    from backups.monitoring.status import Status
    from backups.physical.catalog import PhysicalEntry
    from backups.physical.pgbackrest import Type

# How long taking and verifying a scheduled backup may last before it counts as late.
LENIENCE = timedelta(hours=2)


def find_entry(config: BackupConfig, id_: str | None) -> Entry | PhysicalEntry:
    """Find the backup with this id, logical or physical; without an id the newest of all. Raises BackupError."""
    from backups.logical.catalog import find_backup, list_backups
    from backups.physical.catalog import find_physical, is_label, list_physical

    store, database = config.store(), config.database_name()
    if id_ is not None:
        return (find_physical if is_label(id_) else find_backup)(store, database, id_)
    physical, logical = list_physical(store, database), list_backups(store, database)
    # pgBackRest knows whole seconds; of two that begin within one, `list` has the physical one last too.
    if physical and (not logical or physical[-1].taken >= logical[-1].taken.replace(microsecond=0)):
        return physical[-1]
    return find_backup(store, database, entries=logical)


def run(config: BackupConfig, type_: str, as_json: bool, *, verified: bool) -> None:
    """Take a physical backup, and verify it where `verified`. Raises BackupError."""
    from backups.physical.backup import take_physical

    with progress_bar("backing up") as listener:
        entry = take_physical(config, cast("Type", str(type_)), verified=verified, listener=listener)
    assert entry.manifest
    print_result(as_json, physical_facts(entry), lambda: console.print(
        f"backup {entry.id}: {entry.kind}, {size_text(entry.stored_bytes)} in the bucket of "
        f"{size_text(entry.manifest.bytes if entry.manifest else 0)}, {entry.seconds:.0f} s"
        f"{', verified' if verified else ''}", soft_wrap=True))


def show(entry: PhysicalEntry, as_json: bool) -> None:
    """Show one: the backups it depends on, the server, the first WAL segment that its recovery needs."""
    known = entry.manifest
    print_result(as_json, {**physical_facts(entry), **({"manifest": known.model_dump(mode="json")} if known else {})},
                 lambda: console.print(
        backups_table([], [entry]), f"depends on  {', '.join(entry.needs) or 'nothing: it is a full backup'}",
        *([f"server  {known.server.origin()}",
           f"WAL from  {known.start_wal}"] if known else ["taken by pgBackRest alone, so no more is known about it"]),
        sep="\n", soft_wrap=True, markup=False))


def verify(config: BackupConfig, entry: PhysicalEntry, as_json: bool) -> None:
    """Have pgBackRest read one back, with the backups that it depends on. Raises BackupError."""
    from backups.physical.backup import verify_physical

    with progress_bar(f"verifying {entry.id}"):
        verify_physical(config, entry)
    print_result(as_json, {"id": entry.id, "verified": True}, lambda: console.print(
        f"backup {entry.id}: verified, with the {len(entry.needs)} that it depends on", soft_wrap=True))


def read_statuses(config: BackupConfig) -> list[Status]:
    """Read the state of each kind of backup that this stack takes. Raises BackupError.

    Physical where pgBackRest is set up; logical where it is scheduled, or the only kind. Logical backups that somebody
    takes by hand in addition to physical ones may grow old.
    """
    from backups.logical.catalog import list_backups
    from backups.monitoring.forecast import longest_gap
    from backups.monitoring.objectives import read_objectives
    from backups.monitoring.status import physical_status, read_status
    from backups.physical.catalog import list_physical

    store, database, allowed = config.store(), config.database_name(), timedelta(hours=config.max_age_hours)
    entries, statuses = list_backups(store, database), list[Any]()
    if config.physical:
        physical = list_physical(store, database)
        statuses.append(physical_status(database, allowed, physical, read_objectives(config, physical)))
    if not config.physical or any(due.kind == "logical" for due in config.schedule):
        gap = longest_gap(config.schedule, datetime.now(UTC), frozenset({"logical"})) if config.physical else None
        # As a second copy it may become as old as the schedule allows.
        statuses.append(read_status(store, database, max(allowed, timedelta(seconds=gap or 0) + LENIENCE), entries))
    return statuses


def status_facts(statuses: Sequence[Status]) -> dict[str, Any]:
    """The statuses as JSON: first the facts of the newest backup of all and every problem, then the facts by kind."""
    first = max(statuses, key=lambda status: status.verified.taken.timestamp() if status.verified else 0.0)
    problems = [status.problem for status in statuses if status.problem]
    return {"problem": "; ".join(problems) or None, **_facts(first), "kinds": {
        status.kind: {**_facts(status), "problem": status.problem} for status in statuses}}


def status_text(status: Status) -> str:
    """One line about the backups of a kind, and a second one with recovery point and recovery time."""
    verified = status.verified.id if status.verified else None
    line = status.problem or (
        f"{status.database}: newest verified {status.kind} backup {verified}, {status.count} backups, "
        f"{size_text(status.bytes)}; last drill {status.drilled.isoformat() if status.drilled else 'never'}")
    return f"{line}\n{status.objectives.describe()}" if status.objectives else line


def _facts(status: Status) -> dict[str, Any]:
    return {"database": status.database, "count": status.count, "bytes": status.bytes,
            "newest": status.newest.id if status.newest else None,
            "verified": status.verified.id if status.verified else None,
            "drilled": status.drilled.isoformat() if status.drilled else None,
            "failed_drill": status.failed.isoformat() if status.failed else None,
            **({"objectives": status.objectives.facts()} if status.objectives else {})}
