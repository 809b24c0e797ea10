"""Run the embedded server: TimescaleDB in WebAssembly as a process of this machine, for trials and tests.

Its files lie in a folder of the stack: `data` (the database), `embedded.pid` and `embedded.log`.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg
from psycopg import sql

from infra.local import processes
from infra.local.node import Node, NodeError, ensure_node
from infra.local.notices import notify
from infra.local.processes import ProcessError
from schema.connection import Address

NAME = "embedded"
ADMIN = "postgres"
SOURCE = Path(__file__).resolve().parent.parent / "images" / "embedded"
INSTALL_SECONDS = 600
# The first start makes the database cluster: seconds on a quiet machine, much more on a busy one.
START_SECONDS = 300
PORT_SECONDS = 10
# Shared by all stacks of the checkout; relative to the program's folder.
PROGRAMS = Path(".lcdb/embedded-node")


class EmbeddedError(Exception):
    """The embedded server cannot be installed or started; the message is one line with the reason and the remedy."""


def prepare(root: Path) -> Path:
    """Install the server below `root`, unless it is there in this version, and return its folder.

    Two runs at once may both install; the first to finish wins. Raises EmbeddedError where Node or the packages of the
    lock file cannot be installed.
    """
    sources = sorted(path for path in SOURCE.iterdir() if path.suffix in {".mjs", ".json"})
    version = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:16]
    folder = root.absolute() / version
    if folder.is_dir():
        return folder
    node = _node()
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    notify("installing the packages of the embedded server (once, 13 MB)")
    draft = Path(tempfile.mkdtemp(dir=root, prefix="draft-"))
    try:
        for path in sources:
            shutil.copy(path, draft)
        _install(draft, node)
        draft.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return folder


def start(folder: Path, port: int, password: str) -> Address:
    """Start the server on 127.0.0.1:`port` with its data in `folder`, and wait for it; returns its address.

    `password` is the superuser's. A server that runs is left alone, but restarted where its port, code or password
    differ. Raises EmbeddedError.
    """
    address = Address("127.0.0.1", port, "postgres", ADMIN, password, sslmode="disable")
    program = prepare(PROGRAMS)
    if alive(folder) and not _knows(address):
        stop(folder)
    if not alive(folder):
        await_port(port)
    command = [_node().program, str(program / "server.mjs"), str(folder.absolute() / "data"), str(port)]
    log = folder / f"{NAME}.log"
    try:
        processes.start(NAME, command, folder, env={"LCDB_ADMIN_PASSWORD": password},
                        ready=lambda: log.is_file() and " ready: " in log.read_text(encoding="utf-8", errors="replace"),
                        timeout=START_SECONDS)
    except ProcessError as error:
        raise EmbeddedError(f"{error}") from None
    return address


def stop(folder: Path) -> None:
    """Stop the server after it has written its data; does nothing where it does not run."""
    processes.stop(folder, NAME)


def alive(folder: Path) -> bool:
    """Tell whether the server of this folder runs."""
    return processes.alive(folder, NAME) is not None


def remove(folder: Path) -> None:
    """Stop the server and delete its folder with the data."""
    stop(folder)
    if folder.exists():
        shutil.rmtree(folder)


def ensure_owner(admin: Address, database: str, owner: str) -> None:
    """Make the role the database's owner; changes nothing where it is."""
    with admin.connect() as connection:
        live = connection.execute("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = %s", (database,))
        if live.fetchone() != (owner,):
            connection.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(
                sql.Identifier(database), sql.Identifier(owner)))


def await_port(port: int) -> None:
    """Wait until the port is free, at most 10 s: a server that was killed holds it until its last thread has ended.

    Raises EmbeddedError.
    """
    until = time.monotonic() + PORT_SECONDS
    while not processes.port_is_free(port):
        if time.monotonic() > until:
            raise EmbeddedError(f"embedded server: port {port} on 127.0.0.1 is taken by another process; end that "
                                "process, or set another lifecompanion:port")
        time.sleep(0.1)


def _knows(address: Address) -> bool:
    """Whether the running server takes this password; one that is too busy to answer is taken at its word."""
    try:
        psycopg.connect(address.dsn(), connect_timeout=5).close()
    except psycopg.Error as error:
        return "password authentication failed" not in str(error)
    return True


def _node() -> Node:
    """A Node that can run the server. Raises EmbeddedError."""
    try:
        return ensure_node(notify)
    except NodeError as error:
        raise EmbeddedError(f"embedded server: {error}") from None


def _install(folder: Path, node: Node) -> None:
    command = [*node.npm, "ci", "--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund"]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=INSTALL_SECONDS)
    except subprocess.TimeoutExpired:
        raise EmbeddedError(f"embedded server: npm ci did not end within {INSTALL_SECONDS} s; "
                            "check the way to npm's registry") from None
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if line.startswith(("npm error", "npm ERR!"))]
        reason = errors[0] if errors else f"code {done.returncode}"
        raise EmbeddedError(f"embedded server: npm ci failed: {reason}; check the way to npm's registry (npm ping)")
