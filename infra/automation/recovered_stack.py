"""Make a new stack of a recovered server: its volume and a part of the source's state, completed by `up`.

A recovered server has the source's roles, passwords and objects, so the new stack starts with their resources from the
source's state. Containers, network, bucket and standbys are created anew.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from rich.console import Console

from backups.config import BackupConfig
from backups.errors import RestoreError
from backups.physical.point_in_time import end_container, recover, remove_container
from infra.automation.stack import Result, Stack
from infra.automation.stack_file import StackError, stack_config, stack_target
from infra.components import PACKAGE
from infra.folders import LOCAL, ROOT
from infra.local.processes import port_is_free
from infra.settings import NAMESPACE, OFFICIAL_IMAGE, PORTS_PER_STACK, Settings
from infra.targets.docker import DEBIAN, KIND_LABEL, OFFICIAL

WORKERS = "timescaledb.max_background_workers"
HELD = "# Its jobs are held; `lcdb backup release NAME --target` lets them run.\n"
# The types of resources inside the server, of passwords set in it, and of the components that hold them; all others
# belong to the source alone.
INSIDE = ("postgresql:", "pulumi:providers:postgresql", "pulumi:providers:pulumi-python", "pulumi:pulumi:Stack",
          PACKAGE, *(f"pulumi-python:dynamic/{module}:" for module in ("access", "schema", "seed")))
# A copy of the files has no slots; the new stack's S3 server has a login of its own.
LEFT_OUT = ("postgresql:index/physicalReplicationSlot:", "access:Password::s3-root-password")


@dataclass(frozen=True)
class RecoveredStack:
    """A new stack: the result of its first `up`, the point its server was recovered to, the seconds of the recovery."""

    name: str
    to: str
    seconds: float
    result: Result


def recover_stack(source: str, name: str, config: BackupConfig, console: Console, *, root: Path = ROOT,
                  local: Path = LOCAL, listener: Callable[[str], None] = lambda _: None, **point: Any
                  ) -> RecoveredStack:
    """Recover the source's server to a point in time as a new stack and bring that up; its background jobs are off.

    `point` are the arguments of `backups.physical.point_in_time.recover`. Raises StackError and RestoreError; where the
    name is taken, before anything is changed. What was created is removed if it fails before the new stack exists, but
    for a container whose log says why the recovery failed.
    """
    settings = _new_settings(source, name, root)
    server = f"lifecompanion-{name}-primary"
    recovered = recover(config, server, listener=listener, labels=[f"{KIND_LABEL}={_kind(config)}"], **point)
    file = root / f"Pulumi.{name}.yaml"
    try:
        end_container(server)
        file.write_text(_render_file(source, recovered.to, settings), encoding="utf-8")
        listener(f"{file.name} written; making stack {name}")
        original, stack = Stack(source, console, root=root, local=local), Stack(name, console, root=root, local=local)
        deployment = original.export_state()
        stack.take_over(move_state(deployment, source, name), original.config_secrets())
    except BaseException:
        file.unlink(missing_ok=True)
        remove_container(server)
        raise
    try:
        result = stack.up()
    except StackError as error:
        raise StackError(f"{error}\nthe server is recovered and stack {name} exists: remove the cause, then "
                         f"`lcdb up --stack {name}` goes on") from None
    return RecoveredStack(name, recovered.to, recovered.seconds, result)


def release_stack(name: str, console: Console, *, root: Path = ROOT, local: Path = LOCAL) -> Result:
    """Let the background jobs of a recovered stack run: set its file back, and bring the stack up.

    Raises StackError, also where the stack's file does not stop the jobs.
    """
    file, config = root / f"Pulumi.{name}.yaml", stack_config(name, root)
    parameters = _parameters(config)
    if parameters.pop(WORKERS, None) != "0":
        raise StackError(f"stack {name}: its jobs are not held: {file.name} does not set {WORKERS} to 0 in parameters")
    text = file.read_text(encoding="utf-8")
    head = "".join(line for line in text.splitlines(keepends=True) if line.startswith("#"))
    values = yaml.safe_load(text)
    values["config"][f"{NAMESPACE}:parameters"] = parameters
    if not parameters:
        del values["config"][f"{NAMESPACE}:parameters"]
    file.write_text(head.replace(HELD, "") + yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
    return Stack(name, console, root=root, local=local).up()


def move_state(deployment: Mapping[str, Any], source: str, name: str) -> dict[str, Any]:
    """Turn the state of stack `source` into one of stack `name` that has only what is inside the server; pure."""
    kept = [resource for resource in deployment["resources"] if _is_inside(resource)]
    urns = {resource["urn"]: _rename(resource["urn"], source, name) for resource in kept}
    rest = {key: value for key, value in deployment.items() if key != "pending_operations"}
    return {**rest, "resources": [_move(resource, urns) for resource in kept]}


def _is_inside(resource: Mapping[str, Any]) -> bool:
    own = resource["urn"].split("::", 2)[2]
    return resource["type"].startswith(INSIDE) and not any(word in own for word in LEFT_OUT) \
        and not resource.get("delete")


def _rename(urn: str, source: str, name: str) -> str:
    head, project, rest = str(urn).split("::", 2)
    if rest == f"pulumi:pulumi:Stack::{project}-{source}":
        rest = f"pulumi:pulumi:Stack::{project}-{name}"
    return f"{head.removesuffix(f':{source}')}:{name}::{project}::{rest}"


def _move(resource: Mapping[str, Any], urns: Mapping[str, str]) -> dict[str, Any]:
    """The resource with its new URN, without references to resources that are not moved."""
    moved = {key: value for key, value in resource.items() if key != "deletedWith"} | {"urn": urns[resource["urn"]]}
    if "parent" in moved:
        moved["parent"] = urns[moved["parent"]]
    if "provider" in moved:
        provider, _, id_ = moved["provider"].rpartition("::")
        moved["provider"] = f"{urns[provider]}::{id_}"
    moved["dependencies"] = [urns[urn] for urn in resource.get("dependencies") or () if urn in urns]
    moved["propertyDependencies"] = {
        key: [urns[urn] for urn in dependencies or () if urn in urns]
        for key, dependencies in (resource.get("propertyDependencies") or {}).items()}
    return moved


def _render_file(source: str, to: str, settings: Mapping[str, Any]) -> str:
    """The text of the new stack's file; secrets are set afterwards."""
    config = {f"{NAMESPACE}:{key}": value for key, value in settings.items()}
    return f"# Recovered from stack {source}, to {to}.\n{HELD}{yaml.safe_dump({'config': config}, sort_keys=False)}"


