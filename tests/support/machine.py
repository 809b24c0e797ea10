"""What this machine offers to the tests; only here is a test skipped for something that is missing.

Only "this machine has no X" skips: something that exists and fails is a failure. Each need is checked once. Whether a
Docker engine answers and the official image can be had is decided before the first test, for every process of the run,
so that an engine that stops half-way fails tests and skips none. `LCDB_MUST_HAVE=docker,pulumi` names what the machine
must have: a skip for one of these fails.
"""

from __future__ import annotations

import fcntl
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

VARIABLE = "LCDB_MUST_HAVE"
EARLIER = Path("/usr/lib/postgresql")
# What a stack's images are built from.
MAJOR = 17
SECONDS = 30


@dataclass(frozen=True)
class Lack:
    """A need that is not met, and its description."""

    need: str
    words: str


def _program(need: str, words: str, *programs: str) -> Callable[[], Lack | None]:
    def look() -> Lack | None:
        missing = [program for program in programs if not shutil.which(program)]
        return Lack(need, f"needs {words} ({missing[0]} is not on the PATH)") if missing else None
    return look


def _docker() -> Lack | None:
    if not shutil.which("docker"):
        return Lack("docker", "needs a Docker engine (docker is not on the PATH)")
    from infra.local.docker_ping import docker_answers

    return None if docker_answers(SECONDS) else Lack("docker", "needs a Docker engine (none answers)")


def _official() -> Lack | None:
    if lack := find_lack("docker"):
        return lack
    from infra.local import docker_engine
    from infra.settings import OFFICIAL_IMAGE

    if docker_engine.has_image(OFFICIAL_IMAGE) or docker_engine.can_pull(OFFICIAL_IMAGE):
        return None
    _require_engine()
    return Lack("official", f"needs the image {OFFICIAL_IMAGE} (it is not here and no registry answers)")


def _debian() -> Lack | None:
    if lack := find_lack("docker"):
        return lack
    from infra.local import docker_engine
    from infra.local.base_image import FROM_REGISTRY, find_base_image
    from infra.targets.docker import debian_reference

    if docker_engine.has_image(debian_reference()) or find_base_image():
        return None
    if docker_engine.can_pull(FROM_REGISTRY) or (shutil.which("debootstrap") and os.geteuid() == 0):
        return None
    _require_engine()
    return Lack("debian", "needs Debian's image (it is not here, no registry answers, and making one takes root and "
                          "debootstrap)")


def _embedded() -> Lack | None:
    from infra.local import embedded_server
    from infra.local.node import NodeError, ensure_node

    try:
        with one_at_a_time("embedded"):
            ensure_node(lambda _line: None)
            embedded_server.prepare(embedded_server.PROGRAMS)
    except (embedded_server.EmbeddedError, NodeError):
        if _index_answers():
            raise
        return Lack("embedded", "needs the embedded server's packages (they are not here and no registry answers)")
    return None


def _s3() -> Lack | None:
    from infra.local.s3_server import S3ServerError, ensure_s3_server

    try:
        ensure_s3_server()
    except S3ServerError:
        if _index_answers():
            raise
        return Lack("s3", "needs the S3 server's package (it is not here and no registry answers)")
    return None


def _clients() -> Lack | None:
    from infra.local.packages import PackageError, ensure_packages

    try:
        ensure_packages("postgresql")
    except PackageError:
        if _index_answers():
            raise
        return Lack("clients", "needs the package of PostgreSQL's client programs (no registry answers)")
    return None


def _postgresql() -> Lack | None:
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        return Lack("postgresql", "needs PostgreSQL's programs of other versions (they are for Linux on x64 alone)")
    lack = find_lack("embedded")
    return lack and Lack("postgresql", "needs PostgreSQL's programs of other versions (no registry answers)")


def _plugins() -> Lack | None:
    lack = find_lack("pulumi")
    return lack or _program("plugins", "the Pulumi plugins docker and postgresql", "pulumi-resource-docker",
                            "pulumi-resource-postgresql")()


