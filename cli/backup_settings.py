"""What a backup command is about: the stack's own settings, or those of a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.console import stderr_console

if TYPE_CHECKING:
    from backups.config import BackupConfig


def find_config(stack: str | None, file: Path | None) -> BackupConfig:
    """The settings in `file`, else the stack's. Raises BackupError, StackError."""
    # Not at the top of this file, which every command reads: botocore and pydantic take a third of a second.
    from backups.config import BackupConfig
    from infra.local.client_programs import offer_client_programs

    offer_client_programs()
    return BackupConfig.from_dict(config_values(stack, file), "backup settings") if file is None else \
        BackupConfig.from_file(file)


def config_values(stack: str | None, file: Path | None) -> dict[str, Any]:
    """The same as a mapping, secrets included, that serves in any folder."""
    from backups.config import BackupConfig
    from backups.errors import BackupError

    if file is not None:
        BackupConfig.from_file(file)  # whatever is wrong with it is said there
        return dict(json.loads(file.read_text(encoding="utf-8")))
    from cli.drivers import open_driver

    name, driver = open_driver(stack, stderr_console)
    found = driver.outputs().get("backup")
    if not found:
        raise BackupError(f"stack {name}: has no backups: it has no bucket, or was brought up before there were any; "
                          "set lifecompanion:s3 and run `make up`, or give --config")
    return _whole(dict(found))


def _whole(values: dict[str, Any]) -> dict[str, Any]:
    """The same settings with the files of authorities named from the root: a stack's are named from the project."""
    from infra.folders import ROOT

    def part(found: Any) -> Any:
        return {key: str(ROOT / each) if key in ("ca_file", "sslrootcert") and each not in (None, "system") else each
                for key, each in found.items()} if isinstance(found, dict) else found
    return {key: part(found) for key, found in values.items()}
