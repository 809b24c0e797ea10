"""A host's own pgBackRest, set up as `lcdb backup setup` says, and nothing else: its backups are in the catalogue."""

from __future__ import annotations

import configparser
import json
import secrets
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from backups.physical.settings import ARCHIVE_PARAMETERS
from backups.storage.encryption import new_key
from cli.registry import gather
from schema.connection import Address
from tests.support.running.archived import DATABASE, HBA, archiving
from tests.support.running.s3_servers import S3Server
from tests.support.running.servers import _await as wait_for
from tests.support.running.servers import docker

pytestmark = pytest.mark.needs("debian", "s3")

FOLDER = "/root/setup"


@dataclass
class Host:
    """A machine with a server and pgBackRest's package, whose port changes when it is restarted."""

    name: str
    admin: Address
    settings: Path
    secret: tuple[str, ...]

    def lcdb(self, *words: str, status: int = 0) -> Any:
        done = CliRunner().invoke(gather(), ["backup", *words, "--config", str(self.settings)], env={"COLUMNS": "200"})
        assert done.exit_code == status, done.output
        for secret in self.secret:
            assert secret not in done.output
        return json.loads(done.stdout) if "--json" in words else done.stdout

    def root(self, command: str) -> str:
        return docker("exec", "--workdir", FOLDER, self.name, "sh", "-ec", command)

    def restart(self) -> None:
        docker("restart", self.name)
        self.answer()

    def answer(self) -> None:
        port = int(docker("port", self.name, "5432/tcp").split(":")[-1])
        self.admin = replace(self.admin, port=port)
        wait_for(self.admin, self.name)
        values, login = json.loads(self.settings.read_text()), self.admin.to_dict()
        self.settings.write_text(json.dumps({**values, "admin": login, "database": login}))


@pytest.fixture(scope="module")
def host(s3: S3Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """Debian's server and Debian's pgBackRest; our entry point and our settings are not used."""
    image = archiving("debian")
    folder, name, password = tmp_path_factory.mktemp("host"), f"host-{secrets.token_hex(4)}", secrets.token_hex(8)
    (folder / "pg_hba.conf").write_text(HBA)
    (folder / "password").write_text(password)
    bucket, cipher, key = f"host-{secrets.token_hex(4)}", secrets.token_hex(16), new_key()
    s3.login.client().create_bucket(Bucket=bucket)
    settings = folder / "backup.json"
    settings.touch(mode=0o600)
    settings.write_text(json.dumps({"bucket": bucket, "s3": s3.login.to_dict(), "keys": [key], "name": DATABASE,
                                    "physical": {"cipher": cipher}}))
    docker("run", "--detach", "--init", "--name", name, "--publish", "127.0.0.1::5432", "--shm-size", "256m",
           "--entrypoint", "docker-entrypoint.sh", "--volume", f"{folder}/pg_hba.conf:/etc/pg_hba.conf:ro",
           "--volume", f"{folder}/password:/run/password:ro", "--env", "POSTGRES_PASSWORD_FILE=/run/password",
           image, "postgres",
           "-c", "hba_file=/etc/pg_hba.conf", "-c", "listen_addresses=*",
           "-c", "shared_preload_libraries=timescaledb")
    try:
        machine = Host(name, Address("127.0.0.1", 0, "postgres", "postgres", password), settings,
                       (cipher, key, str(s3.login.secret_key), password))
        machine.answer()
        with machine.admin.connect() as connection:
            connection.execute(f"CREATE DATABASE {DATABASE}".encode())
        machine.admin = replace(machine.admin, database=DATABASE)
        machine.answer()
        yield machine
    finally:
        docker("rm", "--force", "--volumes", name)


def test_what_setup_says_makes_a_host_archive_and_its_backups_are_in_the_catalogue(host: Host, tmp_path: Path) -> None:
    output = host.lcdb("setup", "--into", str(tmp_path / "setup"), "--json")
    assert {key: value for key, value in output["found"].items() if key != "archive_command"} == {
        "archive_mode": "off", "archive_timeout": "0"}
    assert output["restarts"]
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "setup").iterdir()} == {0o600}

    docker("exec", host.name, "mkdir", "-p", FOLDER)
    docker("cp", f"{tmp_path}/setup/.", f"{host.name}:{FOLDER}")
    for command in output["install"]:
        host.root(command)
    with host.admin.connect() as connection:
        for statement in output["statements"]:
            connection.execute(statement.encode())
    host.restart()
    for command in output["begin"]:
        host.root(command)
    with host.admin.connect() as connection:
        assert all(connection.execute("SELECT current_setting(%s) = ANY (%s)", [key, [value, "1min"]]).fetchone() == (
            True,) for key, value in ARCHIVE_PARAMETERS.items())

    assert host.lcdb("run", "--kind", "full", "--json")["verified"]
    assert host.lcdb("run", "--json")["kind"] == "incr"
    assert [listed["kind"] for listed in host.lcdb("list", "--json")] == ["full", "incr"]
    lacking = host.lcdb("status", "--json", status=1)["kinds"]
    assert lacking["physical"]["problem"] is None
    assert "--kind logical" in lacking["logical"]["problem"]  # the second copy, which the schedule takes
    host.lcdb("run", "--kind", "logical", "--json")
    host.lcdb("status")
    again = host.lcdb("setup", "--json")
    assert (again["statements"], again["restarts"]) == ([], False)


