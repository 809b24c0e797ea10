"""What goes wrong says so in one clear line, loses nothing, and the next update goes on from there.

Most tests share one stack: it is brought up through two failures, and destroyed after a third.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from tests.support.killed_load import portions
from tests.support.programs.checkout import PASSPHRASE, Checkout, Stack, left_in_docker, make_checkout

SMALL = {"target": "docker", "memory": "256MiB", "onUnsupported": "skip"}
TABLES = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
READINGS = 527_160


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """Its state lies where `lcdb` keeps it, and it is in a list of checkouts that is not this user's own."""
    root = tmp_path_factory.mktemp("checkout")
    copy = make_checkout(root)
    state, passphrase = root / ".lcdb" / "state", root / ".lcdb" / "passphrase"
    state.mkdir(mode=0o700)
    passphrase.touch(mode=0o600)
    passphrase.write_text(PASSPHRASE)
    return replace(copy, env={**copy.env, "PULUMI_BACKEND_URL": f"file://{state}",
                              "XDG_STATE_HOME": str(tmp_path_factory.mktemp("user"))})


@contextmanager
def ephemeral(checkout: Checkout, name: str) -> Iterator[Stack]:
    stack = checkout.stack(name, SMALL)
    try:
        yield stack
    finally:
        done = checkout.lcdb("destroy", "--stack", name, "--yes")
        assert done.returncode == 0, done.stdout + done.stderr
        assert left_in_docker(name) == []


def one_line(done: subprocess.CompletedProcess[str], *words: str) -> str:
    """The line of the error output that has all the words; there is exactly one, and no traceback."""
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    lines = [line for line in done.stderr.splitlines() if all(word in line for word in words)]
    assert len(lines) == 1, done.stderr
    return lines[0]


def test_wrong_config_fails_at_preview_naming_key_value_and_allowed_ones(checkout: Checkout, suffix: str) -> None:
    checkout.stack(f"conf{suffix}", {**SMALL, "replicaz": 1, "memory": "much"})
    done = checkout.lcdb("preview", "--stack", f"conf{suffix}")
    one_line(done, "lifecompanion:replicaz", "no such key")
    one_line(done, "lifecompanion:memory", "'much'", "2GiB")


