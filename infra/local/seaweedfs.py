"""The configuration files and arguments of SeaweedFS; pure, nothing is started or written here.

One process is master, volume server, filer and S3 server. Of its eight ports only S3's is for anybody else: the other
three that speak HTTP give nothing without a signed token, the four that speak gRPC ask for a certificate that the
server alone has. All paths are relative to the folder that it is started in, which holds these files.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

VERSION = "4.48"
OFFICIAL_IMAGE = f"chrislusf/seaweedfs:{VERSION}"
LOOPBACK = "127.0.0.1"
# What a stack of an earlier release has in its folder or volume: that server's objects and their versions.
VERSITYGW_FOLDERS = ("objects", "versions")
# Each bucket begins with so many volumes, files that grow to this size.
VOLUMES_PER_BUCKET, VOLUME_MIB = 2, 64


@dataclass(frozen=True)
class Ports:
    """Where the server listens; the defaults are for a network of its own, a container's."""

    s3: int
    s3_grpc: int = 18333
    master: int = 9333
    master_grpc: int = 19333
    volume: int = 8080
    volume_grpc: int = 18080
    filer: int = 8888
    filer_grpc: int = 18888

    @property
    def sockets(self) -> list[str]:
        """The paths of the sockets that the server creates in /tmp; no option moves them."""
        return [f"/tmp/seaweedfs-{part.removesuffix('_grpc')}-grpc-{port}.sock"  # noqa: S108
                for part, port in asdict(self).items() if part.endswith("_grpc")]


@dataclass(frozen=True)
class Account:
    """A login of the S3 server: `admin`, or one that may do what its `policy` (IAM's JSON) says, and nothing else."""

    name: str
    access_key: str
    secret_key: str = field(repr=False)
    admin: bool = False
    policy: str | None = None

    def identity(self) -> dict[str, object]:
        """Return the account as an entry of the server's identities.json; its policy has the account's name."""
        return {"name": self.name, "actions": ["Admin"] if self.admin else [],
                "policyNames": [self.name] if self.policy else [],
                "credentials": [{"accessKey": self.access_key, "secretKey": self.secret_key}]}


def settings_files(ports: Ports, *, address: str, data: str, secret_key: str, access_key: str,
                   accounts: tuple[Account, ...] = ()) -> dict[str, str]:
    """Write the server's configuration files, by name, without those of its certificate; two of them hold secrets.

    `address` is the one that S3 is served on. The keys of the inner ports and of encryption at rest follow from
    `secret_key`: they stay what they are as long as it does.
    """
    everybody = (Account("root", access_key, secret_key, admin=True), *accounts)
    identities = {"identities": [account.identity() for account in everybody],
                  "policies": [{"name": account.name, "content": account.policy}
                               for account in everybody if account.policy]}
    return {"weed.options": _options(ports, address, data), "security.toml": _security(secret_key),
            "master.toml": f"[master.volume_growth]\ncopy_1 = {VOLUMES_PER_BUCKET}\n",
            "identities.json": json.dumps(identities)}


def arguments(port: int) -> list[str]:
    """Return the server's arguments; `port` is among them so that the process list shows it."""
    return ["-logtostderr", "-config_dir=.", "server", "-options=weed.options", f"-s3.port={port}"]


def derived_key(secret_key: str, purpose: str) -> str:
    """Derive a key from the secret for one purpose, by HMAC-SHA256: 64 hexadecimal digits."""
    return hmac.new(secret_key.encode(), f"lifecompanion {purpose}".encode(), hashlib.sha256).hexdigest()


def _options(ports: Ports, address: str, data: str) -> str:
    options: Mapping[str, object] = {
        "ip": LOOPBACK, "ip.bind": LOOPBACK, "dir": data, "disableHttp": "true",
        "master.port": ports.master, "master.port.grpc": ports.master_grpc, "master.peers": "none",
        # What it would resume names the ports of its last start; it learns all else from the volumes.
        "master.resumeState": "false", "master.telemetry": "false", "master.volumeSizeLimitMB": VOLUME_MIB,
        # As many volumes as the disk has room for.
        "volume.port": ports.volume, "volume.port.grpc": ports.volume_grpc, "volume.max": 0,
        "volume.preStopSeconds": 0,
        "filer": "true", "filer.port": ports.filer, "filer.port.grpc": ports.filer_grpc,
        "filer.localSocket": "filer.sock", "filer.exposeDirectoryData": "false",
        "s3": "true", "s3.ip.bind": address, "s3.port.grpc": ports.s3_grpc, "s3.localSocket": "s3.sock",
        "s3.port.iceberg": 0, "s3.port.lance": 0, "s3.cert.file": "cert.pem", "s3.key.file": "key.pem",
        "s3.config": "identities.json", "s3.iam": "false", "s3.autoCreateBucket": "false",
        "s3.allowDeleteBucketNotEmpty": "false",
    }
    return "".join(f"{name}={value}\n" for name, value in options.items())


def _security(secret_key: str) -> str:
    tokens = "".join(f'[{section}]\nkey = "{derived_key(secret_key, section)}"\n' for section in (
        "jwt.signing", "jwt.signing.read", "jwt.filer_signing", "jwt.filer_signing.read"))
    certificates = "".join(f'[grpc.{part}]\ncert = "cert.pem"\nkey = "key.pem"\n'
                           for part in ("master", "volume", "filer", "s3", "client"))
    return f'{tokens}[grpc]\nca = "ca.pem"\n{certificates}[s3.sse]\nkek = "{derived_key(secret_key, "s3.sse")}"\n'
