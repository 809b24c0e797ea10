"""Prepare the build context of the image that runs the backup schedule: pinned wheels, our packages, the Dockerfile."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import docker
from docker.errors import DockerException

DOCKERFILE = Path("infra/images/runner/Dockerfile")
REQUIREMENTS = Path("requirements.txt")
PACKAGES = ("backups", "schema")
# The version in the image's base, Debian 13.
PYTHON = "3.13"
# The distributions that those packages need, directly or not; `pip check` in the build fails where one is missing.
WHEELS = frozenset({
    "annotated-types", "asyncpg", "backports-zstd", "boto3", "botocore", "cffi", "cronsim", "cryptography",
    "jmespath", "psycopg", "psycopg-binary", "pycparser", "pydantic", "pydantic-core", "python-dateutil",
    "s3transfer", "six", "tenacity", "typing-extensions", "typing-inspection", "tzdata", "urllib3"})


class RunnerError(Exception):
    """The image cannot be prepared; the message is one line with the reason and the remedy."""


def runner_reference() -> str:
    """Return the image's name with a hash of what it is built from: a new program or pin is another image."""
    digest = hashlib.sha256(DOCKERFILE.read_bytes() + _pins().encode())
    for path in _sources():
        digest.update(str(path).encode() + b"\0" + path.read_bytes() + b"\0")
    return f"lifecompanion/backup-runner:{digest.hexdigest()[:12]}"


def prepare_build_context(folder: Path) -> Path:
    """Fill a folder for `docker build` and return it; the wheels are for the engine's machine, their hashes checked.

    Raises RunnerError where a wheel cannot be downloaded.
    """
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(mode=0o700, parents=True)
    for path in _sources():
        target = folder / "program" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    shutil.copyfile(DOCKERFILE, folder / "Dockerfile")
    with tempfile.TemporaryDirectory() as temporary:
        pins = Path(temporary) / "requirements.txt"
        pins.write_text(_pins(), encoding="utf-8")
        machine = _machine()
        platforms = [word for tag in ("manylinux2014", "manylinux_2_17", "manylinux_2_28")
                     for word in ("--platform", f"{tag}_{machine}")]
        done = subprocess.run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
             "--require-hashes", "--only-binary=:all:", "--python-version", PYTHON, *platforms,
             "--dest", str(folder / "wheels"), "--requirement", str(pins)],
            capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:] or ["it said nothing"]
        raise RunnerError(f"image of the backup schedule: pip download: {last[0][:200]}; check that the package index "
                          "can be reached, or leave lifecompanion:backupSchedule out and call `lcdb backup serve "
                          "--once` from a timer")
    return folder


def _pins() -> str:
    """The lines of requirements.txt, hashes included, for the packages that the image needs."""
    blocks = re.split(r"\n(?=\S)", REQUIREMENTS.read_text(encoding="utf-8"))
    return "\n".join(block for block in blocks if block.split("=", maxsplit=1)[0].strip() in WHEELS) + "\n"


def _sources() -> Iterator[Path]:
    for package in PACKAGES:
        yield from sorted(path for path in Path(package).rglob("*")
                          if path.suffix in (".py", ".sql") and "__pycache__" not in path.parts)


def _machine() -> str:
    """The engine's processor, in the words of wheels."""
    client = docker.from_env(timeout=10)
    try:
        return str(client.info()["Architecture"]).replace("arm64", "aarch64").replace("amd64", "x86_64")
    except DockerException as error:
        raise RunnerError(f"image of the backup schedule: {' '.join(str(error).split())[:160]}") from None
    finally:
        client.close()
