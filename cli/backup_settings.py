"""The settings that a backup command works with: the stack's own, or those of a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.console import stderr_console

if TYPE_CHECKING:
    from backups.config import BackupConfig


def find_config(stack: str | None, file: Path | None) -> BackupConfig:
    """Read the backup settings from `file`, else from the stack's outputs. Raises BackupError, StackError."""
    # Imported here, as every command imports this module: botocore and pydantic take a third of a second.
    from backups.config import BackupConfig
    from infra.local.client_programs import offer_client_programs

    offer_client_programs()
    return BackupConfig.from_dict(config_values(stack, file), "backup settings") if file is None else \
        BackupConfig.from_file(file)


def config_values(stack: str | None, file: Path | None) -> dict[str, Any]:
    """Read the same settings as a JSON mapping with absolute paths, secrets included.

    Raises BackupError, StackError.
    """
    from backups.config import BackupConfig
    from backups.errors import BackupError

    if file is not None:
        BackupConfig.from_file(file)  # checks it
        return dict(json.loads(file.read_text(encoding="utf-8")))
    from cli.drivers import open_driver

    name, driver = open_driver(stack, stderr_console)
    values = driver.outputs().get("backup")
    if not values:
        raise BackupError(f"stack {name}: has no backups: it has no bucket, or was brought up before there were any; "
                          "set lifecompanion:s3 and run `make up`, or give --config")
    return {key: _resolve_paths(value) for key, value in values.items()}


def _resolve_paths(section: Any) -> Any:
    """Make the paths of certificate authorities absolute: in a stack's outputs they are relative to the project."""
    from infra.folders import ROOT

    if not isinstance(section, dict):
        return section
    return {key: str(ROOT / value) if key in ("ca_file", "sslrootcert") and value not in (None, "system") else value
            for key, value in section.items()}
