"""Whether a database may lose rows on purpose: a verified backup that is young enough holds them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from backups.catalogue import has_verified_backup
from backups.config import BackupConfig


def is_backed_up(values: Mapping[str, Any] | None) -> bool:
    """Whether the bucket of these backup settings holds a verified backup not older than the settings allow.

    Without settings there is none. Raises BackupError and S3Error where the bucket cannot be asked.
    """
    if not values:
        return False
    config = BackupConfig.from_dict(values, "backup settings")
    return has_verified_backup(config.store(), config.database_name(), timedelta(hours=config.max_age_hours))
