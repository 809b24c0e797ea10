"""A second checkout on one machine is told whose a port or a container is, and which other stack a command leaves."""

from __future__ import annotations

import io
import json
import socket
import sys
from pathlib import Path

import pytest
from rich.console import Console

from cli import drivers
from infra.inprocess.record import Entry, Record
from infra.local import embedded_server, processes
from infra.local.checkouts import holder_of_container, holder_of_port, note_checkout
from infra.settings import SettingsError
from infra.targets import embedded

CONTAINER = "lifecompanion-dev-primary"
LISTENING = """
import socket, sys, time
listening = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("on", flush=True)
time.sleep(600)
"""


@pytest.fixture(autouse=True)
def of_this_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def checkout(tmp_path: Path, name: str) -> Path:
    folder = tmp_path / name
    (folder / ".lcdb").mkdir(parents=True)
    note_checkout(folder)
    return folder


def has_container(folder: Path) -> None:
    file = folder / ".lcdb/state/.pulumi/stacks/lifecompanion/dev.json"
    file.parent.mkdir(parents=True)
    resource = {"type": "docker:index/container:Container", "urn": "x", "inputs": {"name": CONTAINER}}
    file.write_text(json.dumps({"checkpoint": {"latest": {"resources": [resource]}}}))


def test_the_checkout_whose_state_has_the_container_is_named(tmp_path: Path) -> None:
    first, second = checkout(tmp_path, "first"), checkout(tmp_path, "second")
    assert holder_of_container("dev", CONTAINER, second, second / ".lcdb") is None
    has_container(first)
    assert holder_of_container("dev", CONTAINER, second, second / ".lcdb") == first
    assert holder_of_container("dev", CONTAINER, first, first / ".lcdb") is None
    # A copy of a checkout with its state: whose the container is, cannot be told.
    has_container(second)
    assert holder_of_container("dev", CONTAINER, second, second / ".lcdb") is None


def test_a_checkout_that_is_gone_leaves_the_list(tmp_path: Path) -> None:
    first, second = checkout(tmp_path, "first"), checkout(tmp_path, "second")
    has_container(first)
    first.rename(tmp_path / "elsewhere")
    assert holder_of_container("dev", CONTAINER, second, second / ".lcdb") is None
    note_checkout(second)
    assert (tmp_path / "state/lifecompanion/checkouts").read_text() == f"{second}\n"


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    assert checkout(tmp_path, "first").is_dir()


def test_the_stack_and_checkout_that_hold_a_port_are_named_at_preview(tmp_path: Path) -> None:
    first, second = checkout(tmp_path, "first"), checkout(tmp_path, "second")
    port = processes.free_port()
    folder = first / ".lcdb" / "trial" / "embedded"
    log = folder / "embedded.log"
    processes.start("embedded", [sys.executable, "-c", LISTENING, str(port)], folder, env={}, timeout=60,
                    ready=lambda: log.is_file() and "on" in log.read_text())
    try:
        assert holder_of_port(port, "embedded", second) == f"stack trial of the checkout in {first}"
        assert holder_of_port(port, "embedded", first) == "stack trial of this checkout"
        with pytest.raises(SettingsError, match=f"found {port}, but stack trial of the checkout in {first} has its "):
            embedded.require_port(second / ".lcdb" / "trial" / "embedded", port)
        embedded.require_port(folder, port)
    finally:
        processes.stop(folder, "embedded")
    assert holder_of_port(port, "embedded", second) is None


def test_a_port_that_somebody_else_holds_is_named_at_preview(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_server, "PORT_SECONDS", 0)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=f"found {port}, but .* is taken by another process"):
            embedded.require_port(tmp_path, port)


@pytest.mark.parametrize(("answers", "other", "way"), [
    (True, "embedded", "make destroy STACK=embedded removes it"),
    (False, "dev", "its containers are back with the Docker engine; STACK=dev means it"),
])
def test_a_command_without_a_stack_names_the_other_default_stack_of_this_checkout(
        monkeypatch: pytest.MonkeyPatch, answers: bool, other: str, way: str) -> None:
    class Driver:
        def __init__(self, name: str, _console: Console) -> None:
            self.name = name

    monkeypatch.setattr(drivers, "docker_answers", lambda _seconds: answers)
    monkeypatch.setattr(drivers, "Stack", Driver)
    monkeypatch.setattr(drivers, "into_pulumi", lambda *_: None)
    for here in (True, False):
        monkeypatch.setattr(drivers, "is_here", lambda name, here=here: here and name == other)
        for asked in (None, "embedded"):
            shown = io.StringIO()
            drivers.open_driver(asked, Console(file=shown, width=200))
            assert (way in shown.getvalue()) == (here and asked is None)


def test_a_stack_of_an_in_process_run_counts_as_created_here(tmp_path: Path) -> None:
    from infra.inprocess.takeover import is_here

    root = checkout(tmp_path, "first")
    assert not is_here("embedded", local=root / ".lcdb")
    Record(root / ".lcdb" / "embedded", {"u": Entry("t", "n", "i", {}, {})}, {}).write()
    assert is_here("embedded", local=root / ".lcdb")
