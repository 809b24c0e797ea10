"""Every port of the S3 server: where it listens, and that it gives, lists and deletes nothing without a credential."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import os
import socket
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

from infra.local.processes import alive
from infra.local.s3_server import read_ports
from infra.local.seaweedfs import derived_key
from tests.support.running.s3_servers import KEYS, S3Server, seaweedfs

BODY = b"an object that nobody may have without a login"
BUCKET, KEY = "private", "backups/one"
# What SeaweedFS's own documentation names, by way of HTTP, for reading, listing, writing, deleting and looking up.
PATHS = ("/", "/ui/index.html", "/dir/status", "/dir/assign", "/dir/lookup?volumeId=1", "/vol/status",
         "/vol/grow?count=1", "/vol/vacuum", f"/col/delete?collection={BUCKET}", "/submit", "/collection/info",
         "/cluster/status", "/buckets/", f"/buckets/{BUCKET}/?pretty=y", f"/buckets/{BUCKET}/{KEY}",
         f"/{BUCKET}/{KEY}", f"/{BUCKET}?list-type=2", "/etc/iam/identities.json", "/stats/disk", "/stats/counter",
         "/metrics", "/debug/pprof/", "/admin/assign_volume")
# What answers, with nothing of anybody's: that it runs, and how full its disk is.
PUBLIC = {("master", "/"), ("master", "/ui/index.html"), ("master", "/cluster/status")}
TRUSTING = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
TRUSTING.check_hostname, TRUSTING.verify_mode = False, ssl.CERT_NONE
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"


@dataclass(frozen=True)
class Served:
    """A server with one object, its folder, its ports by part, and the object's place on the volume server."""

    server: S3Server
    folder: Path
    ports: dict[str, int]
    place: str

    def is_complete(self) -> bool:
        client = self.server.login.client()
        return bool(client.get_object(Bucket=BUCKET, Key=KEY)["Body"].read() == BODY)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("ports")
    with seaweedfs(folder) as server:
        client = server.login.client()
        client.create_bucket(Bucket=BUCKET)
        client.put_object(Bucket=BUCKET, Key=KEY, Body=BODY)
        ports = read_ports(folder)
        assert ports is not None
        s3 = int(str(server.login.endpoint).rpartition(":")[2])
        yield Served(server, folder, {**asdict(ports), "s3": s3}, place_of(folder))


def place_of(folder: Path) -> str:
    """The id of the volume server's only object of the bucket: in its file a head of 8 bytes, then cookie and key."""
    for path in (folder / "data").glob(f"{BUCKET}_*.dat"):
        needle = path.read_bytes()[8:]
        if BODY in needle:
            cookie, key = needle[:4].hex(), int.from_bytes(needle[4:12])
            return f"{path.stem.rpartition('_')[2]},{key:x}{cookie}"
    raise AssertionError("the object is in no volume")


def token(served: Served, section: str) -> str:
    """A token as the server's parts give each other."""
    def part(value: object) -> bytes:
        return base64.urlsafe_b64encode(value if isinstance(value, bytes) else json.dumps(value).encode()).rstrip(b"=")

    signed = part({"alg": "HS256", "typ": "JWT"}) + b"." + part({"fid": served.place, "exp": int(time.time()) + 60})
    key = derived_key(KEYS["secret_key"], section).encode()
    return (signed + b"." + part(hmac.new(key, signed, hashlib.sha256).digest())).decode()


def ask(url: str, method: str = "GET", headers: dict[str, str] | None = None) -> tuple[int, bytes]:
    """Status and body, as far as the connection lived; status 0 where nothing speaks HTTP."""
    body = b"overwritten" if method in ("PUT", "POST") else None
    request = urllib.request.Request(url, method=method, data=body, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=10, context=TRUSTING) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error, contextlib.suppress(ConnectionError):  # a TLS port refuses plain HTTP, then closes at once
            return error.code, error.read()
        return error.code, b""
    except (OSError, ValueError):
        return 0, b""


def test_it_listens_on_loopback_alone(served: Served) -> None:
    running = alive(served.folder, "s3")
    assert running is not None
    inodes = {os.readlink(link) for link in Path(f"/proc/{running.pid}/fd").iterdir()}
    listening = {line.split()[1] for kind in ("tcp", "tcp6") for line in Path(f"/proc/net/{kind}").read_text(
        ).splitlines()[1:] if line.split()[3] == "0A" and f"socket:[{line.split()[9]}]" in inodes}
    loopback = f"{int.from_bytes(socket.inet_aton('127.0.0.1'), 'little'):08X}"
    assert listening == {f"{loopback}:{port:04X}" for port in served.ports.values()}
    assert len(served.ports) == 8
    datagrams = [line for kind in ("udp", "udp6") for line in Path(f"/proc/net/{kind}").read_text().splitlines()[1:]
                 if f"socket:[{line.split()[9]}]" in inodes]
    assert datagrams == []


def test_its_unix_sockets_are_open_to_its_own_user_alone(served: Served) -> None:
    assert served.folder.stat().st_mode & 0o077 == 0
    for path in read_ports(served.folder).sockets:  # type: ignore[union-attr]
        assert Path(path).stat().st_mode & 0o022 == 0  # nobody else may connect


@pytest.mark.parametrize("part", ["master", "volume", "filer", "s3"])
def test_nothing_is_given_listed_written_or_deleted_over_http_without_a_login(served: Served, part: str) -> None:
    for path in (*PATHS, f"/{served.place}"):
        for method in ("GET", "POST", "PUT", "DELETE"):
            for scheme in ("http", "https"):
                status, body = ask(f"{scheme}://127.0.0.1:{served.ports[part]}{path}", method)
                assert not 200 <= status < 400 or (part, path) in PUBLIC, (scheme, method, path, status, body[:200])
                assert BODY not in body
                assert KEY.encode() not in body or part == "s3", (scheme, method, path, body[:200])
    assert served.is_complete()


def test_the_volume_server_asks_for_a_token_and_takes_one_that_is_signed(served: Served) -> None:
    url = f"http://127.0.0.1:{served.ports['volume']}/{served.place}"
    for method in ("GET", "PUT", "POST", "DELETE"):
        assert ask(url, method)[0] == 401
        assert ask(url, method, {"Authorization": f"Bearer {token(served, 'another purpose')}"})[0] == 401
    assert ask(url, headers={"Authorization": f"Bearer {token(served, 'jwt.signing.read')}"}) == (200, BODY)


@pytest.mark.parametrize("part", ["master_grpc", "volume_grpc", "filer_grpc", "s3_grpc"])
def test_grpc_speaks_to_nobody_but_whoever_has_the_server_s_own_certificate(served: Served, part: str) -> None:
    def answer(context: ssl.SSLContext | None) -> bytes:
        with socket.create_connection(("127.0.0.1", served.ports[part]), timeout=10) as plain:
            try:
                connection = context.wrap_socket(plain, server_hostname="localhost") if context else plain
                with connection:
                    connection.sendall(PREFACE)
                    return connection.recv(9)
            except OSError:  # ssl.SSLError is one
                return b""

    def context() -> ssl.SSLContext:
        with_authority = ssl.create_default_context(cafile=str(served.folder / "ca.pem"))
        with_authority.set_alpn_protocols(["h2"])
        return with_authority

    assert answer(None) == b""
    assert answer(context()) == b""
    with_certificate = context()
    with_certificate.load_cert_chain(served.folder / "cert.pem", served.folder / "key.pem")
    assert answer(with_certificate)[3:4] == b"\x04"  # a frame of settings: it speaks
