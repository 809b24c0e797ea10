"""A machine that gets the Pulumi CLI, or loses it: a stack goes on under the other driver with all that it made.

A stack belongs to one of them at a time. With the CLI its resources are in Pulumi's state, secrets encrypted; without,
in the record of the in-process runs. What is taken over is gone from where it was, so that the two never disagree.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

from psycopg.conninfo import conninfo_to_dict
from rich.console import Console

from infra.automation.stack import Stack
from infra.automation.stack_file import StackError, read_yaml
from infra.automation.state import find_backend
from infra.folders import LOCAL, ROOT, stack_folder
from infra.inprocess.record import TAKEN_OVER, Entry, Record
from infra.inprocess.resources import POSTGRESQL, PROVIDER
from infra.inprocess.urns import component_of, qualified_type
from infra.local.state_files import STACK_TYPE, is_secret, kept_resources, marked, plain, read_state, state_files

DYNAMIC = "pulumi:providers:pulumi-python"
# What the plugin's state says of a role and a database that were made without further attributes, as ours are over SQL.
PLAIN: Mapping[str, Mapping[str, Any]] = {
    "postgresql:index/role:Role": {
        "bypassRowLevelSecurity": False, "connectionLimit": -1, "encryptedPassword": True, "inherit": True,
        "skipDropRole": False, "skipReassignOwned": False, "validUntil": "infinity"},
    "postgresql:index/database:Database": {
        "allowConnections": True, "alterObjectOwnership": False, "connectionLimit": -1},
}
Resource = dict[str, Any]


def into_pulumi(stack: Stack, console: Console, *, root: Path = ROOT, local: Path = LOCAL) -> None:
    """Take what in-process runs made into the stack's Pulumi state; nothing to do where they made nothing.

    Raises StackError where the state has other resources already.
    """
    record = Record.read(local / stack.name)
    if not record.entries:
        return
    deployment = as_deployment(record, project_name(root), stack.name)
    known = {resource["urn"] for resource in stack.export_state().get("resources") or ()}
    if len(known) <= 1:
        stack.take_over(deployment, {})
        console.print(f"stack {stack.name}: the {len(record.entries)} resources that were made without the Pulumi CLI "
                      "are in Pulumi's state from now on", style="yellow", soft_wrap=True)
    elif not known >= {resource["urn"] for resource in deployment["resources"] if PROVIDER in resource["inputs"]}:
        raise StackError(f"stack {stack.name}: found a Pulumi state and, in {record.file}, other resources made "
                         "without the CLI, required one of them; move that file away to go on with Pulumi's state")
    record.delete()
    stack_folder(stack.name, local)


def into_process(name: str, console: Console, *, local: Path = LOCAL) -> None:
    """Take what the Pulumi CLI made into the record of in-process runs; nothing to do where it made nothing.

    Its state is moved into the stack's folder, as encrypted as it was. Raises StackError where its secrets cannot be
    read here, or where the state is kept elsewhere.
    """
    backend = find_backend(local)
    record = Record.read(local / name)
    if not backend.ours:
        _refuse_unknown(name, record, backend.url, local)
        return
    file = next((path for path in state_files(name, local) if kept_resources(path)), None)
    if file is None:
        return
    if not record.entries:
        as_record(read_state(file, local / "passphrase"), stack_folder(name, local)).write()
        count = len(Record.read(local / name).entries)
        console.print(f"stack {name}: its {count} resources were made with the Pulumi CLI, which is not here; they are "
                      f"taken over, and the state is kept, encrypted, as {TAKEN_OVER} in the stack's folder",
                      style="yellow", soft_wrap=True)
    file.replace(stack_folder(name, local) / TAKEN_OVER)


def project_name(root: Path = ROOT) -> str:
    """The project's name in Pulumi.yaml."""
    return str(read_yaml(root / "Pulumi.yaml")["name"])


def is_here(name: str, *, local: Path = LOCAL) -> bool:
    """Whether this checkout made resources of the stack, by whichever driver, as far as can be told without the CLI."""
    return bool(Record.read(local / name).entries) or any(map(kept_resources, state_files(name, local)))


