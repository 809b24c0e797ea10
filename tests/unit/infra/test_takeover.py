"""A stack under the other driver: an in-process record as Pulumi's deployment and back, Pulumi's state read here."""

from __future__ import annotations

import hashlib
import io
import json
import os
import socket
from base64 import b64encode
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from rich.console import Console

from infra.automation.stack_file import StackError
from infra.inprocess.record import Entry, Record
from infra.inprocess.takeover import PLAIN, as_deployment, as_record, into_process, is_here
from infra.local.state_files import ROUNDS, SECRET, SIGNATURE, StateError, kept_resources, marked, read_state

PASSPHRASE = "of this checkout"
HEAD = "urn:pulumi:embedded::lifecompanion::"
SERVER = "pulumi-python:dynamic/embedded:EmbeddedServer"
ROLE = "postgresql:index/role:Role"
PROVIDER = "pulumi:providers:postgresql"
LOGIN = {"version": version("pulumi-postgresql"), "host": "127.0.0.1", "port": "54340", "username": "postgres",
         "password": "a-password-nobody-knows"}


def record(folder: Path) -> Record:
    """What an in-process run leaves: a server, its login, and a role inside of it that vanishes with it."""
    secret = ("password",)
    server = {"folder": ".lcdb/embedded/embedded", "port": 54340, "password": LOGIN["password"], "__provider": "class"}
    role = {"name": "app", "password": "the-password-of-app"}
    return Record(folder, {
        f"{HEAD}{SERVER}::embedded": Entry(SERVER, "embedded", "e", server, {**server, "running": True},
                                              secrets=secret),
        f"{HEAD}{PROVIDER}::server": Entry(PROVIDER, "server", "server", LOGIN, LOGIN, secrets=secret),
        f"{HEAD}{ROLE}::role-app": Entry(ROLE, "role-app", "app", role, role, f"{HEAD}{SERVER}::embedded", True, True,
                                         secret),
    }, {"logins": {"app": {"password": "the-password-of-app"}}})


