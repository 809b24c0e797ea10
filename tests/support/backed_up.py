"""A database with data on a real server, and a bucket on a real S3 server for its backups."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from backups.config import BackupConfig
from backups.errors import BusyError
from backups.logical.backup import run_logical
from backups.logical.catalog import Entry, find_backup
from backups.logical.manifest import Manifest
from backups.restoring.target_database import drop_database
from backups.storage.client import S3Login
from backups.storage.encryption import Keyring, new_key
from backups.storage.object_store import Store
from infra.settings import OFFICIAL_IMAGE
from infra.targets.docker import debian_reference
from schema.connection import Address
from tests.support.running.servers import Database, Server, create_declared, docker
from tests.support.running.servers import drop_database as drop

# As many readings as a quick test needs; a nightly run sets millions.
ROWS = int(os.environ.get("LCDB_TEST_ROWS", "20000"))
# Numbers `first` to `last` of `of` readings, in the order of time.
READINGS = """
    INSERT INTO public.environmental_readings (device_id, measured_at, temperature, humidity, pressure, air_quality)
    SELECT 1 + g % 50, now()::timestamp - interval '80 days' + g * (interval '75 days' / {of}),
           20 + 5 * sin(g / 1000.0), 50 + 9 * cos(g / 900.0), 1013 + 9 * sin(g / 700.0), g % 300
      FROM generate_series({first}, {last}) g"""
DEVICES = """
    INSERT INTO public.devices (user_id, type, mac_address, mqtt_topic)
    SELECT 1 + g % 20, 'sensor', '02:00:00:00:00:' || lpad(to_hex(g), 2, '0'), 't/' || g
      FROM generate_series(1, 50) g"""
# A name, a text and a preference that each kind of quoting stumbles over.
NASTY = r"""
    INSERT INTO public.users (name, email, password, preferences)
    SELECT E'tab\t new\n line \\. back\\slash ' || g, g || '@example.org', E'\\.', jsonb_build_object('a', E'x\ny')
      FROM generate_series(1, 20) g"""


@dataclass(frozen=True)
class Backed:
    """The source database, its server, the bucket and the keys."""

    database: Database
    store: Store
    ring: Keyring
    key: str = field(repr=False)

    @property
    def server(self) -> Server:
        """The source's server."""
        return self.database.server

    @property
    def image(self) -> str:
        """The image of the server's container."""
        return OFFICIAL_IMAGE if self.server.kind == "official" else debian_reference()

    @property
    def digest(self) -> str:
        """The digest of the server's image."""
        return docker("inspect", "--format", "{{.Image}}", str(self.server.container)).strip()

    @property
    def source(self) -> Address:
        """The superuser's login to the source database."""
        return self.database.admin

    @property
    def admin(self) -> Address:
        """The superuser's login to the server's own database."""
        return self.server.admin

    def back_up(self, ring: Keyring | None = None) -> Entry:
        """Take a backup; retried, as the server notices the end of the run before only a little later."""
        for attempt in tries_while_busy():
            with attempt:
                manifest = run_logical(self.store, ring or self.ring, self.source, image=self.image,
                                       image_digest=self.digest)
        return find_backup(self.store, manifest.database, manifest.id)

    def config(self, **more: object) -> BackupConfig:
        """Return settings for the program's own functions; `more` replaces single keys."""
        return BackupConfig.from_dict({**self._settings(), **more}, "test")

    def write_settings(self, path: Path) -> Path:
        """Write the settings as a file for the command line, readable by this user alone."""
        path.touch(mode=0o600)
        path.write_text(json.dumps(self._settings()))
        return path

    def _settings(self) -> dict[str, object]:
        return {"bucket": self.store.bucket, "s3": self.store.login.to_dict(), "keys": [self.key], "image": self.image,
                "database": self.source.to_dict(), "admin": self.admin.to_dict()}

    @contextmanager
    def room(self) -> Iterator[str]:
        """Yield the name of a database to restore into, one that has to be quoted; it is dropped afterwards."""
        name = f"restored's {secrets.token_hex(4)}"
        try:
            yield name
        finally:
            with self.admin.connect() as connection:
                drop_database(connection, name)


@dataclass(frozen=True)
class BackedUp:
    """A database, and a backup of it."""

    backed: Backed
    entry: Entry

    @property
    def manifest(self) -> Manifest:
        """What the backup says of itself."""
        assert self.entry.manifest
        return self.entry.manifest


def tries_while_busy() -> Retrying:
    """Retry for half a minute while another backup holds the lock."""
    return Retrying(stop=stop_after_delay(30), wait=wait_fixed(0.1), reraise=True,
                    retry=retry_if_exception_type(BusyError))


@contextmanager
def backed(server: Server, login: S3Login, rows: int = ROWS) -> Iterator[Backed]:
    """A source with the declared schema, readings (two chunks compressed where the edition can) and an aggregate."""
    database = create_declared(server, f"source_{secrets.token_hex(4)}")
    with server.admin.connect() as connection:
        # As in a stack's server: nothing of the superuser's own may depend on his search path.
        connection.execute("ALTER ROLE postgres SET search_path = pg_catalog")
    database.execute(
        NASTY, DEVICES,
        READINGS.format(first=1, last=rows, of=rows),
        "CREATE TABLE \"Odd name\" (\"a b\" int GENERATED ALWAYS AS IDENTITY, c text,"
        " d int GENERATED ALWAYS AS (1) STORED)",
        "INSERT INTO \"Odd name\" (c) VALUES (NULL), ('\\.'), (''), (E'\\f\\\\N\\f1\\v')")
    if server.community:
        database.execute("SELECT compress_chunk(c) FROM (SELECT show_chunks('environmental_readings') c LIMIT 2) x")
        database.execute("CREATE MATERIALIZED VIEW hourly WITH (timescaledb.continuous) AS SELECT device_id,"
                         " time_bucket('1 hour', measured_at) AS hour, avg(temperature) AS temperature"
                         " FROM environmental_readings GROUP BY 1, 2")
    try:
        yield bucket_for(database, login)
    finally:
        with server.admin.connect() as connection:
            connection.execute("ALTER ROLE postgres RESET search_path")
        drop(database)


def bucket_for(database: Database, login: S3Login) -> Backed:
    """A new bucket, with a key of its own, for the backups of this database."""
    bucket = f"backups-{secrets.token_hex(6)}"
    login.client().create_bucket(Bucket=bucket)
    key = new_key()
    return Backed(database, Store(login, bucket, patience=5), Keyring([key]), key)