def as_deployment(record: Record, project: str, stack: str) -> dict[str, Any]:
    """A record as Pulumi's deployment, in which secrets are marked: whoever imports it encrypts them; pure.

    Everything is said to depend on what was made before it, so that it is removed in the opposite order.
    """
    head = f"urn:pulumi:{stack}::{project}::"
    root = f"{head}{STACK_TYPE}::{project}-{stack}"
    dynamic = {"urn": f"{head}{DYNAMIC}::default", "custom": True, "id": str(uuid4()), "type": DYNAMIC, "inputs": {},
               "outputs": {}}
    resources: list[Resource] = [
        {"urn": root, "custom": False, "type": STACK_TYPE, "inputs": {}, "outputs": _marked(record.outputs, None)},
        dynamic]
    entries = _with_server(record, head)
    server = next((f"{urn}::{entry.id}" for urn, entry in entries.items() if entry.type == POSTGRESQL), "")
    before: list[str] = []
    for urn, entry in entries.items():
        if entry.parent and not any(resource["urn"] == entry.parent for resource in resources):
            resources.append({"urn": entry.parent, "custom": False, "type": qualified_type(entry.parent),
                              "parent": root, "inputs": {}, "outputs": {}})
        provider = f"{dynamic['urn']}::{dynamic['id']}" if PROVIDER in entry.inputs else server
        release = {"version": version("pulumi-postgresql")} if entry.type == POSTGRESQL else {}
        resources.append({
            "urn": urn, "custom": True, "id": entry.id, "type": entry.type, "parent": entry.parent or root,
            "inputs": {**release, **_marked(entry.inputs, entry.secrets)},
            "outputs": {**release, **PLAIN.get(entry.type, {}), **_marked(entry.outputs, entry.secrets)},
            "dependencies": list(before),
            **({"provider": provider} if entry.type != POSTGRESQL else {}),
            **({"deletedWith": entry.goes_with} if entry.goes_with else {}),
            **({"retainOnDelete": True} if entry.stays else {}), **({"protect": True} if entry.protected else {})})
        before.append(urn)
    return {"resources": resources}


def as_record(deployment: Mapping[str, Any], folder: Path) -> Record:
    """A deployment, its secrets marked and in plain text, as the record of an in-process run; nothing is written."""
    outputs: dict[str, Any] = {}
    entries: dict[str, Entry] = {}
    for resource in deployment.get("resources") or ():
        if resource["type"] == STACK_TYPE:
            outputs = plain(resource.get("outputs") or {})
        elif resource["type"] != DYNAMIC and resource.get("custom") and not resource.get("delete"):
            own, given = resource.get("outputs") or {}, resource.get("inputs") or {}
            secrets = tuple(sorted({key for values in (given, own) for key in values if is_secret(values[key])}))
            entries[resource["urn"]] = Entry(
                resource["type"], resource["urn"].rpartition("::")[2], str(resource["id"]), plain(given), plain(own),
                resource.get("deletedWith") or "", bool(resource.get("retainOnDelete")),
                bool(resource.get("protect")), secrets, component_of(resource.get("parent") or ""))
    return Record(folder, entries, outputs)


def _with_server(record: Record, head: str) -> Mapping[str, Entry]:
    """The resources with the provider of those of pulumi-postgresql, which earlier versions did not record."""
    if any(entry.type == POSTGRESQL for entry in record.entries.values()) or all(
            PROVIDER in entry.inputs for entry in record.entries.values()):
        return record.entries
    try:
        login = conninfo_to_dict(str(record.outputs["logins"]["admin"]["dsn"]))
    except KeyError:
        raise StackError(f"{record.file}: made by an earlier version that was interrupted, so its server's login is "
                         "not known; run `make destroy` once without the Pulumi CLI on the PATH") from None
    inputs = {"host": login["host"], "port": str(login["port"]), "username": login["user"],
              "password": unquote(str(login["password"])), "sslmode": login.get("sslmode", "disable"),
              "database": "postgres", "connectTimeout": "30", "maxConnections": "1"}
    entry = Entry(POSTGRESQL, "server", str(uuid4()), inputs, inputs, secrets=("password",))
    urn = f"{head}{POSTGRESQL}::server"
    first = next(key for key, other in record.entries.items() if PROVIDER not in other.inputs)
    ordered: dict[str, Entry] = {}
    for key, other in record.entries.items():
        if key == first:
            ordered[urn] = entry
        ordered[key] = other
    return ordered


def _marked(values: Mapping[str, Any], secrets: tuple[str, ...] | None) -> dict[str, Any]:
    """The values with what is secret marked so; all of them where nobody knows which are."""
    return {key: marked(value) if (secrets is None or key in secrets) and not key.startswith("__") else value
            for key, value in values.items()}


def _refuse_unknown(name: str, record: Record, url: str, local: Path) -> None:
    """Raise StackError for a server of this folder that nobody here knows the passwords of."""
    if not record.entries and (local / name / "embedded" / "data").is_dir():
        raise StackError(f"stack {name}: its database in {local / name} was made with the Pulumi CLI, which is not "
                         f"here, and its state is in {url}; put the CLI on the PATH")
