"""A server that archives its WAL by pgBackRest, as the docker target makes it, and an S3 server that both can reach."""

from __future__ import annotations

import ipaddress
import json
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from backups.config import BackupConfig, Retention
from backups.physical.settings import CA_FILE, OWN_ARCHIVE_PARAMETERS, render_settings
from backups.storage.client import S3Login
from backups.storage.encryption import new_key
from infra.local import docker_engine
from infra.local.recovery_image import IMAGE, archiving_reference
from infra.services.pgbackrest import CONF
from infra.targets.docker import DATA
from schema.connection import Address
from tests.support.machine import one_at_a_time
from tests.support.running.s3_servers import S3Server, seaweedfs
from tests.support.running.servers import _await as wait_for
from tests.support.running.servers import _image as image_of
from tests.support.running.servers import docker

HBA = "local all all trust\nhost all all all scram-sha-256\n"
DATABASE = "lifecompanion"
# More connections than a recovered server is given: its WAL wants as many there. No durability: what a test kills is a
# process or a container, never the machine.
SERVER = {**{key: value for key, value in OWN_ARCHIVE_PARAMETERS.items() if key != "archive_timeout"},
          "max_connections": "130", "fsync": "off", "hba_file": "/etc/pg_hba.conf", "listen_addresses": "*",
          "timezone": "UTC", "shared_preload_libraries": "timescaledb,pg_stat_statements",
          "timescaledb.telemetry_level": "off"}


@dataclass(frozen=True)
class Archived:
    """The server's container, its superuser's login, and the settings that every backup command takes."""

    container: str
    admin: Address
    config: BackupConfig

    def execute(self, *statements: str) -> list[tuple[object, ...]]:
        """Run the statements as the superuser, one by one; return the rows of the last."""
        with self.admin.connect() as connection:
            for statement in statements:
                cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def write_settings(self, file: Path) -> Path:
        """Write the file that `--config` takes, secrets included, readable by its owner alone; return its path."""
        file.touch(mode=0o600)
        file.write_text(json.dumps({**self.config.model_dump(mode="json"),
                                    "keys": [key.get_secret_value() for key in self.config.keys]}))
        return file


def bridge_address() -> str:
    """Return this machine's address that both its processes and containers of the default network reach."""
    networks = json.loads(docker("network", "inspect", "bridge", "--format", "{{json .IPAM.Config}}"))
    # An engine that has just begun to use the network names only its range.
    return str(networks[0].get("Gateway") or ipaddress.ip_network(networks[0]["Subnet"])[1])


def archiving(kind: str) -> str:
    """Return the image of this kind with pgBackRest, built where it is missing. Skips as `_image`."""
    base = image_of(kind)
    reference = archiving_reference(base)
    with one_at_a_time(f"archiving-{kind}"):
        if not docker_engine.has_image(reference):
            docker("build", "--quiet", "--tag", reference, "--build-arg", f"BASE={base}", str(IMAGE))
    return reference


@contextmanager
def archived(kind: str, login: S3Login, bucket: str, *, cipher: str | None = None, **more: object
             ) -> Iterator[Archived]:
    """Run the server with an empty database; the bucket may be created later."""
    image, name, password = archiving(kind), f"archived-{secrets.token_hex(4)}", secrets.token_hex(8)
    cipher = cipher or secrets.token_hex(16)
    settings = render_settings(login, bucket, DATABASE, cipher, Retention())
    with tempfile.TemporaryDirectory(prefix="archived-") as folder:
        mounts = []
        for place, text in ((CONF, settings), (CA_FILE, Path(str(login.ca_file)).read_text()),
                            ("/run/password", password), ("/etc/pg_hba.conf", HBA)):
            file = Path(folder) / Path(place).name
            file.write_text(text)
            mounts += ["--volume", f"{file}:{place}:ro"]
        docker("run", "--detach", "--init", "--name", name, "--publish", "127.0.0.1::5432", "--shm-size", "256m",
               *os.environ.get("BENCH_DOCKER_OPTIONS", "").split(), *mounts, "--env", f"PGDATA={DATA}",
               "--env", "POSTGRES_PASSWORD_FILE=/run/password", "--env", f"POSTGRES_DB={DATABASE}", "--env",
               "NO_TS_TUNE=true", image, "postgres",
               *(word for key, value in SERVER.items() for word in ("-c", f"{key}={value}")))
        try:
            port = int(docker("port", name, "5432/tcp").split(":")[-1])
            admin = Address("127.0.0.1", port, DATABASE, "postgres", password)
            wait_for(admin, name)
            set_timeout(admin, OWN_ARCHIVE_PARAMETERS["archive_timeout"])
            yield Archived(name, admin, BackupConfig.from_dict({
                "bucket": bucket, "s3": login.to_dict(), "keys": [new_key()], "name": DATABASE, "image": image,
                "database": admin.to_dict(), "admin": admin.to_dict(),
                "physical": {"cipher": cipher, "image": image, "network": "bridge"}, **more}, "test"))
        finally:
            docker("rm", "--force", "--volumes", name)


def set_timeout(admin: Address, value: str) -> None:
    """Set archive_timeout by ALTER SYSTEM; a parameter of the command line would override it."""
    with admin.connect() as connection:
        connection.execute(f"ALTER SYSTEM SET archive_timeout = '{value}'".encode())
        connection.execute("SELECT pg_reload_conf(), pg_sleep(0.5)")


@contextmanager
def archived_at(s3: S3Server, kind: str = "official") -> Iterator[Archived]:
    """Run the server with a new bucket on this S3 server, which keeps versions as a stack's own does.

    In a bucket without versions SeaweedFS lists empty folders for minutes, and pgBackRest creates no stanza where it
    sees one.
    """
    bucket, client = f"archived-{secrets.token_hex(4)}", s3.login.client()
    client.create_bucket(Bucket=bucket)
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    with archived(kind, s3.login, bucket) as archive:
        yield archive


@contextmanager
def archived_with_own_s3(folder: Path, kind: str = "official") -> Iterator[tuple[Archived, S3Server]]:
    """Run the server with its own S3 server, a SeaweedFS in `folder`, and a new bucket there."""
    with seaweedfs(folder, bridge_address()) as s3, archived_at(s3, kind) as archive:
        yield archive, s3