def test_port_in_use_is_named_and_nothing_is_created(checkout: Checkout, suffix: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        checkout.stack(f"port{suffix}", {**SMALL, "port": port})
        done = checkout.lcdb("up", "--stack", f"port{suffix}")
    one_line(done, "lifecompanion:port", str(port), "free it")
    assert left_in_docker(f"port{suffix}") == []


@pytest.fixture(scope="module")
def stack(checkout: Checkout, suffix: str) -> Iterator[Stack]:
    """A stack that is declared with an S3 server that does not answer; nothing of it is left afterwards."""
    declared = checkout.stack(
        f"fail{suffix}", {**SMALL, "s3": "compatible", "bucket": "backups", "s3Endpoint": "https://localhost:1"},
        dict.fromkeys(("s3AccessKey", "s3SecretKey"), "key-that-must-not-show"))
    yield declared
    if left_in_docker(declared.name):
        checkout.lcdb("destroy", "--stack", declared.name, "--yes")
    assert left_in_docker(declared.name) == []


@pytest.fixture(scope="module")
def standing(stack: Stack) -> Stack:
    """Return the same stack without S3, up."""
    if not stack.outputs():
        stack.set("s3", "none")
        stack.up()
    return stack


def test_update_killed_with_its_cli_goes_on_and_an_unreachable_s3_is_named_while_the_database_stands(
        stack: Stack) -> None:
    with _updating(stack, until="Container primary creating") as update:
        time.sleep(1)
        os.killpg(update.pid, signal.SIGKILL)
    done = stack.checkout.lcdb("up", "--stack", stack.name)
    one_line(done, "backup-bucket", "https://localhost:1", "does not answer")
    assert "key-that-must-not-show" not in done.stdout + done.stderr
    stack.set("s3", "none")
    assert stack.up()["same"] > 40  # all but the bucket was there already
    assert stack.query("SELECT count(*) FROM users", role="app") == [(0,)]
    assert stack.query(TABLES) == [(5,)]
    assert set(stack.up()) == {"same"}


def test_second_checkout_learns_at_preview_which_folder_has_the_containers(standing: Stack, tmp_path: Path) -> None:
    second, first = make_checkout(tmp_path), standing.checkout
    (tmp_path / f"Pulumi.{standing.name}.yaml").write_text(yaml.safe_dump({"config": {
        f"lifecompanion:{key}": value for key, value in {**SMALL, "port": standing.address().port}.items()}}))
    env = {key: value for key, value in first.env.items() if not key.startswith("PULUMI_")}
    refused = replace(second, env={**env, "PYTHONPATH": str(tmp_path)}).lcdb("preview", "--stack", standing.name)
    assert refused.returncode == 1
    assert f"lifecompanion-{standing.name}-primary belongs to the checkout in {first.root}" in refused.stderr
    again = first.lcdb("preview", "--stack", standing.name)
    assert "nothing to change" in again.stdout, again.stdout + again.stderr


def test_a_killed_load_is_finished_by_the_next_update(standing: Stack) -> None:
    with _loading(standing) as load:
        load.kill()
    assert standing.query("SELECT count(*) FROM environmental_readings", role="owner") != [(READINGS,)]
    done = standing.checkout.lcdb("up", "--stack", standing.name)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len([line for line in done.stdout.splitlines() if line.startswith(
        "finished the load of development data that was interrupted (20 users with 3 devices, 60 days")]) == 1
    assert standing.query("SELECT count(*) FROM environmental_readings", role="owner") == [(READINGS,)]
    assert standing.query("SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND convalidated AND conrelid "
                          "= 'environmental_readings'::regclass", role="owner") == [(1,)]
    assert set(standing.up()) == {"same"}


def test_two_stacks_stand_side_by_side(checkout: Checkout, standing: Stack, suffix: str) -> None:
    with ephemeral(checkout, f"two{suffix}") as two:
        two.up()
        standing.query("CREATE TABLE only_here (id int)", role="owner")
        assert two.query("SELECT to_regclass('public.only_here')") == [(None,)]
        assert standing.query("SELECT to_regclass('public.only_here')::text") == [("public.only_here",)]


def test_host_is_checked_used_and_left_with_its_data_though_the_provider_was_killed_half_way(
        checkout: Checkout, standing: Stack, suffix: str) -> None:
    admin = standing.address()
    host = {"target": "host", "host": admin.host, "port": admin.port, "database": "elsewhere",
            "sslmode": "disable", "onUnsupported": "skip"}
    wrong = checkout.stack(f"wrong{suffix}", host, {"adminPassword": "not the password"})
    line = one_line(checkout.lcdb("up", "--stack", wrong.name), "password authentication failed")
    assert "not the password" not in line

    guest = checkout.stack(f"guest{suffix}", host, {"adminPassword": admin.password})
    with _updating(guest, until="schema:Table devices creating") as update:
        _kill_dynamic_provider(update.pid)
        assert update.stdout
        update.stdout.read()
        assert update.wait() != 0
    guest.up()
    assert guest.query(TABLES) == [(5,)]
    assert set(guest.up()) == {"same"}
    assert set(guest.refresh()) == {"same"}
    assert admin.password not in guest.state()
    guest.query("INSERT INTO users (name, email, password) VALUES ('a', 'a@example.org', 'x')", role="app")
    address = guest.address("owner")
    guest.destroy()
    with address.connect() as connection:
        assert connection.execute("SELECT count(*) FROM users").fetchone() == (1,)


def test_destroy_leaves_nothing_though_a_container_is_gone(standing: Stack) -> None:
    subprocess.run(["docker", "rm", "-f", f"lifecompanion-{standing.name}-primary"], check=True, capture_output=True)
    standing.destroy()
    assert left_in_docker(standing.name) == []


def test_full_disk_is_named_and_the_next_update_goes_on(checkout: Checkout, suffix: str) -> None:
    name, container = f"full{suffix}", checkout.root / "infra" / "targets" / "docker.py"
    with ephemeral(checkout, name) as stack:
        volume = f"lifecompanion-{name}-primary"
        subprocess.run(["docker", "volume", "create", "--opt", "type=tmpfs", "--opt", "device=tmpfs", "--opt",
                        "o=size=16m", volume], check=True, capture_output=True)
        # It fails as soon as it starts, and would be started again and again for two minutes.
        with _replaced(container, "wait_timeout=START_SECONDS", "wait_timeout=20"):
            one_line(checkout.lcdb("up", "--stack", name), f"{name}-primary", "No space left on device", "free space")
        subprocess.run(["docker", "rm", "-f", volume], check=True, capture_output=True)
        subprocess.run(["docker", "volume", "rm", volume], check=True, capture_output=True)
        assert checkout.lcdb("refresh", "--stack", name).returncode == 0
        assert checkout.lcdb("up", "--stack", name).returncode == 0
        assert set(stack.up()) == {"same"}


@contextmanager
def _replaced(file: Path, before: str, after: str) -> Iterator[None]:
    """A file of the checkout with other words in one place."""
    text = file.read_text()
    assert text.count(before) == 1
    file.write_text(text.replace(before, after))
    try:
        yield
    finally:
        file.write_text(text)


@contextmanager
def _updating(stack: Stack, *, until: str) -> Iterator[subprocess.Popen[str]]:
    """An update by hand in a process group of its own, handed over as soon as its output has this text."""
    with subprocess.Popen(
            ["pulumi", "up", "--yes", "--skip-preview", "--non-interactive", "--stack", stack.name],
            cwd=stack.checkout.root, env={**os.environ, **stack.checkout.env}, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, start_new_session=True) as update:
        assert update.stdout
        assert any(until in line for line in update.stdout), "the update ended before"
        yield update


def _kill_dynamic_provider(cli: int) -> None:
    """SIGKILL to the Python process, somewhere below the CLI, that runs our providers."""
    parents, commands = dict[int, int](), dict[int, bytes]()
    for path in Path("/proc").iterdir():
        if path.name.isdigit():
            with suppress(OSError):  # it has ended meanwhile
                parents[int(path.name)] = int(path.joinpath("stat").read_text().rsplit(")", 1)[1].split()[1])
                commands[int(path.name)] = path.joinpath("cmdline").read_bytes()

    def below(pid: int) -> bool:
        return pid == cli or (pid in parents and below(parents[pid]))

    providers = [pid for pid, command in commands.items() if below(pid) and b"pulumi.dynamic" in command]
    assert providers
    for pid in providers:
        os.kill(pid, signal.SIGKILL)


@contextmanager
def _loading(stack: Stack) -> Iterator[subprocess.Popen[bytes]]:
    """A load of half a million readings, handed over once some of them are in."""
    command = [sys.executable, "-c", "from cli import main; main()", "seed", "--stack", stack.name, "--users", "20",
               "--days", "60", "--interval", "590", "--activities", "500", "--json"]
    address = stack.address("owner")
    with subprocess.Popen(command, cwd=stack.checkout.root, env={**os.environ, **stack.checkout.env},
                          stdout=subprocess.DEVNULL) as load:
        deadline = time.monotonic() + 120
        while portions(address) < 1:
            assert load.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield load
