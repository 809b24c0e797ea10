"""Temporary folders hold logins: one that is in use is left alone, one whose process was killed goes with the next."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from backups.temporary_folders import LOCK, scratch_folder

HOLD = """
import sys, tempfile
tempfile.tempdir = sys.argv[1]
from backups.temporary_folders import scratch_folder
with scratch_folder("pg") as folder:
    (folder / "pg_service.conf").write_text("password=the-secret")
    print(folder, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def _own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def test_a_folder_in_use_stays_and_that_of_a_killed_process_goes_with_the_next(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as process:
        assert process.stdout
        left = Path(process.stdout.readline().strip())
        with scratch_folder("pg"):
            assert (left / "pg_service.conf").is_file()
        process.kill()
        process.wait()
    assert "the-secret" in (left / "pg_service.conf").read_text()
    with scratch_folder("restore") as own:
        assert not left.exists()
        assert own.stat().st_mode & 0o077 == 0
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "lcdb-theirs").mkdir()
    (tmp_path / "lcdb-link").mkdir()
    (tmp_path / "lcdb-link" / LOCK).symlink_to(tmp_path / "lcdb-theirs")
    with scratch_folder("pg"):
        pass
    assert sorted(folder.name for folder in tmp_path.iterdir()) == ["lcdb-link", "lcdb-theirs"]
