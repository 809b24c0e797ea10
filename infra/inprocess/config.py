"""Read a stack's config as the Pulumi CLI passes it to the program: the project's defaults, then the stack's file."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import yaml

from infra.automation.stack_file import stack_file
from infra.settings import SECRETS, SettingsError


def read_config(root: Path, stack: str) -> tuple[str, dict[str, str], list[str]]:
    """Return the project's name, the config by full key as text, and which keys are secret.

    `PULUMI_CONFIG_<KEY>` in the environment overrides the files; a value that is encrypted in the stack's file must be
    given there, as only the CLI can decrypt it. Raises SettingsError.
    """
    project = yaml.safe_load((root / "Pulumi.yaml").read_text(encoding="utf-8"))
    name = str(project["name"])
    values = {_full(name, key): entry.get("default") for key, entry in (project.get("config") or {}).items()}
    given = yaml.safe_load(stack_file(stack, root).read_text(encoding="utf-8")) or {}
    values |= {_full(name, key): value for key, value in (given.get("config") or {}).items()}
    secret = []
    for key, value in values.items():
        variable = _variable(key)
        encrypted = isinstance(value, dict) and "secure" in value
        if variable in os.environ:
            values[key] = os.environ[variable]
            if encrypted or key.partition(":")[2] in SECRETS:
                secret.append(key)
        elif encrypted:
            raise SettingsError(f"{key}: encrypted in the stack's file, which only the Pulumi CLI can read; "
                                f"give it in the environment as {variable}")
    return name, {key: _text(value) for key, value in values.items() if value is not None}, secret


def _full(project: str, key: str) -> str:
    return key if ":" in key else f"{project}:{key}"


def _variable(key: str) -> str:
    return "PULUMI_CONFIG_" + "".join(letter.upper() if letter.isalnum() else "_" for letter in key)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
