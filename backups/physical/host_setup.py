"""What the administrator of a host installs for physical backups: pgBackRest's configuration, server settings, a timer.

Nothing is installed from here. Secrets are in files only; what is printed has `...` in their place.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from backups.config import BackupConfig
from backups.errors import BackupError
from backups.physical.pgbackrest import STANZA, require_physical
from backups.physical.settings import ARCHIVE_PARAMETERS, SPOOL, ServerPaths, render_settings
from backups.storage.client import S3Login

CONF = "/etc/pgbackrest/pgbackrest.conf"
CA = "/etc/pgbackrest/s3-ca.pem"
SETTINGS = "/etc/lcdb/backup.json"
# The same authority for the schedule's user, who sees nothing in pgBackRest's folder and may be on another machine.
SETTINGS_CA = "/etc/lcdb/s3-ca.pem"
# Where this repository lies on the machine that keeps the schedule, with its environment.
PROGRAM = "/opt/lcdb"
SECRET = re.compile(r"^(repo1-(?:s3-key|s3-key-secret|s3-token|cipher-pass)=).*$", re.MULTILINE)
# What the server calls the same, or what does as well.
SAME = {"60s": ("1min",), "replica": ("replica", "logical")}
RESTARTS = frozenset({"archive_mode", "wal_level"})
SERVICE = f"""[Unit]
Description=Backups of the database: what is due
After=network-online.target
Wants=network-online.target

[Service]
Type=oneshot
User=lcdb
ExecStart={PROGRAM}/.venv/bin/lcdb backup serve --once --config {SETTINGS}
"""
TIMER = """[Unit]
Description=Backups of the database: every quarter of an hour what is due, and what was missed

[Timer]
OnCalendar=*:0/15
Persistent=true

[Install]
WantedBy=timers.target
"""


@dataclass(frozen=True)
class HostSetup:
    """The setup of one host: files by name, then commands and statements in the order in which they are run.

    `install`: commands for root in the files' folder; `statements`: for a superuser, of which some need a restart of
    the server (`restarts`); `begin`: commands that test the archive; `schedule`: commands that start the schedule.
    `found` are the present values of the settings that the statements change.
    """

    files: Mapping[str, str]
    install: tuple[str, ...]
    statements: tuple[str, ...]
    restarts: bool
    begin: tuple[str, ...]
    schedule: tuple[str, ...]
    found: Mapping[str, str]

    def redact_files(self) -> Mapping[str, str]:
        """The files with their secrets replaced by `...`; files of settings for this program are left out."""
        return {name: SECRET.sub(r"\1...", text) for name, text in self.files.items() if not name.endswith(".json")}


def plan_setup(config: BackupConfig, values: Mapping[str, Any], connection: psycopg.Connection[Any]) -> HostSetup:
    """What to install on this server's host; `values` is the configuration with its secrets.

    Raises BackupError where the stack takes no physical backups.
    """
    login, cipher = S3Login.from_dict(config.s3), str(require_physical(config)["cipher"])
    row = connection.execute("SELECT current_setting('data_directory'), current_setting('port')::int,"
                             " split_part(current_setting('unix_socket_directories'), ',', 1)").fetchone()
    assert row
    paths = ServerPaths(row[0], CA, row[2].strip() or None, row[1])
    conf = render_settings(login, config.bucket, config.database_name(), cipher, config.retention, prefix=config.prefix,
                           paths=paths)
    own = {**values, **({"s3": {**values["s3"], "ca_file": SETTINGS_CA}} if login.ca_file else {})}
    files = {"pgbackrest.conf": conf, "backup.json": json.dumps(own, indent=2) + "\n",
             "lcdb-backup.service": SERVICE, "lcdb-backup.timer": TIMER}
    if login.ca_file:
        files["s3-ca.pem"] = Path(login.ca_file).read_text(encoding="ascii")
    current = {key: _current(connection, key) for key in ARCHIVE_PARAMETERS}
    wanted = {key: value for key, value in ARCHIVE_PARAMETERS.items() if current[key] not in SAME.get(value, (value,))}
    backrest = f"su postgres -c 'pgbackrest --stanza={STANZA} {{}}'"
    return HostSetup(
        files, (f"install -d -o postgres -g postgres -m 750 {Path(CONF).parent} {SPOOL}",
                f"install -o postgres -g postgres -m 600 pgbackrest.conf {CONF}",
                *((f"install -m 644 s3-ca.pem {CA}",) if login.ca_file else ()),
                # Before the server archives: its first segment finds the stanza.
                backrest.format("stanza-create")),
        tuple(f"ALTER SYSTEM SET {key} = '{value}';" for key, value in wanted.items()),
        not wanted.keys().isdisjoint(RESTARTS), (backrest.format("check"),),
        (f"id -u lcdb >/dev/null 2>&1 || useradd --system --home-dir {PROGRAM} --shell /usr/sbin/nologin lcdb",
         f"install -D -o lcdb -m 600 backup.json {SETTINGS}",
         *((f"install -m 644 s3-ca.pem {SETTINGS_CA}",) if login.ca_file else ()),
         "install -m 644 lcdb-backup.service lcdb-backup.timer /etc/systemd/system/",
         "systemctl daemon-reload", "systemctl enable --now lcdb-backup.timer"),
        {key: current[key] for key in wanted})


def write_setup(setup: HostSetup, folder: Path) -> None:
    """Write the files with mode 600 into a folder, which is created where it does not exist. Raises BackupError."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, text in setup.files.items():
            # Always a new file: an older one may be somebody else's, a link, or open in another program.
            (folder / name).unlink(missing_ok=True)
            with os.fdopen(os.open(folder / name, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "w") as file:
                file.write(text)
    except OSError as error:
        raise BackupError(f"{folder}: {error.strerror}; name a folder that can be written to") from None


def _current(connection: psycopg.Connection[Any], key: str) -> str:
    row = connection.execute("SELECT current_setting(%s)", [key]).fetchone()
    assert row
    return str(row[0])
