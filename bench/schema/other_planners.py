"""Planners of other projects as commands: each in an environment of its own, with versions that are pinned exactly."""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from schema.connection import Address

# They are no requirement of the project: migra with the SQLAlchemy of its time.
PINNED: Mapping[str, tuple[str, ...]] = {
    "sqlpush": ("sqlpush==0.7.0", "alembic==1.18.4", "SQLAlchemy==2.0.51", "psycopg[binary]==3.3.4"),
    "results": ("results==2.0.1789346060", "psycopg2-binary==2.9.12"),
    "migra": ("migra==3.0.1663481299", "psycopg2-binary==2.9.12", "SQLAlchemy==1.4.54", "setuptools==80.9.0")}
# Our own program over the Atlas library: `go build` in bench/atlas makes it.
ATLAS, ATLAS_LIBRARY = "atlas-plan", "Atlas library"
_PLANNERS = Path(__file__).parents[1] / "planners"


def install_planners(folder: Path, suffix: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Install in `folder` every planner that has a program bench/planners/<name>_<suffix>.py, and yield its name and
    the command that runs this program; Atlas, too. One that cannot be had is named on stderr and left out."""
    for name, pins in PINNED.items():
        program = _PLANNERS / f"{name}_{suffix}.py"
        if not program.exists():
            continue
        python = folder / name / "bin" / "python"
        venv.create(folder / name, with_pip=True)
        done = subprocess.run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *pins],
                              capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"bench: {name} is left out: {done.stderr.strip().splitlines()[-1]}", file=sys.stderr)
            continue
        yield name, (str(python), str(program))
    if shutil.which(ATLAS):
        yield ATLAS_LIBRARY, (ATLAS,)
    else:
        print(f"bench: Atlas is left out: no {ATLAS} on the PATH; `go build` in bench/atlas makes it", file=sys.stderr)


def url(address: Address) -> str:
    """A URL without the password, which PGPASSWORD holds."""
    plain = replace(address, password="")
    return f"postgresql://{plain.user}@{plain.host}:{plain.port}/{plain.database}?sslmode=disable"
