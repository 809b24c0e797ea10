"""The image with pgBackRest for archiving and recovery, built from an image of the server's versions."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

from backups.errors import RestoreError
from backups.logical.manifest import Server
from infra.folders import ROOT
from infra.local import docker_engine

# As a stack declares it: what a state holds does not depend on where the project lies.
IMAGE = Path("infra/images/pgbackrest")
FOLDER = ROOT / IMAGE
NAME = "lifecompanion/timescaledb-pgbackrest"
VENDOR = "timescale/timescaledb"


def archiving_reference(reference: str) -> str:
    """Return the name of a server image with pgBackRest added; it contains a hash of what it is built from."""
    digest = hashlib.sha256(reference.encode())
    for path in sorted(FOLDER.iterdir()):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return f"{NAME}:{digest.hexdigest()[:12]}"


def ensure_recovery_image(server: Server) -> str:
    """Return the name of an image in which this server can be recovered; builds it where the engine lacks it.

    The base is the image that the server ran in, where known, else the vendor's of the same versions and edition.
    Raises RestoreError where neither the engine nor a registry has the base.
    """
    if server.image and server.image.startswith(f"{NAME}:") and docker_engine.has_image(server.image):
        return server.image
    base = server.image if server.image and not server.image.startswith(f"{NAME}:") else vendor_reference(server)
    reference = archiving_reference(base)
    if docker_engine.has_image(reference):
        return reference
    if not docker_engine.has_image(base) and not docker_engine.can_pull(base):
        raise RestoreError(f"recovery: the server was {server.describe()}; image {base} is not here and no registry "
                           "answers; give --image with these versions and pgBackRest")
    done = subprocess.run(["docker", "build", "--quiet", "--tag", reference, "--build-arg", f"BASE={base}",
                           str(FOLDER)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RestoreError(f"recovery: image {base} with pgBackRest cannot be built: "
                           f"{' '.join(done.stderr.split())[-200:]}; give --image")
    return reference


def vendor_reference(server: Server) -> str:
    """Return the vendor's image of the same versions and edition. Raises RestoreError without TimescaleDB."""
    if server.timescaledb is None:
        raise RestoreError(f"recovery: the server was {server.describe()}, which the vendor has no image of; give "
                           "--image")
    edition = "" if server.edition == "timescale" else "-oss"
    return f"{VENDOR}:{server.timescaledb}-pg{server.server_version // 10000}{edition}"
