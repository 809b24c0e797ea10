"""A machine that gets the Pulumi CLI, or loses it: one embedded stack goes on under the other driver, with its data."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from infra.inprocess.record import Record
from infra.local import embedded_server, processes
from schema.connection import Address
from tests.support.programs.checkout import ROOT, Checkout, free_ports, make_checkout
from tests.support.running.s3_servers import require_s3_server

NAME = "embedded"


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[tuple[Checkout, Checkout]]:
    """One checkout as a machine drives it that has the Pulumi CLI, and one that has not; nothing runs afterwards."""
    root = tmp_path / "checkout"
    root.mkdir()
    checkout = make_checkout(root)
    require_s3_server()  # which the machine without a way to downloads shares
    embedded_server.prepare(ROOT / ".lcdb" / "embedded-node")
    (root / ".lcdb" / "embedded-node").symlink_to(ROOT / ".lcdb" / "embedded-node")
    settings = {"target": "embedded", "port": free_ports(), "onUnsupported": "skip", "s3": "local",
                "s3OnUnsupported": "warn", "allowBucketDeletion": "true"}
    (root / f"Pulumi.{NAME}.yaml").write_text(
        "config:\n" + "".join(f"  lifecompanion:{key}: {value}\n" for key, value in settings.items()))
    bare = tmp_path / "path"
    bare.mkdir()
    for name in ("node", "npm", "git", "sh", "bash", "env", "ps"):
        if program := shutil.which(name):
            (bare / name).symlink_to(program)
    of_both = {"PYTHONPATH": str(root), "COLUMNS": "200", "NO_COLOR": "1", "XDG_STATE_HOME": str(tmp_path / "state"),
               "PULUMI_HOME": str(tmp_path / "home"), "PULUMI_SKIP_UPDATE_CHECK": "true"}
    (tmp_path / "home").mkdir()
    # A way to the vendor's downloads that leads nowhere.
    yield replace(checkout, env=of_both), replace(checkout, env={**of_both, "PATH": str(bare), "HTTPS_PROXY": "http://127.0.0.1:9",
                                                                 "NO_PROXY": "localhost,127.0.0.1"})
    for folder in (root / ".lcdb" / NAME).glob("*/"):
        for pid_file in folder.rglob("*.pid"):
            processes.stop(pid_file.parent, pid_file.stem)


def lcdb(checkout: Checkout, *words: str) -> str:
    done = checkout.lcdb(*words, "--stack", NAME)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    return " ".join((done.stdout + done.stderr).split())


def address(checkout: Checkout) -> Address:
    dsn = checkout.lcdb("outputs", "dsn", "--role", "owner", "--stack", NAME)
    assert dsn.returncode == 0, dsn.stderr
    from cli.addresses import find_database

    return find_database(None, dsn.stdout.strip())[1]


def insert(checkout: Checkout, name: str) -> None:
    values = (name, f"{name.replace(' ', '.')}@example.org")
    with address(checkout).connect() as connection:
        connection.execute("INSERT INTO users (name, email, password) VALUES (%s, %s, 'x')", values)


def users(checkout: Checkout) -> list[str]:
    with address(checkout).connect() as connection:
        return [row[0] for row in connection.execute("SELECT name FROM users ORDER BY id")]


def running(checkout: Checkout) -> list[str]:
    folder = checkout.root / ".lcdb" / NAME
    return sorted(file.stem for file in folder.rglob("*.pid") if processes.alive(file.parent, file.stem))


def secrets_of(record: Record) -> set[str]:
    """Every password and key that the in-process run made, and all its marked secrets that are text."""
    return {value for entry in record.entries.values() for key, value in entry.outputs.items()
            if key in (entry.secrets or ()) and isinstance(value, str) and len(value) >= 12}


def test_a_stack_created_without_the_cli_continues_with_it_and_without_it_again(
        machine: tuple[Checkout, Checkout]) -> None:
    with_cli, without = machine
    lcdb(without, "up")
    insert(without, "made without")
    folder = with_cli.root / ".lcdb" / NAME
    secrets = secrets_of(Record.read(folder))
    assert len(secrets) > 7

    taken = lcdb(with_cli, "report")
    assert "are in Pulumi's state from now on" in taken
    assert "primary 127.0.0.1" in taken
    assert not (folder / "inprocess.json").exists()
    state = (with_cli.root / f".lcdb/state/.pulumi/stacks/lifecompanion/{NAME}.json").read_text()
    assert not [secret for secret in secrets if secret in state]
    lcdb(with_cli, "up")
    assert "nothing to change" in lcdb(with_cli, "up")
    assert users(with_cli) == ["made without"]
    assert running(with_cli) == [NAME, "s3"]
    insert(with_cli, "made with")
    state = (with_cli.root / f".lcdb/state/.pulumi/stacks/lifecompanion/{NAME}.json").read_text()
    assert not [secret for secret in secrets if secret in state]

    back = lcdb(without, "up")
    assert "nothing to change" in back
    assert "were made with the Pulumi CLI, which is not here" in back
    assert users(without) == ["made without", "made with"]
    assert not [secret for secret in secrets if secret in (folder / "pulumi-state.json").read_text()]

    # What a kill between the two steps of a takeover leaves is settled by the next command.
    kept = (folder / "inprocess.json").read_bytes()
    lcdb(with_cli, "report")
    (folder / "inprocess.json").write_bytes(kept)
    assert "nothing to change" in lcdb(with_cli, "preview")
    assert not (folder / "inprocess.json").exists()

    require_destroyed(with_cli)


def require_destroyed(checkout: Checkout) -> None:
    """Destroy it; fail where there was nothing to do, or where a process or a folder is left."""
    assert "nothing to change" not in lcdb(checkout, "destroy", "--yes")
    assert running(checkout) == []
    assert not (checkout.root / ".lcdb" / NAME / NAME).exists()


def test_second_checkout_learns_at_preview_which_folder_has_the_port_and_the_cli_destroys_it(
        machine: tuple[Checkout, Checkout], tmp_path: Path) -> None:
    with_cli, without = machine
    lcdb(without, "up")
    second = tmp_path / "second"
    second.mkdir()
    checkout = make_checkout(second)
    (second / f"Pulumi.{NAME}.yaml").write_text((without.root / f"Pulumi.{NAME}.yaml").read_text())
    for driver in (with_cli, without):
        other = replace(checkout, env={**driver.env, "PYTHONPATH": str(second)})
        done = other.lcdb("preview", "--stack", NAME)
        assert done.returncode == 1
        assert f"stack {NAME} of the checkout in {without.root} has its embedded server on it" in done.stderr
        assert "Traceback" not in done.stderr + done.stdout
    assert NAME in running(without)
    require_destroyed(with_cli)


def test_a_state_whose_passphrase_is_gone_is_refused_and_once_it_is_back_destroyed_without_the_cli(
        machine: tuple[Checkout, Checkout]) -> None:
    with_cli, without = machine
    lcdb(with_cli, "up")
    passphrase = with_cli.root / ".lcdb" / "passphrase"
    passphrase.rename(passphrase.with_name("aside"))
    for words in (("up",), ("destroy", "--yes")):
        done = without.lcdb(*words, "--stack", NAME)
        assert done.returncode == 1
        assert "cannot be read without the Pulumi CLI" in done.stderr
        assert done.stderr.count("\n") == 1
    assert NAME in running(with_cli)
    passphrase.with_name("aside").rename(passphrase)
    require_destroyed(without)
