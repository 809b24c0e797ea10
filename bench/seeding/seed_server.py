"""The server that the seeding benchmarks run on: the official image with the parameters that a stack would give it.

It is asked at its own address, past the proxy of a published port, which costs by the byte. BENCH_DOCKER_OPTIONS are
given to `docker run`, such as a control group for a machine that has other work to do.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from infra.settings import OFFICIAL_IMAGE
from infra.targets.tuning import GIB, server_parameters
from schema import apply
from schema.connection import Address
from schema.lifecompanion import declared

ROOT = Path(__file__).parents[2]
MEMORY, CORES = 4 * GIB, os.cpu_count() or 2


@contextmanager
def running() -> Iterator[Address]:
    """A fresh database with the declared schema, on a server that keeps its word about durability."""
    name, password = f"lcdb-bench-{secrets.token_hex(3)}", secrets.token_hex(8)
    parameters = {"shared_preload_libraries": "timescaledb", "timescaledb.telemetry_level": "off",
                  **server_parameters(MEMORY, CORES, {})}
    words = [word for key, value in parameters.items() for word in ("-c", f"{key}={value}")]
    _docker("run", "--detach", "--name", name, "--shm-size", "1g", *os.environ.get("BENCH_DOCKER_OPTIONS", "").split(),
            "--env", f"POSTGRES_PASSWORD={password}", OFFICIAL_IMAGE, "postgres", *words)
    try:
        host = _docker("inspect", "--format", "{{.NetworkSettings.IPAddress}}", name).strip()
        admin = Address(host, 5432, "postgres", "postgres", password, sslmode="disable")
        # The image's first start serves its own socket alone, then starts anew: two answers in a row are the real one.
        time.sleep(8)
        with admin.connect(wait_seconds=60) as connection:
            connection.execute("CREATE DATABASE bench")
        address = replace(admin, database="bench")
        with address.connect() as connection:
            connection.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
        apply.ensure(address, declared())
        yield address
    finally:
        _docker("rm", "--force", "--volumes", name)


def execute(address: Address, *statements: str) -> list[tuple[object, ...]]:
    """Run statements one by one; the rows of the last."""
    with address.connect() as connection:
        for statement in statements:
            cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def login(address: Address) -> dict[str, str]:
    """The environment in which libpq's programs find the database."""
    return {**os.environ, "PGHOST": address.host, "PGPORT": str(address.port), "PGDATABASE": address.database,
            "PGUSER": address.user, "PGPASSWORD": address.password}


def seconds_of(command: list[str], environment: Mapping[str, str]) -> float:
    """How long the command takes; it has to succeed."""
    since = time.monotonic()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=ROOT)
    taken = time.monotonic() - since
    if done.returncode != 0:
        raise SystemExit(f"bench: {command[0]} failed:\n{done.stdout}{done.stderr}")
    return taken


def psql_seconds(address: Address, *commands: str) -> float:
    """How long psql takes for these commands, one after the other in one session."""
    words = [word for command in commands for word in ("-c", command)]
    return seconds_of(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", *words], login(address))


def seed_seconds(address: Address, *options: str) -> float:
    """How long `lcdb seed` takes, from its start as a program to its end."""
    environment = {**os.environ, "LCDB_DSN": address.dsn()}
    return seconds_of([sys.executable, "-c", "from cli import main; main()", "seed", "--json", *options], environment)


def _docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True).stdout
