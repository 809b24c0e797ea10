"""Background processes: started, found again, stopped, never mixed up with another's. Every process here is real."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local import processes
from infra.local.processes import ProcessError, alive, free_port, port_is_free, start, stop

SLEEPER = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"]
DEAF = [sys.executable, "-c", "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
                              "print('deaf', flush=True); time.sleep(600)"]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "runtime"
    stop(tmp_path / "runtime", "one", grace=0.5)


def has_written(folder: Path, word: str) -> bool:
    log = folder / "one.log"
    return log.exists() and word in log.read_text()


def begin(folder: Path, command: list[str], word: str, **more: str) -> processes.Running:
    return start("one", command, folder, env=more, ready=lambda: has_written(folder, word), timeout=15)


def test_started_process_is_detached_recognised_and_stopped(folder: Path) -> None:
    running = begin(folder, SLEEPER, "up")
    assert alive(folder, "one") == running
    assert os.getsid(running.pid) == running.pid != os.getsid(0)
    stop(folder, "one")
    assert alive(folder, "one") is None
    assert not Path(f"/proc/{running.pid}").exists()
    stop(folder, "one")


def test_it_outlives_the_run_that_started_it(folder: Path) -> None:
    code = ("import sys; from pathlib import Path; from infra.local.processes import start; folder = Path(sys.argv[1]);"
            "print(start('one', ['sleep', '600'], folder, env={}, ready=lambda: True, timeout=5).pid)")
    done = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True)
    running = alive(folder, "one")
    assert running is not None
    assert running.pid == int(done.stdout)


def test_second_start_returns_the_same_process_and_another_command_replaces_it(folder: Path) -> None:
    first = begin(folder, SLEEPER, "up")
    assert begin(folder, SLEEPER, "up") == first
    second = begin(folder, DEAF, "deaf")
    assert second.pid != first.pid
    assert not Path(f"/proc/{first.pid}").exists()


def test_starts_at_the_same_time_make_one_process(folder: Path) -> None:
    running: list[processes.Running] = []
    threads = [threading.Thread(target=lambda: running.append(begin(folder, SLEEPER, "up"))) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(running) == 5
    assert len(set(running)) == 1


def test_a_reused_pid_is_never_signalled(folder: Path) -> None:
    with subprocess.Popen(["sleep", "600"], start_new_session=True) as stranger:
        folder.mkdir()
        (folder / "one.pid").write_text(json.dumps(
            {"pid": stranger.pid, "started_at": "an earlier time", "command": ["sleep", "600"]}))
        assert alive(folder, "one") is None
        stop(folder, "one")
        assert stranger.poll() is None
        assert not (folder / "one.pid").exists()
        stranger.kill()


def test_a_pid_file_cut_short_counts_as_not_running(folder: Path) -> None:
    folder.mkdir()
    (folder / "one.pid").write_text('{"pid": 1')
    assert alive(folder, "one") is None


def test_a_killed_process_is_noticed_and_started_anew(folder: Path) -> None:
    first = begin(folder, SLEEPER, "up")
    os.kill(first.pid, signal.SIGKILL)
    until = time.monotonic() + 10
    while alive(folder, "one") and time.monotonic() < until:
        time.sleep(0.02)
    assert alive(folder, "one") is None
    assert begin(folder, SLEEPER, "up").pid != first.pid


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux says that a process is on its way out")
def test_a_killed_process_that_takes_long_to_end_is_not_taken_for_a_started_one(folder: Path) -> None:
    code = ("import threading, time; memory = bytearray(300_000_000); memory[::4096] = b'x' * len(memory[::4096]);"
            "[threading.Thread(target=time.sleep, args=[600]).start() for _ in range(30)]; print('up', flush=True)")
    killed = begin(folder, [sys.executable, "-c", code], "up")
    os.kill(killed.pid, signal.SIGKILL)
    again = begin(folder, [sys.executable, "-c", code], "up")
    assert again.pid != killed.pid
    assert alive(folder, "one") == again


def test_one_that_ignores_sigterm_is_killed_with_its_children(folder: Path) -> None:
    parent = [sys.executable, "-c", "import signal, subprocess, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
              "print('child', subprocess.Popen(['sleep', '600']).pid, flush=True); time.sleep(600)"]
    begin(folder, parent, "child")
    child = int((folder / "one.log").read_text().split()[1])
    stop(folder, "one", grace=0.5)
    # The kernel ends a killed process in its own time.
    until = time.monotonic() + 10
    while not _is_gone(child) and time.monotonic() < until:
        time.sleep(0.05)
    assert _is_gone(child)


def _is_gone(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux ends threads one by one")
def test_one_whose_first_thread_has_ended_runs_as_long_as_another_holds_its_port(folder: Path) -> None:
    number = {"x86_64": 60, "aarch64": 93}[os.uname().machine]  # exit, of this thread alone
    port = free_port()
    code = ("import ctypes, socket, sys, threading, time; s = socket.create_server(('127.0.0.1', int(sys.argv[1])));"
            "threading.Thread(target=time.sleep, args=[600]).start(); print('up', flush=True);"
            f"ctypes.CDLL(None).syscall({number}, 0)")
    running = begin(folder, [sys.executable, "-c", code, str(port)], "up")
    until = time.monotonic() + 10
    while Path(f"/proc/{running.pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
        assert time.monotonic() < until
        time.sleep(0.01)
    assert alive(folder, "one") == running
    assert not port_is_free(port)
    stop(folder, "one")
    assert alive(folder, "one") is None
    assert port_is_free(port)


def test_an_early_end_is_one_line_with_the_logs_last_words(folder: Path) -> None:
    dying = [sys.executable, "-c", "import sys; print('first', flush=True); sys.exit('address already in use')"]
    with pytest.raises(ProcessError, match=r"^one: ended before it was ready: address already in use; see .*one\.log$"):
        start("one", dying, folder, env={}, ready=lambda: False, timeout=15)
    assert alive(folder, "one") is None


def test_one_that_never_gets_ready_is_stopped(folder: Path) -> None:
    with pytest.raises(ProcessError, match=r"^one: not ready after 0\.5 s, stopped: .*; see "):
        start("one", SLEEPER, folder, env={}, ready=lambda: False, timeout=0.5)
    assert alive(folder, "one") is None


def test_a_missing_program_is_a_one_line_error(folder: Path) -> None:
    with pytest.raises(ProcessError, match=r"^one: program no-such-program is not there; install it"):
        begin(folder, ["no-such-program"], "up")


def test_files_are_private_and_secrets_reach_the_process_by_environment_alone(
        folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "callers-own")
    echo = [sys.executable, "-c", "import os, time; print(os.environ.get('KEY'), os.environ.get("
                                  "'PULUMI_CONFIG_PASSPHRASE'), flush=True); time.sleep(600)"]
    running = begin(folder, echo, "None", KEY="hidden-word")
    assert (folder / "one.log").read_text().split() == ["hidden-word", "None"]
    assert b"hidden-word" not in Path(f"/proc/{running.pid}/cmdline").read_bytes()
    assert "hidden-word" not in (folder / "one.pid").read_text()
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700


def test_start_time_is_read_without_proc_too(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "PROC", folder / "no-proc")
    running = begin(folder, SLEEPER, "up")
    assert alive(folder, "one") == running
    stop(folder, "one")
    assert alive(folder, "one") is None


def test_a_port_in_use_is_not_free(folder: Path) -> None:
    port = free_port()
    assert port_is_free(port)
    with socket.create_server(("127.0.0.1", port)):
        assert not port_is_free(port)
