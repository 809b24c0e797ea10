"""Install programs that are published as Python packages into a folder of this checkout.

Each set has a requirements file of its own (`requirements/<name>.txt`, pinned and hashed by `make lock`); nothing that
the file does not name is installed, and the environment of the project itself is left alone.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.folders import LOCAL, ROOT

INSTALL_SECONDS = 900
# What is downloaded for a set on Linux x64.
DOWNLOAD_MB = {"node": 61, "postgresql": 16, "s3": 48}


class PackageError(Exception):
    """A package cannot be installed; the message is one line with the reason and the remedy."""


def requirements_file(name: str) -> Path:
    """Return the path of the set's requirements file, pinned and hashed."""
    return ROOT / "requirements" / f"{name}.txt"


def find_packages(name: str, local: Path = LOCAL) -> Path | None:
    """Find the folder with the installed packages, laid out as `site-packages`; None where these pins are missing."""
    folder = _folder(name, local)
    return folder if folder.is_dir() else None


def ensure_packages(name: str, local: Path = LOCAL, *, notify: Callable[[str], None] = lambda _line: None) -> Path:
    """Install the packages of `requirements/<name>.txt`, unless they are installed; returns their folder.

    `notify` gets one line before a download. Of two runs at once one installs, and the other waits.
    Raises PackageError.
    """
    folder = _folder(name, local)
    if folder.is_dir():
        return folder
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _lock(folder.parent / f"{name}.lock"):
        if not folder.is_dir():
            notify(f"installing {_first_requirement(name)} (once, {DOWNLOAD_MB[name]} MB)")
            _install(name, folder)
    return folder


def _folder(name: str, local: Path) -> Path:
    digest = hashlib.sha256(requirements_file(name).read_bytes()).hexdigest()[:16]
    return (local / "packages" / f"{name}-{digest}").absolute()


def _first_requirement(name: str) -> str:
    lines = requirements_file(name).read_text(encoding="utf-8").splitlines()
    return next(line.split()[0] for line in lines if line and not line.startswith("#"))


def _install(name: str, folder: Path) -> None:
    draft = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{name}-"))
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input",
               "--require-hashes", "--no-deps", "--only-binary", ":all:", "--no-compile", "--target",
               str(draft / "packages"), "--requirement", str(requirements_file(name))]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=INSTALL_SECONDS,
                              stdin=subprocess.DEVNULL)
        if done.returncode:
            raise PackageError(f"package {_first_requirement(name)}: pip could not install it: {_reason(done)}; check "
                               "the way to the package index (pip config list)")
        (draft / "packages").rename(folder)
    except subprocess.TimeoutExpired:
        raise PackageError(f"package {_first_requirement(name)}: pip did not end within {INSTALL_SECONDS} s; check the "
                           "way to the package index (pip config list)") from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _reason(done: subprocess.CompletedProcess[str]) -> str:
    """pip's last error in one line."""
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR")]
    return (errors or lines or [f"exit status {done.returncode}"])[-1][:200]


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
