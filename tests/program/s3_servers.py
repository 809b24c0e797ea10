"""Real S3 servers for tests, each with TLS, versioning and a certificate of its own, on a free loopback port."""

from __future__ import annotations

import base64
import contextlib
import functools
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import boto3

from backups.bucket import BucketSpec, S3Login
from backups.errors import S3UnreachableError
from backups.protections import ABORT, EXPIRE, NONCURRENT
from backups.s3 import wait_until_it_answers
from infra import processes
from infra.certificate import issue
from infra.storage import runner_policy
from infra.targets.gateway import arguments, ensure_gateway
from tests.machine import require

LOOPBACK = "127.0.0.1"
KEYS = {"access_key": "root-of-tests", "secret_key": "a-secret-of-tests-only"}
LIFECYCLE = (EXPIRE, NONCURRENT, ABORT)


@dataclass(frozen=True)
class S3Server:
    """A server that runs; `lacks` are the keys of the protections that it does not implement."""

    kind: str
    login: S3Login
    lacks: frozenset[str]
    restart: Callable[[], None]


def require_gateway() -> Path:
    """The versitygw binary; skips the test where neither it nor Go to build it is on this machine."""
    require("s3")
    return ensure_gateway()


def _answers(login: S3Login) -> bool:
    try:
        wait_until_it_answers(login, login.client(), 0)
    except S3UnreachableError:
        return False
    return True


@contextmanager
def _running(folder: Path, command: list[str], env: dict[str, str], login: S3Login) -> Iterator[Callable[[], None]]:
    """Start the server; yields what kills it without warning and starts it again."""
    start = functools.partial(processes.start, "s3", command, folder, env=env,
                              ready=functools.partial(_answers, login), timeout=30)

    def restart() -> None:
        pid = start().pid
        os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)  # until then it counts as one that runs
        start()
    start()
    try:
        yield restart
    finally:
        processes.stop(folder, "s3")


def _login(folder: Path, port: int, host: str) -> S3Login:
    (folder / "certs").mkdir()
    issued = issue(["localhost", "127.0.0.1", host], 30)
    for name, text in (("ca.pem", issued.ca_pem), ("public.crt", issued.cert_pem), ("private.key", issued.key_pem)):
        (folder / "certs" / name).write_text(text)
    name = "localhost" if host == LOOPBACK else host
    return S3Login(endpoint=f"https://{name}:{port}", ca_file=str(folder / "certs/ca.pem"), path_style=True, **KEYS)


@contextmanager
def versitygw(folder: Path, host: str = LOOPBACK) -> Iterator[S3Server]:
    """versitygw with several accounts; `host` is the address of this machine that it listens on."""
    binary = require_gateway()
    port = processes.free_port()
    login = _login(folder, port, host)
    for part in ("objects", "versions", "accounts"):
        (folder / part).mkdir(exist_ok=True)
    command = [str(binary), "--iam-dir", str(folder / "accounts"),
               *arguments(listen=f"{host}:{port}", region="us-east-1", cert=str(folder / "certs/public.crt"),
                          key=str(folder / "certs/private.key"), data=str(folder))]
    env = {"ROOT_ACCESS_KEY": KEYS["access_key"], "ROOT_SECRET_KEY": KEYS["secret_key"]}
    with _running(folder, command, env, login) as restart:
        yield S3Server("versitygw", login, frozenset({"block_public_access", "encryption", *LIFECYCLE}), restart)


def runner_of(server: S3Server, spec: BucketSpec) -> S3Login:
    """The login of whoever runs backups in this bucket, which is there: it may do what the stack's `runner_policy`
    says, and nothing else."""
    policy = json.loads(runner_policy(spec))
    if server.kind == "minio":
        # It refuses a policy that names what it does not have.
        policy = json.loads(json.dumps(policy).replace('"s3:PutBucketPublicAccessBlock", ', ""))
        tokens = boto3.session.Session().client(
            "sts", endpoint_url=server.login.endpoint, region_name=server.login.region, verify=server.login.ca_file,
            aws_access_key_id=server.login.access_key, aws_secret_access_key=server.login.secret_key)
        given = tokens.assume_role(RoleArn="arn:aws:iam::000000000000:role/runner", RoleSessionName="runner",
                                   Policy=json.dumps(policy))["Credentials"]
        return replace(server.login, access_key=given["AccessKeyId"], secret_key=given["SecretAccessKey"],
                       session_token=given["SessionToken"])
    login, client = add_account(server, "runner", "a-runner-s-secret-of-tests", "user"), server.login.client()
    whole = json.loads(client.get_bucket_policy(Bucket=spec.name)["Policy"])
    # It does not know NotResource. That statement is for AWS, where another policy may allow more: here there is none.
    whole["Statement"] += [{**each, "Principal": {"AWS": ["runner"]}} for each in policy["Statement"]
                           if "NotResource" not in each]
    client.put_bucket_policy(Bucket=spec.name, Policy=json.dumps(whole))
    return login


def add_account(server: S3Server, access_key: str, secret_key: str, role: str = "userplus") -> S3Login:
    """Another account on a versitygw, which may make buckets of its own where its role is not `user`."""
    subprocess.run([str(require_gateway()), "admin", "--allow-insecure", "--access", KEYS["access_key"],
                    "--secret", KEYS["secret_key"], "--endpoint-url", str(server.login.endpoint), "create-user",
                    "--access", access_key, "--secret", secret_key, "--role", role],
                   check=True, capture_output=True)
    return replace(server.login, access_key=access_key, secret_key=secret_key)


@contextmanager
def minio(folder: Path, host: str = LOOPBACK) -> Iterator[S3Server]:
    """MinIO with a key of its own for default encryption; `host` is the address of this machine that it listens on."""
    require("minio")
    binary = str(shutil.which("minio"))
    port = processes.free_port()
    login = _login(folder, port, host)
    env = {"MINIO_ROOT_USER": KEYS["access_key"], "MINIO_ROOT_PASSWORD": KEYS["secret_key"], "MINIO_UPDATE": "off",
           "MINIO_KMS_SECRET_KEY": "tests:" + base64.b64encode(b"k" * 32).decode()}
    command = [binary, "server", str(folder / "data"), "--address", f"{host}:{port}",
               "--console-address", f"127.0.0.1:{processes.free_port()}", "--certs-dir", str(folder / "certs")]
    with _running(folder, command, env, login) as restart:
        yield S3Server("minio", login, frozenset({"block_public_access", "ownership", ABORT}), restart)
