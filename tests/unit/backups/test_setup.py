"""Files with secrets that the setup of a host writes."""

from __future__ import annotations

from pathlib import Path

from backups.physical.host_setup import HostSetup, write_setup


def test_a_file_that_existed_before_never_receives_a_secret(tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "setup", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.write_text("")
    (folder / "backup.json").symlink_to(elsewhere)
    (folder / "pgbackrest.conf").write_text("")
    with (folder / "pgbackrest.conf").open() as held:
        setup = HostSetup({"backup.json": "a secret", "pgbackrest.conf": "a secret"}, (), (), False, (), (), {})
        for _ in range(2):
            write_setup(setup, folder)
        assert (held.read(), elsewhere.read_text()) == ("", "")
    for name in setup.files:
        assert (folder / name).read_text() == "a secret"
        assert (folder / name).lstat().st_mode & 0o177777 == 0o100600