def _earlier() -> Lack | None:
    return None if earlier_servers() else Lack(
        "earlier", f"needs a server of PostgreSQL before {MAJOR} in {EARLIER}")


def _mount() -> Lack | None:
    with tempfile.TemporaryDirectory() as folder:
        if _succeeds("mount", "-t", "tmpfs", "-o", "size=1m", "none", folder) and _succeeds("umount", folder):
            return None
    return Lack("mount", "needs the right to mount a small file system")


NEEDS: Mapping[str, Callable[[], Lack | None]] = {
    "docker": _docker,
    "official": _official,
    "debian": _debian,
    "embedded": _embedded,
    "s3": _s3,
    "clients": _clients,
    "minio": _program("minio", "MinIO", "minio"),
    "pulumi": _program("pulumi", "the Pulumi CLI", "pulumi", "pulumi-language-python"),
    "plugins": _plugins,
    "postgresql": _postgresql,
    "psql": _program("psql", "PostgreSQL's psql", "psql"),
    "earlier": _earlier,
    "php": _program("php", "PHP", "php"),
    "systemd": _program("systemd", "systemd", "systemd-analyze"),
    "mount": _mount,
}
_decided: dict[str, Lack | None] = {}


def find_lack(*needs: str) -> Lack | None:
    """Return the first of these needs that this machine lacks, or None; raises where something exists and fails."""
    for need in needs:
        if need not in _decided:
            _decided[need] = NEEDS[need]()
        if lack := _decided[need]:
            return lack
    return None


def require(*needs: str) -> None:
    """Skip the test where this machine lacks one of these; fail it where `LCDB_MUST_HAVE` names that need."""
    lack = find_lack(*needs)
    if lack and lack.need in must_have(os.environ):
        pytest.fail(f"{VARIABLE} names {lack.need}, but: {lack.words}", pytrace=False)
    if lack:
        pytest.skip(lack.words)


def must_have(environment: Mapping[str, str]) -> frozenset[str]:
    """Return the needs in `LCDB_MUST_HAVE`. Raises UsageError for an unknown name."""
    names = frozenset(filter(None, (name.strip() for name in environment.get(VARIABLE, "").split(","))))
    if unknown := sorted(names - NEEDS.keys()):
        raise pytest.UsageError(f"{VARIABLE}: found {', '.join(unknown)}, required some of {', '.join(NEEDS)}")
    return names


def earlier_servers() -> list[Path]:
    """List the program folders of installed PostgreSQL servers before MAJOR, the newest first."""
    return [folder for folder in sorted(EARLIER.glob("*/bin"), reverse=True)
            if folder.parent.name.isdigit() and int(folder.parent.name) < MAJOR and (folder / "initdb").exists()]


@contextmanager
def one_at_a_time(name: str) -> Iterator[None]:
    """Let one process of the run at a time build what several need, such as an image; the others wait."""
    path = Path(tempfile.gettempdir()) / f"lifecompanion-tests-{name}.{os.getuid()}.lock"
    lock = os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def decide() -> dict[str, tuple[str, str] | None]:
    """Check the needs that must be the same for the whole run; return them in a form for its other processes."""
    must_have(os.environ)
    lacks = {need: find_lack(need) for need in ("docker", "official")}
    return {need: (lack.need, lack.words) if lack else None for need, lack in lacks.items()}


def adopt(decided: Mapping[str, tuple[str, str] | None]) -> None:
    """Take over the decisions of another process of this run."""
    _decided.update({need: Lack(*lack) if lack else None for need, lack in decided.items()})


def _require_engine() -> None:
    """Raise where the engine that answered before the first test does not answer now: no image is missing then."""
    from infra.local.docker_ping import docker_answers

    if not docker_answers(SECONDS):
        raise ConnectionError("the Docker engine that answered when the run began does not answer any more")


def _index_answers() -> bool:
    """Tell whether Python packages can be installed now."""
    return _succeeds(sys.executable, "-m", "pip", "--disable-pip-version-check", "index", "versions", "pip")


def _succeeds(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False, timeout=SECONDS).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


if __name__ == "__main__":
    print(",".join(need for need in NEEDS if find_lack(need) is None))
