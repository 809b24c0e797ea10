"""Decide whether a stack's server archives its WAL for physical backups, and check the settings for it; pure."""

from __future__ import annotations

from collections.abc import Sequence

from backups.config import PHYSICAL_KINDS, Due


def archives(wanted: bool | None, target: str, s3: str, schedule: Sequence[Due]) -> bool:
    """Tell whether the server archives WAL to the bucket and physical backups are taken.

    Where `wanted` is None: in the docker target where the schedule takes physical backups, or where there is none and
    the bucket is not the stack's own, which is on the database's disk. On a host its administrator sets it up.
    """
    if wanted is not None or target != "docker" or s3 == "none":
        return bool(wanted)
    kinds = {due.kind for due in schedule}
    return bool(kinds & PHYSICAL_KINDS) if kinds else s3 != "local"


def check_archiving(wanted: bool | None, target: str, s3: str, schedule: Sequence[Due]) -> None:
    """Raise ValueError where WAL would be archived without a full backup, or physical backups taken without WAL."""
    if wanted and (target == "embedded" or s3 == "none"):
        raise ValueError("physicalBackups: found true, required target docker or host and an s3 to keep them in")
    kinds, archived = {due.kind for due in schedule}, archives(wanted, target, s3, schedule)
    if archived and kinds and "full" not in kinds:
        raise ValueError("backupSchedule: no full backup is in it, but the server's WAL is archived and would pile "
                         "up; add one, leave backupSchedule out for the default one, or set physicalBackups: false")
    if not archived and kinds & PHYSICAL_KINDS:
        raise ValueError(f"backupSchedule: found {min(kinds & PHYSICAL_KINDS)}, but no WAL is archived; set "
                         "physicalBackups: true (on a host see docs/production.md), or take the line out")
