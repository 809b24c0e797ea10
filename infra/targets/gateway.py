"""versitygw, the S3 server for development: its binary, its life as a process of this machine, its image's context."""

from __future__ import annotations

import functools
import os
import shutil
import ssl
import subprocess
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

from infra import processes
from infra.processes import ProcessError, Running

VERSION = "1.8.0"
OFFICIAL_IMAGE = f"versity/versitygw:v{VERSION}"
MODULE = f"github.com/versity/versitygw/cmd/versitygw@v{VERSION}"
BINARIES = Path(".lcdb/bin")
NAME = "s3"
DOCKERFILE = Path("infra/images/versitygw/Dockerfile")
BUILD_SECONDS = 1800
START_SECONDS = 30


class GatewayError(Exception):
    """The S3 server cannot be had or started: one line with the reason and the remedy."""


def find_gateway(folder: Path = BINARIES) -> Path | None:
    """The binary that is here already: on the PATH, or built by an earlier run."""
    on_path = shutil.which("versitygw")
    built = folder / f"versitygw-{VERSION}"
    return Path(on_path) if on_path else built.absolute() if os.access(built, os.X_OK) else None


def ensure_gateway(folder: Path = BINARIES) -> Path:
    """The binary, built from its Go module if it is not here yet (some minutes, once); static, so it runs anywhere."""
    found = find_gateway(folder)
    if found:
        return found
    if not shutil.which("go"):
        raise GatewayError("S3 server versitygw: neither it nor Go to build it is on the PATH; install one of them, "
                           "or set lifecompanion:s3 to none")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix="build-") as build:
        environment = {**os.environ, "GOBIN": str(Path(build).absolute()), "CGO_ENABLED": "0"}
        try:
            made = subprocess.run(["go", "install", "-trimpath", "-ldflags=-s -w", MODULE], env=environment, cwd=build,
                                  capture_output=True, text=True, check=False, timeout=BUILD_SECONDS)
        except subprocess.TimeoutExpired:
            raise GatewayError(f"S3 server versitygw: `go install` did not end within {BUILD_SECONDS} s; "
                               "run again: what it has downloaded and compiled is kept") from None
        if made.returncode != 0:
            last = made.stderr.strip().splitlines()[-1:] or ["it said nothing"]
            raise GatewayError(f"S3 server versitygw: `go install {MODULE}` failed: {last[0][:200]}; check that the Go "
                               "module proxy can be reached and that Go is new enough, or put versitygw on the PATH")
        target = folder / f"versitygw-{VERSION}"
        (Path(build) / "versitygw").replace(target)
    return target.absolute()


def prepare_build_context(folder: Path) -> Path:
    """A folder for `docker build`, with the Dockerfile and the binary; what is there already is left alone."""
    binary = ensure_gateway()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for source, name in ((binary, "versitygw"), (DOCKERFILE, "Dockerfile")):
        draft = folder / f".{name}.draft"
        shutil.copyfile(source, draft)
        draft.chmod(0o755 if source == binary else 0o644)
        draft.replace(folder / name)
    return folder


def arguments(*, listen: str, region: str, cert: str, key: str, data: str) -> list[str]:
    """The server's arguments; its root keys are not among them: it reads them from the environment."""
    return ["--port", listen, "--region", region, "--cert", cert, "--key", key, "--health", "/health", "--quiet",
            "posix", "--versioning-dir", f"{data}/versions", f"{data}/objects"]


def start_gateway(folder: Path, *, port: int, region: str, access_key: str, secret_key: str, ca_pem: str,
                  cert_pem: str, key_pem: str) -> Running:
    """Run the server on 127.0.0.1 with its data in `folder`, and wait until it answers; one that runs is left alone."""
    if not processes.alive(folder, NAME) and not processes.port_is_free(port):
        raise GatewayError(f"S3 server: port {port} on 127.0.0.1 is taken by another process; end that process, or "
                           "set another lifecompanion:port")
    binary = ensure_gateway()
    folder = folder.absolute()
    for part in ("data/objects", "data/versions", "tls"):
        (folder / part).mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, text in (("cert.pem", cert_pem), ("key.pem", key_pem)):
        _write_private(folder / "tls" / name, text)
    command = [str(binary), *arguments(listen=f"127.0.0.1:{port}", region=region, cert=f"{folder}/tls/cert.pem",
                                       key=f"{folder}/tls/key.pem", data=f"{folder}/data")]
    env = {"ROOT_ACCESS_KEY": access_key, "ROOT_SECRET_KEY": secret_key}
    try:
        return processes.start(NAME, command, folder, env=env, ready=functools.partial(_answers, port, ca_pem),
                               timeout=START_SECONDS)
    except ProcessError as error:
        raise GatewayError(f"S3 server {error}") from None


def gateway_runs(folder: Path) -> bool:
    """Whether the server of this folder runs."""
    return processes.alive(folder, NAME) is not None


def stop_gateway(folder: Path) -> None:
    """Stop the server; its data stays. Nothing to do where it does not run."""
    processes.stop(folder, NAME)


def remove_gateway(folder: Path) -> None:
    """Stop the server and delete its data, certificate and log."""
    stop_gateway(folder)
    if folder.exists():
        shutil.rmtree(folder)


def _answers(port: int, ca_pem: str) -> bool:
    """Whether the server that has our certificate answers: another one on this port would not be trusted."""
    trusted = ssl.create_default_context(cadata=ca_pem)
    try:
        with urllib.request.urlopen(f"https://127.0.0.1:{port}/health", timeout=2, context=trusted) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _write_private(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
        file.write(text)
