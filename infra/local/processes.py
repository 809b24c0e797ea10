"""Start, find and stop background processes of a stack, which run on after the command that started them.

Each process has a name in a folder, where it keeps `<name>.pid` (pid, kernel start time and command), `<name>.log`
and `<name>.lock`, all with mode 0600. Needs a POSIX system.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

# What a process of ours inherits: enough to run, nothing of the caller's keys and passphrases.
INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ")
PROC = Path("/proc")
POLL_SECONDS = 0.05
# Linux, include/linux/sched.h: the process is on its way out.
PF_EXITING = 0x4
# Where servers of ours listen: below the ports that any system gives to clients as they connect.
PORTS = range(20_000, 32_768)


class ProcessError(Exception):
    """A background process did not start, get ready or stop: one line with the log's last words."""


@dataclass(frozen=True)
class Running:
    """A process that runs. `started_at` is the kernel's start time: a reused pid has another one."""

    pid: int
    started_at: str


def start(name: str, command: Sequence[str], folder: Path, *, env: Mapping[str, str], ready: Callable[[], bool],
          timeout: float) -> Running:
    """Start `command` in the background and wait until `ready()`; where it runs already, only wait.

    A process of this name with another command is stopped first, and one that was killed is waited for. `command`
    takes absolute paths or names on the PATH and no secrets (anyone may read it in the process list): those go by
    `env`, which joins a minimal inherited environment.
    Raises ProcessError when it ends early or is not ready within `timeout` seconds; then nothing is left running.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _lock(folder, name, timeout):
        running, its_command = _recorded(folder, name)
        if running and (its_command != list(command) or _is_ending(running.pid)):
            _end(running, folder, name, grace=10)
            running = None
        if running is None:
            running = _spawn(name, command, folder, env)
        _await(running, name, folder, ready, timeout)
    return running


def alive(folder: Path, name: str) -> Running | None:
    """Find the process of this name; None where it does not run. A reused pid is not mistaken for it."""
    return _recorded(folder, name)[0]


def command(folder: Path, name: str) -> list[str]:
    """Return the command of the process of this name; an empty list where it does not run."""
    return _recorded(folder, name)[1]


def stop(folder: Path, name: str, *, grace: float = 10) -> None:
    """Stop the process and its group: SIGTERM, after `grace` seconds SIGKILL. Does nothing where it does not run.

    Raises ProcessError where it does not end.
    """
    if not folder.is_dir():
        return
    with _lock(folder, name, grace + 10):
        running, _ = _recorded(folder, name)
        if running:
            _end(running, folder, name, grace)
        (folder / f"{name}.pid").unlink(missing_ok=True)


def free_port(host: str = "127.0.0.1") -> int:
    """Return a TCP port that is free now and that no client gets by chance, so that a server which is started again
    finds it free; another server may take it before it is used. Raises OSError where none of a hundred is free."""
    for _ in range(100):
        port = PORTS.start + secrets.randbelow(len(PORTS))
        if port_is_free(port, host):
            return port
    raise OSError(f"no free port found between {PORTS.start} and {PORTS.stop - 1} on {host}; end a server there")


def port_is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Tell whether a server could listen on this port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections that have ended do not count
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def last_line(log: Path) -> str:
    """Return the last line of a log that is not blank, at most 300 characters; empty where there is none."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 4096))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.strip()[-300:] for line in reversed(lines) if line.strip()), "")


@contextmanager
def _lock(folder: Path, name: str, timeout: float) -> Iterator[None]:
    """One start or stop at a time, across threads and processes; the kernel lets go when the holder dies."""
    path = folder / f"{name}.lock"
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        until = time.monotonic() + timeout
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    raise ProcessError(f"{name}: another run has been starting or stopping it for {timeout:g} s; "
                                       f"wait for that run or end it ({path})") from None
                time.sleep(POLL_SECONDS)
        yield
    finally:
        os.close(descriptor)


