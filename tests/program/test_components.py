"""The parts of a stack: what hangs under each, where earlier versions had it, and what a part leaves as it was."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.components import PACKAGE
from infra.inprocess import runner
from infra.inprocess.urns import former_urns
from infra.program import schema
from schema.lifecompanion import declared as specified
from schema.model.objects import Object, Table
from tests.support.programs.recorded import SECRET, Recorder, declared, leaves
from tests.support.programs.small_program import Run, operations

PROD = {"adminPassword": "the administrator's own"}
BACKED_UP = {"physicalBackups": True, "backupSchedule": []}
ALL = pytest.mark.parametrize(("stack", "config", "secret", "official"), [
    ("dev", {}, {}, True), ("dev", {**BACKED_UP, "replicas": 2}, {}, False), ("test", {}, {}, True),
    ("test", {"s3": "aws", "bucket": "backups-of-tests"}, {}, True), ("embedded", {}, {}, True),
    ("prod", {}, PROD, True), ("prod", BACKED_UP, PROD, True)])
HEAD = "urn:pulumi:dev::lifecompanion::"
STACK = f"{HEAD}pulumi:pulumi:Stack::lifecompanion-dev"


def part_of(recorder: Recorder, urn: str) -> str:
    """The part that a resource hangs under, asserted to be one, and to hang under the stack itself."""
    parent = recorder.requests[urn].parent
    part = recorder.requests[parent]
    assert part.type.startswith(PACKAGE), urn
    assert not part.custom
    assert recorder.requests[part.parent].type == "pulumi:pulumi:Stack"
    return str(part.type).removeprefix(PACKAGE)


def resources(recorder: Recorder) -> dict[str, Any]:
    return {urn: request for urn, request in recorder.requests.items()
            if request.custom and not request.type.startswith("pulumi:providers:")}


@ALL
def test_every_resource_has_a_component_and_an_alias_for_its_earlier_place(
        monkeypatch: pytest.MonkeyPatch, stack: str, config: dict[str, Any], secret: dict[str, str], official: bool
        ) -> None:
    recorder, _ = declared(monkeypatch, stack, config, secret, official=official)
    registered = resources(recorder)
    assert len(registered) > 30
    for urn, request in registered.items():
        assert part_of(recorder, urn), urn
        assert f"urn:pulumi:{stack}::lifecompanion::{request.type}::{request.name}" in former_urns(
            request, stack, "lifecompanion"), urn


@ALL
def test_every_part_registers_outputs_and_none_of_them_is_secret(
        monkeypatch: pytest.MonkeyPatch, stack: str, config: dict[str, Any], secret: dict[str, str], official: bool
        ) -> None:
    recorder, _ = declared(monkeypatch, stack, config, secret, official=official)
    parts = {urn for urn, request in recorder.requests.items() if request.type.startswith(PACKAGE)}
    assert {urn for urn in parts if recorder.registered.get(urn)} == parts
    text = json.dumps([recorder.registered[urn] for urn in parts])
    assert SECRET not in [value for urn in parts for _, value in leaves(recorder.registered[urn])]
    assert "generated" not in text
    assert PROD["adminPassword"] not in text


def test_the_parts_of_a_stack_in_docker_hold_what_their_names_say(monkeypatch: pytest.MonkeyPatch) -> None:
    recorder, _ = declared(monkeypatch, "dev", BACKED_UP)
    parts: dict[str, set[str]] = {}
    for urn, request in resources(recorder).items():
        parts.setdefault(part_of(recorder, urn), set()).add(request.name)
    assert parts["Server"] == {"admin-password", "network", "server-image", "archiving-image", "primary-data",
                               "primary", "physical-cipher-password"}
    assert parts["Replicas"] == {"replica-1", "replica-1-data", "replica-1-slot"}
    assert parts["Data"] == {"seed"}
    assert parts["Storage"] == {"s3", "s3-data", "s3-image", "s3-certificate", "s3-root-password", "backup-bucket"}
    assert parts["Backups"] == {"backup", "backup-image", "backup-build", "backup-base-image", "backup-key-password",
                                "drill", "drill-password"}
    assert {"database", "role-owner", "grant-app-table", "owner-password"} <= parts["Access"]
    assert {request.type.rpartition(":")[2] for urn, request in resources(recorder).items()
            if part_of(recorder, urn) == "Schema"} >= {"Table", "ContinuousAggregate"}
    assert set(parts) == {"Server", "Access", "Replicas", "Schema", "Data", "Storage", "Backups"}


def test_the_login_of_the_server_stays_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    recorder, _ = declared(monkeypatch, "dev")
    assert recorder.requests[f"{HEAD}pulumi:providers:postgresql::server"].parent == STACK
    roles = [request for request in resources(recorder).values() if request.type == "postgresql:index/role:Role"]
    assert {request.provider for request in roles} == {f"{HEAD}pulumi:providers:postgresql::server::server-id"}


def test_a_component_changes_neither_protection_nor_deleted_with(monkeypatch: pytest.MonkeyPatch) -> None:
    recorder, _ = declared(monkeypatch, "dev", {"protect": ["users"]})
    registered = resources(recorder)
    assert [request.name for request in registered.values() if request.protect] == ["users"]
    volume = f"{HEAD}{PACKAGE}Server$docker:index/volume:Volume::primary-data"
    inside = {request.deletedWith for request in registered.values() if request.type.startswith("postgresql:")}
    assert inside == {volume}
    assert not any(request.retainOnDelete for request in registered.values())
    assert not any(PACKAGE in urn.split("$")[-1] for request in registered.values() for urn in request.dependencies)


def test_a_renamed_object_is_known_by_both_names_in_both_places(monkeypatch: pytest.MonkeyPatch) -> None:
    renamed: Object = Table("people", specified()[0].columns[:1], renamed_from="persons")  # type: ignore[union-attr]
    monkeypatch.setattr(schema, "declared", lambda timestamps: (renamed,))
    recorder, _ = declared(monkeypatch, "dev")
    kind = "pulumi-python:dynamic/schema:Table"
    request = recorder.requests[f"{HEAD}{PACKAGE}Schema${kind}::people"]
    assert set(former_urns(request, "dev", "lifecompanion")) == {
        f"{HEAD}{kind}::people", f"{HEAD}{kind}::persons", f"{HEAD}{PACKAGE}Schema${kind}::persons"}


FLAT = """
    first = File("first", "first.txt", "text")
    File("second", "second.txt", "text", pulumi.ResourceOptions(deleted_with=first))
    pulumi.export("password", Password("x").value)
