"""Real S3 servers for tests, each with TLS, versioning and its own certificate, on a free loopback port."""

from __future__ import annotations

import base64
import contextlib
import functools
import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import boto3

from backups.errors import S3UnreachableError
from backups.storage.bucket import BucketSpec, S3Login
from backups.storage.client import wait_until_it_answers
from backups.storage.protections import ABORT
from infra.handlers.certificate import issue
from infra.local import processes
from infra.local.processes import Running
from infra.local.s3_server import ensure_s3_server, start_s3_server, stop_s3_server
from infra.local.seaweedfs import Account
from infra.program.storage import runner_policy
from tests.support.machine import require

LOOPBACK = "127.0.0.1"
KEYS = {"access_key": "root-of-tests", "secret_key": "a-secret-of-tests-only"}
# An account of a SeaweedFS that may do nothing.
STRANGER = Account("stranger", "somebody-else", "another-secret")


@dataclass(frozen=True)
class S3Server:
    """A running server; `lacks` are the keys of the protections that it does not implement.

    `admit` adds an account to a SeaweedFS, which restarts for that.
    """

    kind: str
    login: S3Login
    lacks: frozenset[str]
    restart: Callable[[], None]
    admit: Callable[[Account], None] | None = None


def require_s3_server() -> Path:
    """Return SeaweedFS's binary; skip the test where its package cannot be had."""
    require("s3")
    return ensure_s3_server()


def _answers(login: S3Login) -> bool:
    try:
        wait_until_it_answers(login, login.client(), 0)
    except S3UnreachableError:
        return False
    return True


def kill(pid: int) -> None:
    """Kill a child process with SIGKILL, and wait until it has ended."""
    os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)  # until then it counts as one that runs


@contextmanager
def _running(folder: Path, command: list[str], env: dict[str, str], login: S3Login) -> Iterator[Callable[[], None]]:
    """Start the server; yield functions that kill it and start it again."""
    start = functools.partial(processes.start, "s3", command, folder, env=env,
                              ready=functools.partial(_answers, login), timeout=30)

    def restart() -> None:
        kill(start().pid)
        start()
    start()
    try:
        yield restart
    finally:
        processes.stop(folder, "s3")


def _login(folder: Path, port: int, host: str) -> S3Login:
    (folder / "certs").mkdir(parents=True)
    issued = issue(["localhost", "127.0.0.1", host], 30)
    for name, text in (("ca.pem", issued.ca_pem), ("public.crt", issued.cert_pem), ("private.key", issued.key_pem)):
        (folder / "certs" / name).write_text(text)
    name = "localhost" if host == LOOPBACK else host
    return S3Login(endpoint=f"https://{name}:{port}", ca_file=str(folder / "certs/ca.pem"), path_style=True, **KEYS)


@contextmanager
def seaweedfs(folder: Path, host: str = LOOPBACK) -> Iterator[S3Server]:
    """Run the stack's own S3 server with more accounts; it listens on this machine's address `host`."""
    require_s3_server()
    port = processes.free_port(host)
    login = _login(folder, port, host)
    pem = {key: (folder / "certs" / name).read_text() for key, name in (
        ("ca_pem", "ca.pem"), ("cert_pem", "public.crt"), ("key_pem", "private.key"))}
    accounts = {STRANGER.name: STRANGER}

    def start() -> Running:
        return start_s3_server(folder, port=port, address=host, accounts=tuple(accounts.values()), **KEYS, **pem)

    def restart() -> None:
        kill(start().pid)
        start()

    def admit(account: Account) -> None:
        accounts[account.name] = account
        restart()
    start()
    try:
        yield S3Server("seaweedfs", login, frozenset({"block_public_access"}), restart, admit)
    finally:
        stop_s3_server(folder, grace=0)


def runner_of(server: S3Server, spec: BucketSpec) -> S3Login:
    """Return the login that runs backups in this existing bucket; it has the rights of the stack's `runner_policy`
    alone.
    """
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
    assert server.admit
    runner = Account("runner", "runner-of-tests", "a-runner-s-secret-of-tests", policy=json.dumps(policy))
    server.admit(runner)
    return login_of(server, runner)


def login_of(server: S3Server, account: Account) -> S3Login:
    """Return the login of another account on a SeaweedFS."""
    return replace(server.login, access_key=account.access_key, secret_key=account.secret_key)


@contextmanager
def minio(folder: Path, host: str = LOOPBACK) -> Iterator[S3Server]:
    """Run MinIO with its own key for default encryption; it listens on this machine's address `host`."""
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
