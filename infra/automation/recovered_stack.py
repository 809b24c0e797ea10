"""A stack made of a recovered server: its volume and a copy of the source's state, which `up` then makes whole.

A recovered server has the source's roles, passwords and objects. So the new stack begins with what the source's state
says of them, as Pulumi's own resources; containers, network, bucket and standbys are made anew.
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
from infra.folders import LOCAL, ROOT
from infra.local.processes import port_is_free
from infra.settings import NAMESPACE, OFFICIAL_IMAGE, PORTS_PER_STACK, Settings
from infra.targets.docker import DEBIAN, KIND_LABEL, OFFICIAL

WORKERS = "timescaledb.max_background_workers"
HELD = "# Its jobs are held; `lcdb backup release NAME --target` lets them run.\n"
# What lives inside the server, or is a secret that lives on in it; all else belongs to the source alone.
INSIDE = ("postgresql:", "pulumi:providers:postgresql", "pulumi:providers:pulumi-python", "pulumi:pulumi:Stack",
          *(f"pulumi-python:dynamic/{module}:" for module in ("access", "schema", "seed")))
# A copy of the files has no slots; the new stack's S3 server has a login of its own.
LEFT_OUT = ("postgresql:index/physicalReplicationSlot:", "access:Password::s3-root-password")


@dataclass(frozen=True)
class RecoveredStack:
    """The new stack, what its first `up` did, and the point its server was recovered to."""

    name: str
    to: str
    seconds: float
    result: Result


def recover_stack(source: str, name: str, config: BackupConfig, console: Console, *, root: Path = ROOT,
                  local: Path = LOCAL, listener: Callable[[str], None] = lambda _: None, **point: Any
                  ) -> RecoveredStack:
    """Recover the source's server to a point (as `recover` takes it) as a new stack, and bring that up; jobs are held.

    Raises StackError, RestoreError before anything is touched where the name is taken; what fails before the new stack
    is there is taken away again, but for a container whose log says why it could not be recovered.
    """
    settings = _new_settings(source, name, root)
    server = f"lifecompanion-{name}-primary"
    made = recover(config, server, listener=listener, labels=[f"{KIND_LABEL}={_kind(config)}"], **point)
    file = root / f"Pulumi.{name}.yaml"
    try:
        end_container(server)
        file.write_text(_as_file(source, made.to, settings), encoding="utf-8")
        listener(f"{file.name} written; making stack {name}")
        original, stack = Stack(source, console, root=root, local=local), Stack(name, console, root=root, local=local)
        deployment = original.export_state()
        stack.take_over(taken_over(deployment, source, name), original.config_secrets())
    except BaseException:
        file.unlink(missing_ok=True)
        remove_container(server)
        raise
    try:
        result = stack.up()
    except StackError as error:
        raise StackError(f"{error}\nthe server is recovered and stack {name} is there: once the cause is mended, "
                         f"`lcdb up --stack {name}` goes on") from None
    return RecoveredStack(name, made.to, made.seconds, result)


def release_stack(name: str, console: Console, *, root: Path = ROOT, local: Path = LOCAL) -> Result:
    """Let the jobs of a recovered stack run: its file holds them no more, and it is brought up so.

    Raises StackError where they are not held.
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


def taken_over(deployment: Mapping[str, Any], source: str, name: str) -> dict[str, Any]:
    """A stack's state as that of another: of what lives inside its server alone; pure."""
    kept = [each for each in deployment["resources"] if _lives_inside(each)]
    urns = {each["urn"]: _renamed(each["urn"], source, name) for each in kept}
    rest = {key: value for key, value in deployment.items() if key != "pending_operations"}
    return {**rest, "resources": [_moved(each, urns) for each in kept]}


def _lives_inside(resource: Mapping[str, Any]) -> bool:
    own = resource["urn"].split("::", 2)[2]
    return resource["type"].startswith(INSIDE) and not any(word in own for word in LEFT_OUT) \
        and not resource.get("delete")


def _renamed(urn: str, source: str, name: str) -> str:
    head, project, rest = str(urn).split("::", 2)
    if rest == f"pulumi:pulumi:Stack::{project}-{source}":
        rest = f"pulumi:pulumi:Stack::{project}-{name}"
    return f"{head.removesuffix(f':{source}')}:{name}::{project}::{rest}"


def _moved(resource: Mapping[str, Any], urns: Mapping[str, str]) -> dict[str, Any]:
    """The resource under its new name, without what it had to do with those that stay behind."""
    moved = {key: value for key, value in resource.items() if key != "deletedWith"} | {"urn": urns[resource["urn"]]}
    if "parent" in moved:
        moved["parent"] = urns[moved["parent"]]
    if "provider" in moved:
        provider, _, id_ = moved["provider"].rpartition("::")
        moved["provider"] = f"{urns[provider]}::{id_}"
    moved["dependencies"] = [urns[each] for each in resource.get("dependencies") or () if each in urns]
    moved["propertyDependencies"] = {
        key: [urns[each] for each in found or () if each in urns]
        for key, found in (resource.get("propertyDependencies") or {}).items()}
    return moved


def _as_file(source: str, to: str, settings: Mapping[str, Any]) -> str:
    """The new stack's file; secrets are set afterwards."""
    config = {f"{NAMESPACE}:{key}": value for key, value in settings.items()}
    return f"# Recovered from stack {source}, to {to}.\n{HELD}{yaml.safe_dump({'config': config}, sort_keys=False)}"


def _new_settings(source: str, name: str, root: Path) -> dict[str, Any]:
    """The source's settings with ports and a bucket of the new stack's own, and its jobs held; without secrets."""
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
        if all(port_is_free(each) for each in (*range(port, port + replicas + 1), port + PORTS_PER_STACK - 1)):
            return port
    raise RestoreError(f"target: no ten free ports from {first} on; end what holds them, or give another name")


def _parameters(config: Mapping[str, Any]) -> dict[str, str]:
    found = config.get("parameters") or {}
    with suppress(ValueError):
        found = json.loads(found) if isinstance(found, str) else found
    return {str(key): str(value) for key, value in dict(found).items()}


def _kind(config: BackupConfig) -> str:
    """What the new stack's volume says of the image that its data is of."""
    return OFFICIAL if config.image in (None, OFFICIAL_IMAGE) else DEBIAN

