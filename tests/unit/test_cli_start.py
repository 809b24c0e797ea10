"""What `lcdb` reads before any command begins: every run pays for it."""

from __future__ import annotations

import subprocess
import sys

# Each takes a tenth of a second and more, and serves a few commands.
HEAVY = {"boto3", "docker", "faker", "matplotlib", "numpy", "pulumi", "pydantic", "rich.markdown"}


def test_commands_are_gathered_without_the_libraries_of_any_one() -> None:
    done = subprocess.run([sys.executable, "-c", "import sys, cli.app; print(*sys.modules)"],
                          capture_output=True, text=True, check=True)
    read = set(done.stdout.split())
    assert "cli.backup_restore" in read
    assert not read & HEAVY
