"""A server for one drill: a container of the backup's own image, on loopback, without durability or jobs."""

from __future__ import annotations

import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from backups.docker import HBA, read_port, remove_container, run_docker, server_options
from backups.drill.leftovers import Owner, remove_leftovers
from backups.errors import RestoreError
from backups.temporary_folders import scratch_folder
from schema.connection import Address

START_SECONDS = 120
# How a failed docker command is reported.
WORDS = {"subject": "temporary server: ", "remedy": "give a server to use with --dsn"}
DRILL_PARAMETERS = {
    "hba_file": "/etc/lcdb/pg_hba.conf", "listen_addresses": "*", "fsync": "off", "full_page_writes": "off",
    "shared_preload_libraries": "timescaledb", "timescaledb.telemetry_level": "off", "timezone": "UTC",
    "timescaledb.max_background_workers": "0", "max_wal_size": "4GB", "shared_buffers": "256MB"}


@contextmanager
def temporary_server(image: str) -> Iterator[Address]:
    """Start the container, lend its superuser's login, remove it with its data; containers of killed drills go first.

    Raises RestoreError.
    """
    if not shutil.which("docker"):
        raise RestoreError("temporary server: no docker command on this machine; give a server to use with --dsn")
    remove_leftovers()
    name = f"lcdb-drill-{secrets.token_hex(4)}"
    with scratch_folder("drill") as folder:
        password = secrets.token_hex(16)
        folder.chmod(0o755)  # the server's own user reads the file below, by its name in the container
        (folder / "pg_hba.conf").write_text(HBA)
        (folder / "pg_hba.conf").chmod(0o644)  # whatever this user's umask says
        secret = folder / "password"
        secret.write_text(password)
        # The container begins as root and hands the password on; nobody else of this machine may read it.
        secret.chmod(0o600)
        try:
            # An image that archives has an entry point of its own, which wants a repository: here there is none.
            run_docker("run", "--detach", "--name", name, "--label", Owner.current().label(),
                       "--entrypoint", "docker-entrypoint.sh", "--publish", "127.0.0.1::5432", "--shm-size", "256m",
                       "--volume", f"{folder}/pg_hba.conf:/etc/lcdb/pg_hba.conf:ro",
                       "--volume", f"{secret}:/run/lcdb-password:ro",
                       "--env", "POSTGRES_PASSWORD_FILE=/run/lcdb-password", "--env", "NO_TS_TUNE=true", image,
                       "postgres", *server_options(DRILL_PARAMETERS), **WORDS)
            port = read_port(name, **WORDS)
            address = Address("127.0.0.1", port, "postgres", "postgres", password, sslmode="disable")
            _await(address, name)
            yield address
        finally:
            remove_container(name)


def _await(address: Address, name: str) -> None:
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            psycopg.connect(address.dsn(), connect_timeout=5).close()
        except psycopg.OperationalError as error:
            if time.monotonic() > until:
                raise RestoreError(f"temporary server {name}: took no login within {START_SECONDS} s "
                                   f"({' '.join(str(error).split())[:100]})") from None
            time.sleep(0.3)
        else:
            return
