"""The suite's own promises: only a lack skips, a crash and a leak fail, and what was skipped is a line a reason."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import Mock

import pytest

from tests.database.conftest import kinds_to_run
from tests.support import machine
from tests.support.machine import NEEDS, Lack, must_have
from tests.support.running.servers import KINDS
from tests.support.skip_report import TITLE, grouped

ROOT = Path(__file__).resolve().parents[2]
HOOKS = "from tests.conftest import *\nfrom tests.conftest import pytest_configure, pytest_configure_node, " \
        "pytest_runtest_setup, pytest_xdist_make_scheduler\n"
Run = Callable[..., str]


@pytest.fixture
def suite(tmp_path: Path) -> Run:
    """Run a small suite under the hooks of this one; what it printed."""
    (tmp_path / "conftest.py").write_text(HOOKS)

    def run(text: str, *options: str, env: Mapping[str, str] | None = None) -> str:
        (tmp_path / "test_small.py").write_text("import pytest\nfrom tests.support import machine\n" + text)
        kept = {key: value for key, value in os.environ.items()
                if not key.startswith(("PYTEST_", "LCDB_")) and key != "DOCKER_HOST"}
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--config-file", str(ROOT / "pyproject.toml"),
             "--rootdir", str(tmp_path), str(tmp_path), *options], cwd=tmp_path, capture_output=True, text=True,
            env={**kept, "PYTHONPATH": str(ROOT), "DOCKER_HOST": f"unix://{tmp_path}/none", **(env or {})},
            check=False, timeout=300)
        return done.stdout + done.stderr
    return run


LACKING = """
@pytest.mark.needs("docker")
@pytest.mark.parametrize("number", range(3))
def test_in_a_container(number): raise AssertionError("never begun")

@pytest.fixture
def engine(): machine.require("docker")

def test_by_a_fixture(engine): pass
def test_of_nothing(): pass
"""


@pytest.mark.parametrize("options", [(), ("-n", "1")], ids=["alone", "xdist"])
def test_what_the_machine_lacks_is_skipped_in_one_line_before_pytests_own(suite: Run, options: tuple[str, ...]) -> None:
    lines = [line for line in suite(LACKING, *options).splitlines() if line]
    title = next(number for number, line in enumerate(lines) if TITLE in line)
    assert lines[title + 1].startswith("needs a Docker engine (")
    assert lines[title + 1].endswith("): 4 tests in 1 file")
    assert " 1 passed, 4 skipped in " in lines[-1]


def test_what_the_machine_must_have_fails_instead(suite: Run) -> None:
    out = suite(LACKING, "-n", "1", env={machine.VARIABLE: "docker, pulumi"})
    assert "LCDB_MUST_HAVE names docker, but: needs a Docker engine (" in out
    assert " 1 passed, 4 errors in " in out.splitlines()[-1]


def test_a_name_that_is_no_need_ends_the_run_before_the_first_test(suite: Run) -> None:
    out = suite(LACKING, env={machine.VARIABLE: "docker,dokcer"})
    assert "LCDB_MUST_HAVE: found dokcer, required some of docker, official, " in out
    assert "passed" not in out


def test_must_have_is_empty_where_nothing_is_set() -> None:
    assert must_have({}) == must_have({machine.VARIABLE: " ,"}) == frozenset()
    assert must_have({machine.VARIABLE: ",".join(NEEDS)}) == NEEDS.keys()


LEAKING = """
import socket, threading
KEPT = []

class Cycle:
    def __init__(self): self.self, self.socket = self, socket.socket()

@pytest.fixture
def leaking(): yield Cycle()

@pytest.fixture(scope="module")
def refused():
    kept = Cycle()
    raise LookupError("no such server")

def test_before(): pass
def test_leaking(leaking): pass
def test_after(): pass
def test_refused(refused): pass
def test_failing():
    kept = socket.socket()
    raise LookupError("after it was opened")
def test_last(): pass
"""


def test_a_socket_left_open_fails_the_test_that_left_it_and_no_other(suite: Run) -> None:
    out = suite(LEAKING, "-v")
    verdicts = [tuple(line.partition("::")[2].split()[:2]) for line in out.splitlines() if line.endswith("%]")]
    assert verdicts == [
        ("test_before", "PASSED"), ("test_leaking", "PASSED"), ("test_leaking", "ERROR"), ("test_after", "PASSED"),
        ("test_refused", "ERROR"), ("test_refused", "ERROR"), ("test_failing", "FAILED"), ("test_failing", "ERROR"),
        ("test_last", "PASSED")]
    assert "Leak: test_small.py::test_leaking or a fixture that ended with it left open: unclosed <socket.socket" in out


CRASHING = """
from pathlib import Path
from infra.local import embedded_server
from tests.support.running.servers import running

