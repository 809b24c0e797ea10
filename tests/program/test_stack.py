"""Stacks driven through the Automation API by the real Pulumi CLI, on a toy project."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.automation.stack_file import StackError
from infra.automation.state import find_backend
from tests.support.programs.toy_stack import Toy, make_toy

pytestmark = pytest.mark.needs("plugins")


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Toy]:
    for name in ("PULUMI_BACKEND_URL", "PULUMI_ACCESS_TOKEN", "PULUMI_CONFIG_PASSPHRASE"):
        monkeypatch.delenv(name, raising=False)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("PULUMI_HOME", str(home))
    root = tmp_path / "project"
    root.mkdir()
    return make_toy(root)


def by_hand(toy: Toy, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["pulumi", *arguments, "--stack", "dev", "--non-interactive"], cwd=toy.root, text=True,
                          capture_output=True, check=True, env={**os.environ, **find_backend(toy.local).env})


def test_life_of_a_stack_leaves_the_checkout_clean(toy: Toy) -> None:
    stack, printed = toy.open()
    first = stack.up()
    assert first.changes["create"] == 3
    assert first.outputs == {"count": 2, "word": "hush-hush"}
    assert "+ Thing thing-0  created" in printed.getvalue()

    again = toy.open()[0].up()
    assert not again.changed
    assert "nothing to change" in again.summary()

    by_hand(toy, "up", "--yes", "--skip-preview", "--expect-no-changes")
    subprocess.run(["git", "checkout", "-q", "Pulumi.dev.yaml"], cwd=toy.root, check=True)

    toy.write(count=1, value="b")
    stack, printed = toy.open()
    planned = stack.preview()
    assert (planned.changes["update"], planned.changes["delete"]) == (1, 1)
    assert "would be updated" in printed.getvalue()
    assert not stack.refresh().changed

    assert toy.open()[0].destroy().changes["delete"] == 3
    subprocess.run(["git", "checkout", "-q", "Pulumi.dev.yaml"], cwd=toy.root, check=True)
    assert toy.git_status() == ""
    written = [path for path in toy.local.rglob("*") if path.is_file() and b"hush-hush" in path.read_bytes()]
    assert written == []


def test_up_leaves_no_salt_in_the_committed_file(toy: Toy) -> None:
    toy.open()[0].up()
    assert toy.git_status() == ""


def test_failure_is_a_one_line_error_and_keeps_what_was_created(toy: Toy) -> None:
    toy.open()[0].up()
    toy.write(count=3, value="bad")
    stack, printed = toy.open()
    with pytest.raises(StackError) as caught:
        stack.up()
    lines = str(caught.value).splitlines()
    assert [line.split(": ", 1)[1] for line in lines[:-1]] == [
        "table readings: found no shard, required one; create it"] * (len(lines) - 1)
    assert "run it again" in lines[-1]
    assert "Traceback" not in str(caught.value) + printed.getvalue()
    assert "Traceback" in (toy.local / "dev" / "log").read_text()

    toy.write(count=2)
    assert not toy.open()[0].up().changed


def test_killed_update_is_healed_by_the_next(toy: Toy) -> None:
    toy.open()
    toy.write(count=1, value="slow")
    killed = subprocess.Popen(
        ["pulumi", "up", "--yes", "--skip-preview", "--stack", "dev", "--non-interactive"], cwd=toy.root,
        env={**os.environ, **find_backend(toy.local).env}, stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        deadline = time.monotonic() + 120
        while not (toy.root / "started").exists():
            assert time.monotonic() < deadline
            time.sleep(0.1)
        stack, _ = toy.open()
        with pytest.raises(StackError, match=f"another update is going on .process {killed.pid} "):
            stack.up()
    finally:
        os.killpg(killed.pid, signal.SIGKILL)
        killed.wait()

    toy.write(count=1, value="c")
    stack, printed = toy.open()
    assert stack.up().changes["create"] >= 1
    assert f"removed the lock of an update that was killed (process {killed.pid})" in printed.getvalue()
    assert "cut short" in printed.getvalue()
    stack, printed = toy.open()
    assert not stack.up().changed
    assert "cut short" not in printed.getvalue()


def test_unknown_stack_names_those_there_are(toy: Toy) -> None:
    (toy.root / "Pulumi.dev.yaml").rename(toy.root / "Pulumi.other.yaml")
    with pytest.raises(StackError, match=r"Pulumi\.dev\.yaml not found \(there are: other\)"):
        toy.open()


