"""A stack's committed file, Pulumi.<stack>.yaml, read without Pulumi."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from infra.automation.pulumi_cli import PLUGINS
from infra.folders import ROOT


class StackError(Exception):
    """An operation on a stack failed; the message has one line for each cause, with the remedy where there is one."""


def stack_file(stack: str, root: Path = ROOT) -> Path:
    """Find the stack's committed file. Raises StackError where there is none."""
    path = root / f"Pulumi.{stack}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(p.name[7:-5] for p in root.glob("Pulumi.*.yaml"))) or "none"
        raise StackError(f"stack {stack}: {path.name} not found (there are: {known}); "
                         f"copy the nearest of them to {path.name}")
    return path


def stack_config(stack: str, root: Path = ROOT) -> dict[str, Any]:
    """Read the config in the stack's file, by key without namespace; secrets stay encrypted. Raises StackError."""
    config = read_yaml(stack_file(stack, root)).get("config") or {}
    return {str(key).removeprefix("lifecompanion:"): value for key, value in config.items()}


def stack_target(stack: str, root: Path = ROOT) -> str:
    """Read the target from the stack's file: docker, host or embedded. Raises StackError for any other or none."""
    target = str(stack_config(stack, root).get("target"))
    if target not in PLUGINS:
        raise StackError(f"stack {stack}: lifecompanion:target is {target}, required: {', '.join(PLUGINS)}")
    return target


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML mapping; empty where the file holds anything else. Raises StackError where it cannot be read."""
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise StackError(f"{path.name}: cannot be read: {' '.join(str(error).split())}") from None
    return values if isinstance(values, dict) else {}
