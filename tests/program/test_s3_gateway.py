"""The S3 server as a process of this machine: started, private, found again, started anew, removed."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from s3_servers import require_gateway

from infra.certificate import issue
from infra.processes import alive, free_port
from infra.targets import gateway
from infra.targets.gateway import (
    GatewayError,
    ensure_gateway,
    gateway_runs,
    prepare_build_context,
    remove_gateway,
    start_gateway,
    stop_gateway,
)

SECRET = "a-secret-of-tests-only"


@pytest.fixture
def wanted() -> dict[str, Any]:
    require_gateway()
    issued = issue(["localhost", "127.0.0.1"], 30)
    return {"port": free_port(), "region": "us-east-1", "access_key": "root", "secret_key": SECRET,
            "ca_pem": issued.ca_pem, "cert_pem": issued.cert_pem, "key_pem": issued.key_pem}


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "server"
    remove_gateway(tmp_path / "server")


def test_started_stopped_and_removed_with_nothing_left(folder: Path, wanted: dict[str, Any]) -> None:
    running = start_gateway(folder, **wanted)
    assert start_gateway(folder, **wanted) == running
    assert gateway_runs(folder)
    stop_gateway(folder)
    assert not gateway_runs(folder)
    assert (folder / "data/objects").is_dir()
    remove_gateway(folder)
    assert not folder.exists()


def test_it_listens_on_loopback_alone(folder: Path, wanted: dict[str, Any]) -> None:
    start_gateway(folder, **wanted)
    running = alive(folder, "s3")
    assert running is not None
    inodes = {os.readlink(link) for link in Path(f"/proc/{running.pid}/fd").iterdir()}
    listening = {line.split()[1] for kind in ("tcp", "tcp6") for line in Path(f"/proc/net/{kind}").read_text(
        ).splitlines()[1:] if line.split()[3] == "0A" and f"socket:[{line.split()[9]}]" in inodes}
    assert listening == {f"{int.from_bytes(socket.inet_aton('127.0.0.1'), 'little'):08X}:{wanted['port']:04X}"}


def test_its_secret_is_in_no_argument_and_in_no_file(folder: Path, wanted: dict[str, Any]) -> None:
    running = start_gateway(folder, **wanted)
    assert SECRET.encode() not in Path(f"/proc/{running.pid}/cmdline").read_bytes()
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if SECRET.encode() in path.read_bytes()]
    assert (folder / "tls/key.pem").stat().st_mode & 0o777 == 0o600


def test_a_port_in_use_is_one_clear_line(folder: Path, wanted: dict[str, Any]) -> None:
    with socket.create_server(("127.0.0.1", wanted["port"])), pytest.raises(
            GatewayError, match=f"^S3 server: port {wanted['port']} on 127\\.0\\.0\\.1 is taken by another process"):
        start_gateway(folder, **wanted)


def test_neither_binary_nor_go_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GatewayError, match=r"^S3 server versitygw: neither it nor Go .* is on the PATH; install one"):
        ensure_gateway(tmp_path)


def test_a_build_that_fails_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go = tmp_path / "go"
    go.write_text("#!/bin/sh\necho 'go: requires go >= 99 (running go 1; GOTOOLCHAIN=local)' >&2; exit 1\n")
    go.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    with pytest.raises(GatewayError, match=r"go install .* failed: go: requires go >= 99 .*; check that") as caught:
        ensure_gateway(tmp_path / "bin")
    assert "\n" not in str(caught.value)
    assert list((tmp_path / "bin").iterdir()) == []


def test_the_context_of_its_image_holds_binary_and_dockerfile(tmp_path: Path) -> None:
    require_gateway()
    context = prepare_build_context(tmp_path / "image")
    assert {path.name for path in context.iterdir()} == {"versitygw", "Dockerfile"}
    assert os.access(context / "versitygw", os.X_OK)
    assert gateway.DOCKERFILE.read_text() == (context / "Dockerfile").read_text()