def _spawn(name: str, command: Sequence[str], folder: Path, env: Mapping[str, str]) -> Running:
    program = shutil.which(command[0])
    if program is None:
        raise ProcessError(f"{name}: program {command[0]} is not there; install it or put it on the PATH")
    log = folder / f"{name}.log"
    if log.exists():
        log.replace(log.with_suffix(".log.1"))
    environment = {key: os.environ[key] for key in INHERITED if key in os.environ} | dict(env)
    to_log = (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    # posix_spawn and not Popen: no object of this interpreter is tied to a process that outlives it.
    pid = os.posix_spawn(program, list(command), environment, setsid=True, setsigmask=[],
                         setsigdef=[signal.SIGPIPE, signal.SIGINT, signal.SIGTERM, signal.SIGHUP],
                         file_actions=[(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0), to_log,
                                       (os.POSIX_SPAWN_DUP2, 1, 2)])
    running = Running(pid, _started_at(pid) or "")
    record = json.dumps({"pid": pid, "started_at": running.started_at, "command": list(command)})
    draft = folder / f"{name}.pid.draft"
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write(record)
    draft.replace(folder / f"{name}.pid")
    return running


def _await(running: Running, name: str, folder: Path, ready: Callable[[], bool], timeout: float) -> None:
    log = folder / f"{name}.log"
    until = time.monotonic() + timeout
    while True:
        is_ready = ready()
        # Asked after `ready`: another server on the same port may have answered.
        if not _runs(running) or _is_ending(running.pid):
            (folder / f"{name}.pid").unlink(missing_ok=True)
            raise ProcessError(f"{name}: ended before it was ready: {last_line(log) or 'it said nothing'}; see {log}")
        if is_ready:
            return
        if time.monotonic() > until:
            _end(running, folder, name, grace=2)
            raise ProcessError(f"{name}: not ready after {timeout:g} s, stopped: "
                               f"{last_line(log) or 'it said nothing'}; see {log}")
        time.sleep(POLL_SECONDS)


def _end(running: Running, folder: Path, name: str, grace: float) -> None:
    for number, seconds in ((signal.SIGTERM, grace), (signal.SIGKILL, 5.0)):
        if not _runs(running):
            break
        try:
            os.killpg(running.pid, number)  # it leads its own group, so its children end with it
        except ProcessLookupError:
            break
        except PermissionError:
            raise ProcessError(f"{name}: process {running.pid} belongs to another user; stop it as that user") from None
        until = time.monotonic() + seconds
        while _runs(running) and time.monotonic() < until:
            time.sleep(POLL_SECONDS)
    if _runs(running):
        raise ProcessError(f"{name}: process {running.pid} does not end, not even by SIGKILL; see {folder}/{name}.log")
    (folder / f"{name}.pid").unlink(missing_ok=True)


def _recorded(folder: Path, name: str) -> tuple[Running | None, list[str]]:
    """The process that the pid file names, if it still runs, and its command."""
    try:
        record = json.loads((folder / f"{name}.pid").read_text())
        running, command = Running(int(record["pid"]), str(record["started_at"])), list(record["command"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None, []
    return (running, command) if _runs(running) else (None, [])


def _runs(running: Running) -> bool:
    started_at = _started_at(running.pid)
    return started_at is not None and started_at == running.started_at


def _is_ending(pid: int) -> bool:
    """Whether the process was killed and has not ended yet: it still counts as running, but will not answer again."""
    threads = list((PROC / str(pid) / "task").glob("*"))
    return bool(threads) and all(_thread_is_ending(thread) for thread in threads)


def _thread_is_ending(thread: Path) -> bool:
    try:
        flags = (thread / "stat").read_text().rpartition(")")[2].split()[6]  # field 9
        status = (thread / "status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True
    pending = next((int(line.split()[1], 16) for line in status.splitlines() if line.startswith("SigPnd:")), 0)
    return bool(int(flags) & PF_EXITING) or bool(pending >> (signal.SIGKILL - 1) & 1)


def _started_at(pid: int) -> str | None:
    """When the kernel started this pid, None where no such process runs; a zombie of ours is buried on the way."""
    if not (PROC / "self/stat").exists():
        return _started_at_by_ps(pid)
    try:
        # the name in brackets may hold spaces and brackets itself; after the last one come fields 3 to 52
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # Where its first thread has ended and others have not, it still holds its ports and files (field 20: threads).
    if fields[0] in "ZX" and int(fields[17]) <= 1:
        with suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
        return None
    boot = (PROC / "sys/kernel/random/boot_id").read_text().strip()  # field 22 counts from the boot
    return f"{boot}:{fields[19]}"


def _started_at_by_ps(pid: int) -> str | None:
    """The same to the second, where there is no /proc (macOS, BSD)."""
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    answer = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    state, _, started_at = answer.stdout.strip().partition(" ")
    return started_at.strip() if state and "Z" not in state else None
