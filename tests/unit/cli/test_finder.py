"""The Pulumi CLI and its plugins: found, refused when too old, installed, or missed for one clear reason."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from infra.automation import pulumi_cli
from infra.automation.pulumi_cli import CliMissingError, ensure_plugin, find_cli


def executable(path: Path, script: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with nothing of Pulumi's on it, whose first folder the test may fill."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin.none:/bin")
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("PULUMI_AUTOMATION_API_SKIP_VERSION_CHECK", raising=False)
    return folder


def test_cli_on_the_path_is_taken(path: Path, tmp_path: Path) -> None:
    executable(path / "pulumi", "echo v3.250.1")
    assert str(find_cli(tmp_path / "own").version) == "3.250.1"


def test_old_cli_on_the_path_gives_way_to_the_installed_one(path: Path, tmp_path: Path) -> None:
    executable(path / "pulumi", "echo v3.100.0")
    own = executable(tmp_path / "own" / "bin" / "pulumi", "echo v3.272.0")
    assert find_cli(tmp_path / "own").command == str(own)


def test_missing_cli_that_cannot_be_installed_says_why(path: Path, tmp_path: Path,
                                                       monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(executable(tmp_path / "python", "echo no network here >&2; exit 1")))
    with pytest.raises(CliMissingError, match=r"^no Pulumi CLI from 3\.200\.0 on here.*: no network here$"):
        find_cli(tmp_path / "own")


def test_install_that_hangs_is_ended(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(executable(tmp_path / "python", "exec sleep 60")))
    monkeypatch.setattr(pulumi_cli, "INSTALL_SECONDS", 0.2)
    with pytest.raises(CliMissingError, match="no end after"):
        find_cli(tmp_path / "own")


def test_plugin_is_installed_where_it_is_not_on_the_path(path: Path, tmp_path: Path) -> None:
    executable(path / "pulumi", f'[ "$1" = version ] && echo v3.250.1 || echo "$@" >> {tmp_path}/asked')
    cli = find_cli(tmp_path / "own")
    executable(path / "pulumi-resource-docker", "")
    ensure_plugin(cli, "docker", "5.2.0")
    assert not (tmp_path / "asked").exists()
    ensure_plugin(cli, "postgresql", "3.18.2")
    assert (tmp_path / "asked").read_text() == "plugin install resource postgresql 3.18.2 --non-interactive\n"
    (tmp_path / "home" / "plugins" / "resource-postgresql-v3.18.2").mkdir(parents=True)
    ensure_plugin(cli, "postgresql", "3.18.2")
    assert len((tmp_path / "asked").read_text().splitlines()) == 1


def test_plugin_that_cannot_be_had_says_why(path: Path, tmp_path: Path) -> None:
    executable(path / "pulumi", '[ "$1" = version ] && echo v3.250.1 || { echo "error: no such host" >&2; exit 255; }')
    with pytest.raises(CliMissingError, match=r"plugin postgresql 3\.\d+\.\d+ .*: error: no such host$"):
        find_cli(tmp_path / "own", ["postgresql"])
