"""A stack's committed file, Pulumi.<stack>.yaml: where it is, what it says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from infra.automation.pulumi_cli import PLUGINS
from infra.folders import ROOT


class StackError(Exception):
    """A stack cannot be brought up, read or taken down: one line for each cause, with the remedy where there is one."""


def stack_file(stack: str, root: Path = ROOT) -> Path:
    """The stack's committed file. Raises StackError where there is none."""
    path = root / f"Pulumi.{stack}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(p.name[7:-5] for p in root.glob("Pulumi.*.yaml"))) or "none"
        raise StackError(f"stack {stack}: {path.name} not found (there are: {known}); "
                         f"copy the nearest of them to {path.name}")
    return path


def stack_config(stack: str, root: Path = ROOT) -> dict[str, Any]:
    """The config of the stack's file by key without the namespace, as written there (secrets stay encrypted)."""
    config = read_yaml(stack_file(stack, root)).get("config") or {}
    return {str(key).removeprefix("lifecompanion:"): value for key, value in config.items()}


def stack_target(stack: str, root: Path = ROOT) -> str:
    """docker, host or embedded, as the stack's file says. Raises StackError where it does not."""
    target = str(stack_config(stack, root).get("target"))
    if target not in PLUGINS:
        raise StackError(f"stack {stack}: lifecompanion:target is {target}, required: {', '.join(PLUGINS)}")
    return target


def read_yaml(path: Path) -> dict[str, Any]:
    """What a YAML file says, empty where that is no mapping. Raises StackError where it cannot be read."""
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise StackError(f"{path.name}: cannot be read: {' '.join(str(error).split())}") from None
    return values if isinstance(values, dict) else {}
