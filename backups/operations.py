"""Operations of several steps: take and verify a backup, replace a live database; each reports its progress."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from backups.config import BackupConfig
from backups.errors import DamagedError
from backups.logical.source.snapshot_start import begin_snapshot
from backups.progress import Listener, ignore, with_rate
from schema.connection import Address

if TYPE_CHECKING:
    from backups.logical.catalog import Entry
    from backups.logical.manifest import Manifest
    from backups.logical.pipeline import Progress
    from backups.restoring.restore import Restored



def take_logical(config: BackupConfig, *, verified: bool = True, workers: int = 2,
                 listener: Listener = ignore) -> Manifest:
    """Take a logical backup and, with `verified`, read it back at once; returns its manifest.

    Raises BackupError. Where the verification fails, the backup stays listed as not verified.
    """
    with begin_snapshot(config.source(), config.image, config.image_digest) as pending:
        # Here and not above: what encrypts, compresses and sends is read while the server locks its tables.
        from backups.logical.backup import run_logical

        store, ring, since = config.store(), config.keyring(), time.monotonic()

        def tell(progress: Progress) -> None:
            rate = progress.stored / 1e6 / max(time.monotonic() - since, 0.001)
            before = f", {progress.earlier / 1e6:,.0f} MB sent before" if progress.earlier else ""
            listener(f"{progress.rows:,} rows, {rate:.1f} MB/s sent{before}", progress.done / max(progress.total, 1))
        manifest = run_logical(store, ring, config.source(), image=config.image, workers=workers, pending=pending,
                               seconds=config.proof_seconds, listener=tell)
    if verified:
        from backups.logical.catalog import find_backup
        from backups.logical.verify import verify

        listener("verifying", 0.0)
        entry = find_backup(store, manifest.database, manifest.id)
        read_back = verify(store, ring, entry, image=config.image, workers=workers,
                           listener=with_rate("verifying", listener))
        if read_back.seal != manifest.seal:
            raise DamagedError(f"backup {manifest.id}: its manifest was changed while it was verified")
    return manifest


def replace_live(config: BackupConfig, admin: Address, entry: Entry, name: str, *, image: str | None = None,
                 workers: int = 2, listener: Listener = ignore) -> tuple[Restored, str]:
    """Replace the live database by a restored backup; returns the restore's result and the live database's new name.

    The live database is backed up first and kept under the new name. The swap of names is one transaction; clients
    notice nothing before it.
    """
    from backups.restoring.restore import restore_logical
    from backups.restoring.target_database import swap_names

    live = entry.database
    take_logical(replace_source(config, admin, live), workers=workers, listener=listener)
    done = restore_logical(config.store(), config.keyring(), entry, admin, name, image=image or config.image,
                           workers=workers, listener=listener)
    aside = f"{live}_before_{datetime.now(UTC):%Y%m%dt%H%M%Sz}"[:63]
    swap_names(admin, name, live, aside)
    return replace(done, database=live), aside


def replace_source(config: BackupConfig, admin: Address, database: str) -> BackupConfig:
    """The same settings with the administrator's login to `database` as the source."""
    return config.model_copy(update={"database": replace(admin, database=database).to_dict()})
