"""The S3 server's container, run with the words that the program declares: private, and no reader of an old volume."""

from __future__ import annotations

import io
import secrets
import shutil
import socket
import tarfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import docker
import pytest
from docker.errors import NotFound
from docker.models.containers import Container

from backups.storage.client import S3Login, wait_until_it_answers
from infra.handlers.certificate import issue
from infra.local import docker_engine
from infra.local.base_image import ensure_base_image
from infra.local.s3_server import prepare_build_context
from infra.services.s3 import ACCESS_KEY, DATA, LAYOUT, LAYOUT_LABEL, local_s3, own_image
from infra.settings import SettingsError
from tests.support.machine import require
from tests.support.programs import recorded
from tests.support.programs.recorded import ROOT, SECRET, declared
from tests.support.running.s3_servers import require_s3_server

KEY = "generated"  # what the recorder gives for every password
ISSUED = issue(["localhost", "127.0.0.1"], 30)


@pytest.fixture(scope="module")
def client() -> Iterator[docker.DockerClient]:
    require("docker")
    docker_client = docker.from_env(timeout=60)
    yield docker_client
    docker_client.close()


@pytest.fixture(scope="module")
def image(client: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The image of our own, built as a stack builds it where the engine does not hold it."""
    require_s3_server()
    if not docker_engine.has_image(own_image()):
        require("debian")
        base = ensure_base_image()
        context = prepare_build_context(tmp_path_factory.mktemp("image"))
        client.images.build(path=str(context), tag=own_image(), buildargs={"BASE": base}, rm=True)
    return own_image()


@pytest.fixture
def words(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the program declares of the container."""
    monkeypatch.setitem(recorded.OUTPUTS, "Certificate", {
        "ca_pem": ISSUED.ca_pem, "cert_pem": ISSUED.cert_pem, "key_pem": ISSUED.key_pem})
    return declared(monkeypatch, "dev")[0].of("Container")["s3"]


def plain(value: Any) -> Any:
    return value["value"] if isinstance(value, dict) and SECRET in value else value


@pytest.fixture
def run(client: docker.DockerClient, image: str, words: dict[str, Any]) -> Iterator[Callable[[], Container]]:
    """Make and start a container on a volume of its own, under a name of its own."""
    name = f"lcdb-test-s3-{secrets.token_hex(4)}"
    client.volumes.create(name)

    def start() -> Container:
        container = client.containers.create(
            image, name=name, entrypoint=words["entrypoints"], command=words["command"], environment=words["envs"],
            ports={f"{int(port['internal'])}/tcp": (port["ip"], None) for port in words["ports"]},
            volumes={name: {"bind": words["volumes"][0]["containerPath"], "mode": "rw"}},
            cap_drop=words["capabilities"]["drops"], security_opt=words["securityOpts"],
            mem_limit=f"{int(words['memory'])}m", memswap_limit=f"{int(words['memorySwap'])}m")
        container.put_archive("/", archive(plain(words["uploads"])))
        container.start()
        container.reload()
        return container

    yield start
    with suppress(NotFound):
        client.containers.get(name).remove(force=True)
    client.volumes.get(name).remove()


def archive(uploads: list[dict[str, Any]]) -> bytes:
    """The files that the container is given, each with its rights."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for upload in uploads:
            content = plain(upload["content"]).encode()
            entry = tarfile.TarInfo(upload["file"].lstrip("/"))
            entry.size, entry.mode = len(content), int(upload["permissions"], 8)
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def test_it_serves_s3_and_all_its_other_ports_are_inside_or_closed(
        run: Callable[[], Container], words: dict[str, Any], tmp_path: Path) -> None:
    container = run()
    (inside,) = (int(port["internal"]) for port in words["ports"])
    published = container.attrs["NetworkSettings"]["Ports"]
    ((address,),) = [bound for bound in published.values() if bound]
    assert address["HostIp"] == "127.0.0.1"
    (tmp_path / "ca.pem").write_text(ISSUED.ca_pem)
    login = S3Login(endpoint=f"https://localhost:{address['HostPort']}", ca_file=str(tmp_path / "ca.pem"),
                    path_style=True, access_key=ACCESS_KEY, secret_key=KEY)
    wait_until_it_answers(login, login.client(), 60)
    login.client().create_bucket(Bucket="in-a-container")
    login.client().put_object(Bucket="in-a-container", Key="one", Body=b"1", ServerSideEncryption="AES256")
    container.restart(timeout=1)
    container.reload()
    ((address,),) = [bound for bound in container.attrs["NetworkSettings"]["Ports"].values() if bound]
    login = S3Login(**{**login.to_dict(), "endpoint": f"https://localhost:{address['HostPort']}"})
    wait_until_it_answers(login, login.client(), 60)
    assert login.client().get_object(Bucket="in-a-container", Key="one")["Body"].read() == b"1"

    listening = [line.split()[1].split(":") for kind in ("tcp", "tcp6") for line in Path(
        f"/proc/{container.attrs['State']['Pid']}/net/{kind}").read_text().splitlines()[1:] if line.split()[3] == "0A"]
    loopback = f"{int.from_bytes(socket.inet_aton('127.0.0.1'), 'little'):08X}"
    # Docker's own resolver of names listens on another loopback address, in networks that have one.
    outside = {int(port, 16) for ip, port in listening if not ip.endswith("7F")}
    assert len([ip for ip, _ in listening if ip == loopback]) == 6
    assert outside == {inside, 18333}  # the second asks for a certificate: test_s3_ports.py


def test_no_secret_is_in_its_environment_or_arguments(run: Callable[[], Container]) -> None:
    container = run()
    shown = str({key: container.attrs[key] for key in ("Config", "Path", "Args", "HostConfig")})
    assert KEY not in shown
    assert "kek" not in shown


@pytest.mark.parametrize("name", ["objects", "versions"])
def test_a_volume_of_an_earlier_release_is_refused_and_left_as_it_is(
        run: Callable[[], Container], words: dict[str, Any], name: str) -> None:
    entry = words["entrypoints"]
    words["entrypoints"] = ["/bin/sh", "-c", f"mkdir -p {DATA}/{name}; echo kept > {DATA}/{name}/one"]
    first = run()
    first.wait(timeout=30)
    first.remove()
    words["entrypoints"] = entry
    refused = run()
    assert refused.wait(timeout=30)["StatusCode"] == 1
    (line,) = refused.logs().decode().splitlines()
    assert line.startswith("S3 server: volume lifecompanion-dev-s3: found one of an earlier release")
    refused.remove()
    words["entrypoints"] = ["/bin/sh", "-c", f"ls -A {DATA}; cat {DATA}/{name}/one"]
    looked = run()
    looked.wait(timeout=30)
    assert looked.logs().decode().split() == [name, "kept"]


def test_a_volume_without_the_mark_of_this_server_is_refused_at_preview(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "lifecompanion-dev-s3"
    with pytest.raises(SettingsError, match=rf"^S3 server: volume {name}: found one of an earlier release.*; copy .*, "
                                            r"then remove it .*docker volume rm .* and run again$"):
        declared(monkeypatch, "dev", volumes={name: {}})
    assert "s3" in declared(monkeypatch, "dev", volumes={name: {LAYOUT_LABEL: LAYOUT}})[0].of("Container")


def test_a_folder_of_an_earlier_release_is_refused_at_preview(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = ROOT / ".lcdb/old-layout/s3/server/data/objects"
    kept.mkdir(parents=True)
    try:
        with pytest.raises(SettingsError, match=r"^S3 server: .*server/data: found the folder objects of versitygw"):
            local_s3("unused", folder=".lcdb/old-layout/s3", port=1, network=None)
    finally:
        shutil.rmtree(ROOT / ".lcdb/old-layout")


def test_its_volume_bears_the_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    volume = declared(monkeypatch, "dev")[0].of("Volume")["s3-data"]
    assert volume["labels"] == [{"label": LAYOUT_LABEL, "value": LAYOUT}]