"""
GROUPED = """
    from infra.components import Component
    part = Component("Storage")
    first = File("first", "first.txt", "text", part.child())
    File("next", "second.txt", "text", part.child(deleted_with=first, renamed_from="second"))
    pulumi.export("password", Password("x", part.child()).value)
    part.register_outputs({"files": 2})
"""


def as_earlier_versions_wrote(record: Path) -> None:
    """The record of a run as releases before the parts wrote it: the stack in every URN, no parent."""
    kept = json.loads(record.read_text())
    former = {urn: urn.replace("::lifecompanion::", "::lifecompanion::pulumi:pulumi:Stack$") for urn in kept["made"]}
    kept["made"] = {former[urn]: {key: former.get(value, value) if key == "goes_with" else value
                                  for key, value in entry.items() if key != "parent"}
                    for urn, entry in kept["made"].items()}
    record.write_text(json.dumps(kept))


def test_a_record_of_an_earlier_version_is_read_without_recreating_anything(
        root: Path, program: Callable[[str], None], run: Run) -> None:
    program(FLAT)
    password = run().outputs["password"]
    record = root / ".lcdb/here/inprocess.json"
    as_earlier_versions_wrote(record)
    assert "pulumi:pulumi:Stack$" in record.read_text()

    program(GROUPED)
    flat = record.read_text()
    assert {operation for operation, _ in operations(run(preview=True))} == {"same"}
    assert record.read_text() == flat
    result = run()
    assert sorted(operations(result)) == [("same", "first"), ("same", "next"), ("same", "x-password")]
    assert result.outputs["password"] == password
    under = f"urn:pulumi:here::lifecompanion::{PACKAGE}Storage$pulumi-python:dynamic/"
    entries = json.loads(record.read_text())["made"]
    assert set(entries) == {f"{under}tests:File::first", f"{under}tests:File::next",
                            f"{under}access:Password::x-password"}
    assert entries[f"{under}tests:File::next"]["goes_with"] == f"{under}tests:File::first"
    parent = f"urn:pulumi:here::lifecompanion::{PACKAGE}Storage::storage"
    assert {entry["parent"] for entry in entries.values()} == {parent}

    assert {operation for operation, _ in operations(run())} == {"same"}
    assert {operation for operation, _ in operations(runner.destroy("here", root=root, local=root / ".lcdb"))} == {
        "delete"}
    # The second goes with the first, which its provider is told of alone.
    assert [path.name for path in root.glob("*.txt")] == ["second.txt"]
