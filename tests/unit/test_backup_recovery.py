"""What a recovery puts into its container."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from backups import recovery


def test_what_comes_into_a_container_can_be_read_there_whatever_the_umask_here(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = dict[str, int]()

    def docker(*words: str) -> str:
        root = Path(words[1].removesuffix("/."))
        seen.update({str(each.relative_to(root)): each.stat().st_mode & 0o777 for each in root.rglob("*")})
        return ""
    monkeypatch.setattr(recovery, "_docker", docker)
    before = os.umask(0o077)
    try:
        recovery._copy_in("c", tmp_path, {"pg_hba.conf": "x"}, "/etc/lifecompanion", 0o644)
    finally:
        os.umask(before)
    assert seen == {"etc": 0o755, "etc/lifecompanion": 0o755, "etc/lifecompanion/pg_hba.conf": 0o644}