def test_the_host_recovers_to_a_point_in_time_by_itself(host: Host) -> None:
    with host.admin.connect() as connection:
        connection.execute("CREATE TABLE public.kept AS SELECT 1 AS n")
        row = connection.execute("SELECT clock_timestamp()").fetchone()
        connection.execute("SELECT pg_sleep(0.1)")
        connection.execute("DROP TABLE public.kept")
        connection.execute("SELECT pg_switch_wal()")
    assert row
    # Beside the server that runs: as in docs/production.md, but for the folder.
    copy = "/var/lib/postgresql/copy"
    host.root(f"su postgres -c \"mkdir -m 700 {copy} && pgbackrest --stanza=main --pg1-path={copy} --type=time"
              f" --target='{row[0].isoformat(sep=' ')}' --target-action=promote restore\"")
    host.root(f"echo 'timescaledb.max_background_workers = 0' >> {copy}/postgresql.auto.conf")
    programs = host.root("dirname $(ls /usr/lib/postgresql/*/bin/pg_ctl)").strip()
    host.root(f"su postgres -c \"{programs}/pg_ctl -w -D {copy} -l /tmp/copy.log -o '-p 5544 -c archive_mode=off"
              f" -c shared_preload_libraries=timescaledb -c hba_file=/etc/pg_hba.conf' start\"")
    query = f"su postgres -c \"psql -XAtp 5544 -d {DATABASE} -c '{{}}'\""
    host.root(f"until [ \"$({query.format('SELECT pg_is_in_recovery()')})\" = f ]; do sleep 0.2; done")
    assert host.root(query.format("SELECT n FROM public.kept")).strip() == "1"
    assert host.root(query.format("SHOW timescaledb.max_background_workers")).strip() == "0"
    host.root(f"su postgres -c '{programs}/pg_ctl -w -D {copy} -m fast stop'")


def test_what_is_shown_holds_every_line_and_no_secret(host: Host) -> None:
    output = host.lcdb("setup")
    for line in ("repo1-cipher-pass=...", "repo1-s3-key-secret=...", "pg1-path=/var/lib/postgresql/data",
                 "su postgres -c 'pgbackrest --stanza=main stanza-create'", "Persistent=true",
                 "systemctl enable --now lcdb-backup.timer"):
        assert line in output.splitlines()


def test_an_archive_command_that_is_replaced_is_shown(host: Host) -> None:
    with host.admin.connect() as connection:
        connection.execute("ALTER SYSTEM SET archive_command = 'cp %p /mnt/wal/%f'")
        connection.execute("SELECT pg_reload_conf()")
    try:
        assert "# found archive_command = cp %p /mnt/wal/%f" in host.lcdb("setup")
    finally:
        with host.admin.connect() as connection:
            connection.execute(f"ALTER SYSTEM SET archive_command = '{ARCHIVE_PARAMETERS['archive_command']}'".encode())
            connection.execute("SELECT pg_reload_conf()")


def test_the_systemd_units_are_complete_and_the_timers_settings_are_private(host: Host, tmp_path: Path) -> None:
    output = host.lcdb("setup", "--into", str(tmp_path), "--json")
    for name, section, key in (("lcdb-backup.service", "Service", "ExecStart"), ("lcdb-backup.timer", "Timer",
                                                                                 "OnCalendar")):
        unit = configparser.ConfigParser(strict=True, interpolation=None)
        unit.read_string((tmp_path / name).read_text())
        assert unit[section][key]
    docker("exec", host.name, "sh", "-c", f"mkdir -p {FOLDER}; ! id -u lcdb")
    docker("cp", f"{tmp_path}/.", f"{host.name}:{FOLDER}")
    for command in output["schedule"]:
        if not command.startswith("systemctl"):  # there is no systemd in a container
            host.root(command)
    assert host.root("stat -c '%U %a' /etc/lcdb/backup.json").split() == ["lcdb", "600"]
    assert json.loads((tmp_path / "backup.json").read_text())["s3"]["ca_file"] == "/etc/lcdb/s3-ca.pem"
    # The timer's user sees nothing in pgBackRest's own folder.
    read = host.root("su -s /bin/sh lcdb -c 'cat /etc/lcdb/s3-ca.pem'")
    assert read.strip() == (tmp_path / "s3-ca.pem").read_text().strip()


@pytest.mark.needs("systemd")
def test_systemd_takes_the_units(host: Host, tmp_path: Path) -> None:
    host.lcdb("setup", "--into", str(tmp_path), "--json")
    service = tmp_path / "lcdb-backup.service"
    # What it starts is not on this machine.
    service.write_text(service.read_text().replace("/opt/lcdb/.venv/bin/lcdb", "/bin/true"))

    def verify() -> subprocess.CompletedProcess[str]:
        return subprocess.run(["systemd-analyze", "verify", str(tmp_path / "lcdb-backup.timer"), str(service)],
                              capture_output=True, text=True, check=False)
    assert verify().returncode == 0, verify().stderr
    timer = tmp_path / "lcdb-backup.timer"
    timer.write_text(timer.read_text().replace("*:0/15", "every tea time"))
    assert verify().returncode != 0


def test_without_physical_backups_setup_says_how_to_enable_them(host: Host, tmp_path: Path) -> None:
    values = json.loads(host.settings.read_text())
    file = tmp_path / "logical.json"
    file.touch(mode=0o600)
    file.write_text(json.dumps({key: value for key, value in values.items() if key != "physical"}))
    done = CliRunner().invoke(gather(), ["backup", "setup", "--config", str(file)])
    assert done.exit_code != 0
    assert "physicalBackups" in str(done.exception or done.output)
