"""Backups on machines whose PATH has client programs of an earlier version, or none: of a stack, a host, a login."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from backups.logical.backup import run_logical
from backups.logical.verify import verify
from backups.postgresql import client_programs
from cli.registry import gather
from tests.support.backed_up import Backed, backed
from tests.support.running.s3_servers import S3Server
from tests.support.running.servers import Server

pytestmark = pytest.mark.servers("debian")


@pytest.fixture(scope="module")
def subject(server: Server, s3: S3Server) -> Iterator[Backed]:
    with backed(server, s3.login, rows=500) as backed_up:
        yield backed_up


@pytest.fixture(params=["13.14", "15.18", None])
def machine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A PATH with the docker command, and client programs of this version that do nothing else than say so."""
    monkeypatch.setattr(client_programs, "FOLDERS", ())
    monkeypatch.setattr(client_programs, "_offered", [])
    for name in ("pg_dump", "pg_restore") if request.param else ():
        (tmp_path / name).write_text(f"#!/bin/sh\ntest $1 = --version && echo '{name} (PostgreSQL) {request.param}'\n")
        (tmp_path / name).chmod(0o755)
    (tmp_path / "docker").symlink_to(str(shutil.which("docker")))
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.mark.usefixtures("machine")
def test_a_stack_is_backed_up_with_the_programs_of_its_own_image(subject: Backed) -> None:
    entry = subject.back_up()
    assert entry.manifest
    assert entry.manifest.program["pg_dump"].startswith("17.")
    assert verify(subject.store, subject.ring, entry, image=subject.image).rows > 0


@pytest.mark.usefixtures("machine")
def test_a_plain_login_is_backed_up_with_those_of_an_image_that_is_here(subject: Backed) -> None:
    done = run_logical(subject.store, subject.ring, subject.source)
    assert (done.server.image, done.program["pg_dump"][:3]) == (None, "17.")


@pytest.mark.usefixtures("machine")
def test_a_host_s_settings_back_up_verify_and_restore(subject: Backed, tmp_path: Path) -> None:
    settings = tmp_path / "host.json"
    values = json.loads(subject.write_settings(tmp_path / "stack.json").read_text())
    settings.touch(mode=0o600)
    settings.write_text(json.dumps({key: value for key, value in values.items() if key != "image"}))

    def lcdb(*words: str) -> dict[str, object]:
        done = CliRunner().invoke(gather(), ["backup", *words, "--config", str(settings), "--json"])
        assert done.exit_code == 0, done.output
        facts: dict[str, object] = json.loads(done.stdout)
        return facts
    id_ = str(lcdb("run")["id"])
    assert lcdb("verify", id_)["verified"]
    with subject.room() as name:
        assert lcdb("restore", id_, "--into", name)["database"] == name