def test_on_it(tmp_path, monkeypatch):
    machine.require("embedded")
    broken = tmp_path / "program"
    broken.mkdir()
    (broken / "server.mjs").write_text("throw new Error('the engine has no memory')")
    monkeypatch.setattr(embedded_server, "prepare", lambda root: broken)
    with running("embedded", tmp_path / "server"):
        pass
"""


def test_a_server_that_crashes_at_its_start_is_a_failure_and_says_why(suite: Run) -> None:
    machine.require("embedded")
    out = suite(CRASHING, env={"HOME": os.environ.get("HOME", "/")})
    assert "the engine has no memory" in out
    assert " 1 failed in " in out.splitlines()[-1]


@contextmanager
def proxied(path: Path, target: Path) -> Iterator[None]:
    """A way to the engine through a socket of our own, which the client may take away by its own `stop` file."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        thread = threading.Thread(target=_pass_on, args=[listening, target], daemon=True)
        thread.start()
        yield
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


def _pass_on(listening: socket.socket, target: Path) -> None:
    pumps = []
    while True:
        try:
            near, _ = listening.accept()
        except OSError:
            break
        far = socket.socket(socket.AF_UNIX)
        far.connect(str(target))
        for one, other in ((near, far), (far, near)):
            pumps.append(threading.Thread(target=_pump, args=[one, other], daemon=True))
            pumps[-1].start()
        pumps.append(threading.Thread(target=_close_after, args=[list(pumps[-2:]), near, far], daemon=True))
        pumps[-1].start()
    for pump in pumps:
        pump.join()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    while data := source.recv(65536):
        sink.sendall(data)
    sink.shutdown(socket.SHUT_WR)


def _close_after(pumps: list[threading.Thread], *sockets: socket.socket) -> None:
    for pump in pumps:
        pump.join()
    for opened in sockets:
        opened.close()


STOPPING = """
import os
from pathlib import Path

def test_with_it(): machine.require("docker")

def test_stops_it():
    Path(os.environ["DOCKER_HOST"].removeprefix("unix://")).unlink()

@pytest.mark.needs("official")
def test_without_it():
    from tests.support.running.servers import docker
    docker("version")
"""


def test_an_engine_that_stops_half_way_fails_tests_and_skips_none(suite: Run, tmp_path: Path) -> None:
    machine.require("docker")
    engine = Path(os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock").removeprefix("unix://"))
    with proxied(tmp_path / "engine", engine):
        out = suite(STOPPING, env={"DOCKER_HOST": f"unix://{tmp_path}/engine"})
    assert " 1 failed, 2 passed in " in out.splitlines()[-1]
    assert "annot connect to the Docker daemon" in out


def test_skips_are_counted_by_reason_with_their_files() -> None:
    skips = [("tests/a.py::test_one", ("tests/support/machine.py", 9, "Skipped: needs PHP")),
             *((f"tests/{name}.py::test_two[{name}]", ("tests/support/machine.py", 9, "Skipped: needs Go"))
               for name in "abc")]
    assert list(grouped(skips)) == ["needs Go: 3 tests in 3 files", "needs PHP: 1 test in 1 file"]
    assert list(grouped([])) == []


def test_a_lack_of_what_another_need_stands_on_is_that_one(monkeypatch: pytest.MonkeyPatch) -> None:
    lack = Lack("docker", "needs a Docker engine")
    monkeypatch.setattr(machine, "_decided", {"docker": lack})
    assert machine.find_lack("official") == machine.find_lack("debian") == lack


@pytest.mark.parametrize(("options", "official", "kinds"), [
    ((), True, ["official"]), (("--every-server",), True, ["official", "debian", "embedded"]),
    (("--quick",), True, ["official", "debian", "embedded"]), ((), False, ["official", "debian", "embedded"])])
def test_what_asks_nothing_new_of_a_server_is_left_out_only_where_the_official_one_is_asked(
        monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], official: bool, kinds: list[str]) -> None:
    lack = None if official else Lack("docker", "needs a Docker engine")
    monkeypatch.setattr(machine, "_decided", {"docker": lack, "official": lack})
    config = Mock(getoption=lambda option: option in options)
    assert kinds_to_run(KINDS, ["debian"], config) == kinds
    assert kinds_to_run(["debian", "embedded"], ["debian"], config) == ["debian", "embedded"]