def by_name(deployment: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {resource["urn"].rpartition("::")[2]: resource for resource in deployment["resources"]}


def test_a_record_becomes_resources_as_the_engine_names_them(tmp_path: Path) -> None:
    resources = by_name(as_deployment(record(tmp_path), "lifecompanion", "embedded"))
    assert list(resources) == ["lifecompanion-embedded", "default", "embedded", "server", "role-app"]
    assert resources["role-app"]["urn"] == f"{HEAD}{ROLE}::role-app"
    assert resources["role-app"]["deletedWith"] == resources["embedded"]["urn"] == f"{HEAD}{SERVER}::embedded"
    assert resources["role-app"]["provider"] == f"{HEAD}{PROVIDER}::server::server"
    assert resources["embedded"]["provider"] == f"{resources['default']['urn']}::{resources['default']['id']}"
    assert (resources["role-app"]["retainOnDelete"], resources["role-app"]["protect"]) == (True, True)
    # Removed in the opposite order of their making.
    assert resources["role-app"]["dependencies"] == [resources["embedded"]["urn"], resources["server"]["urn"]]


def test_what_is_secret_in_a_record_is_marked_for_encryption_and_nothing_else(tmp_path: Path) -> None:
    resources = by_name(as_deployment(record(tmp_path), "lifecompanion", "embedded"))
    for kind in ("inputs", "outputs"):
        assert resources["embedded"][kind]["password"] == {
            SIGNATURE: SECRET, "plaintext": json.dumps(LOGIN["password"])}
        assert resources["embedded"][kind]["port"] == 54340
        assert resources["server"][kind]["password"][SIGNATURE] == SECRET
    assert resources["lifecompanion-embedded"]["outputs"]["logins"][SIGNATURE] == SECRET


def test_a_record_of_an_earlier_version_is_all_secret_and_gets_its_servers_login(
        tmp_path: Path) -> None:
    new = record(tmp_path)
    old = {urn: Entry(**{**vars(entry), "secrets": None}) for urn, entry in new.entries.items()
           if entry.type != PROVIDER}
    dsn = "postgresql://postgres:a-password-nobody-knows@127.0.0.1:54340/lifecompanion?sslmode=disable"
    resources = by_name(as_deployment(Record(tmp_path, old, {"logins": {"admin": {"dsn": dsn}}}), "lifecompanion",
                                      "embedded"))
    assert list(resources) == ["lifecompanion-embedded", "default", "embedded", "server", "role-app"]
    assert resources["server"]["inputs"]["port"] == "54340"
    assert all(value[SIGNATURE] == SECRET for value in resources["role-app"]["inputs"].values())
    assert resources["embedded"]["inputs"]["__provider"] == "class"
    with pytest.raises(StackError, match="earlier version that was interrupted"):
        as_deployment(Record(tmp_path, old, {}), "lifecompanion", "embedded")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout whose state is in its own folder."""
    for name in ("PULUMI_BACKEND_URL", "PULUMI_ACCESS_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "home"))
    (tmp_path / "Pulumi.yaml").write_text("name: lifecompanion\nruntime: python\n")
    (tmp_path / ".lcdb").mkdir()
    (tmp_path / ".lcdb" / "passphrase").write_text(f"{PASSPHRASE}\n")
    return tmp_path


def write_state(root: Path, deployment: dict[str, Any], passphrase: str = PASSPHRASE) -> Path:
    """A state file as Pulumi writes it: every marked secret encrypted under the passphrase."""
    salt = os.urandom(8)
    cipher = AESGCM(hashlib.pbkdf2_hmac("sha256", passphrase.encode(), salt, ROUNDS, 32))

    def sealed(text: str) -> str:
        nonce = os.urandom(12)
        return f"v1:{b64encode(nonce).decode()}:{b64encode(cipher.encrypt(nonce, text.encode(), None)).decode()}"

    def kept(value: Any, seal: Callable[[str], str] = sealed) -> Any:
        if isinstance(value, list):
            return [kept(item, seal) for item in value]
        if not isinstance(value, dict):
            return value
        if SIGNATURE in value:
            # What is secret within a secret is encrypted with the whole of it, and not by itself.
            return {SIGNATURE: SECRET, "ciphertext": seal(json.dumps(kept(json.loads(value["plaintext"]), str)))}
        return {key: kept(item, seal) for key, item in value.items()}

    latest = {**kept(deployment), "secrets_providers": {
        "type": "passphrase", "state": {"salt": f"v1:{b64encode(salt).decode()}:{sealed('pulumi')}"}}}
    file = root / ".lcdb/state/.pulumi/stacks/lifecompanion/embedded.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"version": 3, "checkpoint": {"stack": "embedded", "latest": latest}}))
    return file


def test_a_secret_within_a_secret_is_read_too(project: Path) -> None:
    deployment = as_deployment(record(project), "lifecompanion", "embedded")
    login = {"user": "app", "password": marked("the-password-of-app")}
    deployment["resources"][0]["outputs"] = {"logins": marked({"app": login})}
    write_state(project, deployment)
    take(project)
    assert Record.read(project / ".lcdb" / "embedded").outputs == {
        "logins": {"app": {"user": "app", "password": "the-password-of-app"}}}


def take(project: Path) -> str:
    lines = io.StringIO()
    into_process("embedded", Console(file=lines, width=200), local=project / ".lcdb")
    return lines.getvalue()


def test_a_state_becomes_the_record_it_came_from_and_stays_encrypted_in_a_file(project: Path) -> None:
    folder = project / ".lcdb" / "embedded"
    original = record(folder)
    file = write_state(project, as_deployment(original, "lifecompanion", "embedded"))
    assert is_here("embedded", local=project / ".lcdb")
    assert len(kept_resources(file)) == 4
    assert "its 3 resources were made with the Pulumi CLI" in take(project)
    taken = Record.read(folder)
    assert taken.outputs == original.outputs
    assert [entry.secrets for entry in taken.entries.values()] == [("password",)] * 3
    assert [(urn, entry.id, entry.inputs, {**PLAIN.get(entry.type, {}), **entry.outputs}, entry.goes_with, entry.stays,
             entry.protected) for urn, entry in original.entries.items()] == [
        (urn, entry.id, entry.inputs, entry.outputs, entry.goes_with, entry.stays, entry.protected)
        for urn, entry in taken.entries.items()]
    assert taken.file.stat().st_mode & 0o777 == 0o600
    assert not file.exists()
    assert LOGIN["password"] not in (folder / "pulumi-state.json").read_text()
    assert take(project) == ""


@pytest.mark.parametrize("broken", ["another passphrase", "no passphrase"])
def test_a_state_that_cannot_be_decrypted_is_refused_in_one_line_and_stays(project: Path, broken: str) -> None:
    file = write_state(project, as_deployment(record(project), "lifecompanion", "embedded"), passphrase="another")
    if broken == "no passphrase":
        (project / ".lcdb" / "passphrase").unlink()
    with pytest.raises(StateError, match="cannot be read without the Pulumi CLI") as caught:
        take(project)
    assert "\n" not in str(caught.value)
    assert file.exists()
    assert not (project / ".lcdb" / "embedded" / "inprocess.json").exists()


def test_a_state_that_a_running_update_holds_is_left_to_it(project: Path) -> None:
    file = write_state(project, as_deployment(record(project), "lifecompanion", "embedded"))
    lock = project / ".lcdb/state/.pulumi/locks/organization/lifecompanion/embedded/x.json"
    lock.parent.mkdir(parents=True)
    lock.write_text(json.dumps({"pid": os.getpid(), "hostname": socket.gethostname()}))
    with pytest.raises(StateError, match=f"another update is going on .process {os.getpid()}"):
        read_state(file, project / ".lcdb" / "passphrase")


def test_a_database_whose_state_is_elsewhere_is_refused_in_one_line(
        project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://the-states-of-all")
    assert take(project) == ""
    (project / ".lcdb" / "embedded" / "embedded" / "data").mkdir(parents=True)
    with pytest.raises(StackError, match="its state is in s3://the-states-of-all; put the CLI on the PATH"):
        take(project)


def test_a_resource_keeps_its_component_in_the_deployment_and_in_the_record(tmp_path: Path) -> None:
    part = f"{HEAD}lifecompanion:index:Access::access"
    urn = f"{HEAD}lifecompanion:index:Access${ROLE}::role-app"
    flat = record(tmp_path)
    role = Entry(**{**vars(flat.entries.pop(f"{HEAD}{ROLE}::role-app")), "parent": part})
    grouped = Record(tmp_path, {**flat.entries, urn: role}, {})
    deployment = as_deployment(grouped, "lifecompanion", "embedded")
    resources = by_name(deployment)
    # Pulumi takes no child before its parent.
    assert list(resources) == ["lifecompanion-embedded", "default", "embedded", "server", "access", "role-app"]
    assert (resources["access"]["custom"], resources["access"]["type"]) == (False, "lifecompanion:index:Access")
    assert resources["access"]["parent"] == resources["server"]["parent"] == resources["lifecompanion-embedded"]["urn"]
    assert (resources["role-app"]["urn"], resources["role-app"]["parent"]) == (urn, part)
    assert resources["role-app"]["dependencies"] == [resources["embedded"]["urn"], resources["server"]["urn"]]
    again = as_record(deployment, tmp_path).entries
    assert {key: entry.parent for key, entry in again.items()} == {
        key: entry.parent for key, entry in grouped.entries.items()}


def test_a_record_whose_urns_have_the_stack_in_them_is_read_under_the_engines(tmp_path: Path) -> None:
    original = record(tmp_path)
    original.write()
    text = original.file.read_text().replace(HEAD, f"{HEAD}pulumi:pulumi:Stack$")
    original.file.write_text(text)
    read = Record.read(tmp_path)
    assert list(read.entries) == list(original.entries)
    assert [entry.goes_with for entry in read.entries.values()] == [
        entry.goes_with for entry in original.entries.values()]


def test_a_record_survives_the_conversion_to_a_deployment_and_back(tmp_path: Path) -> None:
    original = record(tmp_path)
    again = as_record(as_deployment(original, "lifecompanion", "embedded"), tmp_path)
    assert again.entries.keys() == original.entries.keys()
    assert [entry.secrets for entry in again.entries.values()] == [entry.secrets for entry in original.entries.values()]
    assert again.outputs == original.outputs
