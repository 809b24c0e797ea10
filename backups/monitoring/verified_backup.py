"""Whether deleting rows of a database is safe: a recent verified backup contains them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from backups.config import BackupConfig
from backups.logical.catalog import has_come, has_verified_backup
from backups.physical.catalog import list_physical


def is_backed_up(values: Mapping[str, Any] | None) -> bool:
    """Whether the bucket of these settings holds a verified backup of either kind, not older than `max_age_hours`.

    False without settings. Raises BackupError and S3Error where the bucket cannot be read.
    """
    if not values:
        return False
    config = BackupConfig.from_dict(values, "backup settings")
    store, database, age = config.store(), config.database_name(), timedelta(hours=config.max_age_hours)
    return has_verified_backup(store, database, age) or any(
        entry.proven and has_come(entry.taken) and entry.taken >= datetime.now(UTC) - age
        for entry in list_physical(store, database))
