"""What `lcdb` reads before any command begins: every run pays for it."""

from __future__ import annotations

import subprocess
import sys

from cli.registry import COMMANDS, GROUPS, gather

# Each takes a tenth of a second and more, and serves a few commands.
HEAVY = {"asyncpg", "boto3", "botocore", "docker", "faker", "matplotlib", "numpy", "pulumi", "pydantic",
         "rich.markdown"}


def modules(program: str) -> set[str]:
    """What Python has read once this program has run."""
    done = subprocess.run([sys.executable, "-c", f"{program}; import sys; print(*sys.modules)"],
                          capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_commands_are_gathered_without_the_libraries_of_any_one() -> None:
    read = modules("from cli.registry import gather; gather()")
    assert "cli.commands.backup.restore" in read
    assert not read & HEAVY


def test_a_command_is_read_without_the_others() -> None:
    read = modules("from cli.registry import gather; gather(['seed'])")
    assert "cli.commands.seed" in read
    assert not read & {"cli.commands.schema", "cli.commands.backup", "pulumi"}


def test_a_physical_backup_begins_before_the_bucket_s_libraries_are_read() -> None:
    read = modules("from cli.registry import gather; gather(['backup']); import backups.physical.backup")
    assert "psycopg" in read
    assert not read & {"asyncpg", "boto3", "botocore", "cryptography", "rich.progress", "backups.storage.object_store"}


def test_every_command_has_its_registered_name() -> None:
    app = gather()
    names = {command.name for command in app.registered_commands} | {group.name for group in app.registered_groups}
    assert names == {*COMMANDS, *GROUPS}
