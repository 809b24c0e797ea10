"""Which client programs are taken: this machine's, those of an image, earlier ones for a later server."""

from __future__ import annotations

from pathlib import Path

import pytest

from backups import programs
from backups.errors import BackupError
from backups.programs import find_programs


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A PATH that holds what a test puts there, and no folders of a distribution."""
    monkeypatch.setattr(programs, "FOLDERS", ())
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
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
    found = find_programs(160009, "some/image:a")
    assert (found.version, found.folder, found.image) == ("17.5", str(machine), None)


def test_those_of_the_image_are_taken_where_this_machines_are_older(machine: Path) -> None:
    _says(machine, "pg_dump", "15.8")
    _says(machine, "docker", "17.5 (Debian 17.5-1)")
    found = find_programs(170002, "some/image:b")
    assert (found.version, found.folder, found.image) == ("17.5", None, "some/image:b")


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