def _new_settings(source: str, name: str, root: Path) -> dict[str, Any]:
    """The source's settings without secrets, with a port and a bucket for the new stack, and background jobs off."""
    if stack_target(source, root) != "docker":
        raise RestoreError(f"--target: stack {source} runs on a server that is not its own; give --container NAME to "
                           "recover beside it, or see docs/production.md")
    if (root / f"Pulumi.{name}.yaml").exists():
        raise RestoreError(f"target {name}: Pulumi.{name}.yaml is there already, and a restore overwrites nothing; "
                           "give another name")
    config = {key: value for key, value in stack_config(source, root).items() if not _is_secret(value)}
    if config.get("bucket"):
        config["bucket"] = f"{config['bucket'][:62 - len(name)]}-{name.lower()}"
    try:
        plain = Settings(stack=name, target="docker", port=None)
    except ValidationError:
        raise RestoreError(f"target {name}: not a name for a stack; take letters, digits, '-', '_' and '.'") from None
    config["port"] = _free_port(plain.primary_port, int(config.get("replicas", 0)))
    config["parameters"] = _parameters(config) | {WORKERS: "0"}
    return config


def _is_secret(value: Any) -> bool:
    """Whether Pulumi encrypted a value of a stack file, or a part of it."""
    if isinstance(value, Mapping):
        return "secure" in value or any(map(_is_secret, value.values()))
    return isinstance(value, list) and any(map(_is_secret, value))


def _free_port(first: int, replicas: int) -> int:
    """The first of ten ports of which none that a stack takes is in use."""
    for port in range(first, min(first + 100 * PORTS_PER_STACK, 65537 - PORTS_PER_STACK), PORTS_PER_STACK):
        if all(port_is_free(used) for used in (*range(port, port + replicas + 1), port + PORTS_PER_STACK - 1)):
            return port
    raise RestoreError(f"target: no ten free ports from {first} on; end what holds them, or give another name")


def _parameters(config: Mapping[str, Any]) -> dict[str, str]:
    parameters = config.get("parameters") or {}
    with suppress(ValueError):
        parameters = json.loads(parameters) if isinstance(parameters, str) else parameters
    return {str(key): str(value) for key, value in dict(parameters).items()}


def _kind(config: BackupConfig) -> str:
    """The label of the new stack's volume: which kind of image its data belongs to."""
    return OFFICIAL if config.image in (None, OFFICIAL_IMAGE) else DEBIAN

