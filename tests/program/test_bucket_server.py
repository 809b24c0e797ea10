"""The backup bucket on real S3 servers over TLS: made, adopted, repaired, refused, deleted."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from backups.errors import BackupError, BucketError, S3Error, S3UnreachableError, UnsupportedError
from backups.storage import deletion
from backups.storage.bucket import BucketSpec, S3Login, delete_bucket, ensure_bucket, plan_bucket, read_bucket
from backups.storage.client import wait_until_it_answers
from backups.storage.object_store import Store
from backups.storage.protections import EXPIRE, PROTECTIONS, TLS_ONLY
from infra.local.processes import free_port
from tests.support.running.s3_servers import KEYS, STRANGER, S3Server, login_of, minio, seaweedfs

NAMES = {protection.key: protection.name for protection in PROTECTIONS}


@pytest.fixture(scope="module", params=[seaweedfs, minio], ids=["seaweedfs", "minio"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with request.param(tmp_path_factory.mktemp("s3")) as running:
        yield running


@pytest.fixture
def spec() -> BucketSpec:
    return BucketSpec(f"backups-{uuid4().hex[:12]}", tags={"stack": "dev"})


def ensure(server: S3Server, spec: BucketSpec) -> Any:
    return ensure_bucket(server.login, spec, on_unsupported="warn")


def versions(login: S3Login, name: str) -> int:
    answer = login.client().list_object_versions(Bucket=name)
    return len(answer.get("Versions", [])) + len(answer.get("DeleteMarkers", []))


def test_created_as_declared_and_what_the_server_lacks_is_named(server: S3Server, spec: BucketSpec) -> None:
    done = ensure(server, spec)
    assert done.changes[0].key == "bucket"
    assert {key: value for key, value in done.state.protections.items() if key not in server.lacks} == {
        key: value for key, value in spec.protections().items() if key not in server.lacks}
    assert done.left_out == [f"{name}: not implemented by this server"
                             for key, name in NAMES.items() if key in server.lacks]


def test_second_ensure_changes_nothing(server: S3Server, spec: BucketSpec) -> None:
    ensure(server, spec)
    assert ensure(server, spec).changes == ()


def test_what_the_server_lacks_is_an_error_where_the_stack_says_so_and_all_else_is_done(
        server: S3Server, spec: BucketSpec) -> None:
    with pytest.raises(UnsupportedError) as caught:
        ensure_bucket(server.login, spec, on_unsupported="error")
    assert all(NAMES[key] in str(caught.value) for key in server.lacks)
    assert [change for change in plan_bucket(spec, read_bucket(server.login, spec.name))
            if change.key not in server.lacks] == []


def test_a_server_is_no_reason_to_fail_over_what_is_not_declared(server: S3Server, spec: BucketSpec) -> None:
    modest = replace(spec, encryption=None, block_public_access=None, ownership=None, expire_days=None,
                     noncurrent_days=None, abort_uploads_days=None)
    assert ensure_bucket(server.login, modest, on_unsupported="error").left_out == []


def test_an_existing_bucket_is_adopted_with_its_objects(server: S3Server, spec: BucketSpec) -> None:
    client = server.login.client()
    client.create_bucket(Bucket=spec.name)
    client.put_object(Bucket=spec.name, Key="backups/old", Body=b"kept")
    client.put_bucket_tagging(Bucket=spec.name, Tagging={"TagSet": [{"Key": "theirs", "Value": "1"}]})
    client.put_bucket_policy(Bucket=spec.name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Sid": "Theirs", "Effect": "Deny", "Principal": "*", "Action": "s3:DeleteBucketPolicy",
         "Resource": f"arn:aws:s3:::{spec.name}"}]}))
    done = ensure(server, spec)
    assert "bucket" not in [change.key for change in done.changes]
    assert client.get_object(Bucket=spec.name, Key="backups/old")["Body"].read() == b"kept"
    assert done.state.protections["tags"] == {"stack": "dev", "theirs": "1"}
    statements = json.loads(client.get_bucket_policy(Bucket=spec.name)["Policy"])["Statement"]
    assert [statement["Sid"] for statement in statements] == ["Theirs", TLS_ONLY]


DRIFTS: dict[str, Callable[[Any, str], Any]] = {
    "versioning": lambda client, name: client.put_bucket_versioning(
        Bucket=name, VersioningConfiguration={"Status": "Suspended"}),
    "tls_only": lambda client, name: client.delete_bucket_policy(Bucket=name),
    "tags": lambda client, name: client.put_bucket_tagging(
        Bucket=name, Tagging={"TagSet": [{"Key": "stack", "Value": "other"}]}),
    "ownership": lambda client, name: client.put_bucket_ownership_controls(
        Bucket=name, OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]}),
    "encryption": lambda client, name: client.delete_bucket_encryption(Bucket=name),
    EXPIRE: lambda client, name: client.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={
        "Rules": [{**rule, "Status": "Disabled" if rule["ID"].endswith(EXPIRE) else "Enabled"}
                  for rule in client.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]]}),
}


@pytest.mark.parametrize("key", DRIFTS)
def test_a_protection_changed_by_hand_is_seen_alone_and_repaired(server: S3Server, spec: BucketSpec, key: str) -> None:
    if key in server.lacks:
        pytest.skip(f"{server.kind} does not implement {NAMES[key]}")
    ensure(server, spec)
    DRIFTS[key](server.login.client(), spec.name)
    def planned() -> list[str]:
        plan = plan_bucket(spec, read_bucket(server.login, spec.name))
        return [change.key for change in plan if change.key not in server.lacks]

    assert planned() == [key]
    assert [change.key for change in ensure(server, spec).changes] == [key]
    assert planned() == []


def test_a_changed_declaration_is_put(server: S3Server, spec: BucketSpec) -> None:
    ensure(server, spec)
    changed = replace(spec, versioning=False, tls_only=False, tags={"stack": "prod"})
    assert {change.key for change in ensure(server, changed).changes} == {"versioning", "tls_only", "tags"}
    assert ensure(server, changed).changes == ()


def test_a_foreign_bucket_is_a_one_line_error(tmp_path_factory: pytest.TempPathFactory) -> None:
    with seaweedfs(tmp_path_factory.mktemp("accounts")) as server:
        ensured = ensure(server, BucketSpec("backups-of-one"))
        other = login_of(server, STRANGER)
        for attempt in (lambda: ensure_bucket(other, BucketSpec(ensured.state.name), on_unsupported="warn"),
                        lambda: read_bucket(other, ensured.state.name)):
            with pytest.raises(BucketError, match=r"^bucket backups-of-one at .*: it exists, but .* somebody else;"):
                attempt()
        with pytest.raises(BackupError, match="may not delete bucket backups-of-one"):
            delete_bucket(other, ensured.state.name, allow_with_backups=True)
        assert plan_bucket(BucketSpec("backups-of-one"), read_bucket(server.login, "backups-of-one")) == []


@pytest.mark.parametrize(("change", "error", "words"), [
    ({"secret_key": "not-the-secret"}, S3Error, "login with access key root-of-tests refused"),
    ({"access_key": "nobody"}, S3Error, "login with access key nobody refused"),
    ({"ca_file": None}, S3Error, "its certificate is not trusted"),
])
def test_a_login_that_is_wrong_is_one_clear_line_without_the_secret(
        server: S3Server, spec: BucketSpec, change: dict[str, Any], error: type[Exception], words: str) -> None:
    login = replace(server.login, **change)
    for attempt in (lambda: ensure_bucket(login, spec, on_unsupported="warn"),
                    lambda: read_bucket(login, spec.name),
                    lambda: delete_bucket(login, spec.name, allow_with_backups=True)):
        with pytest.raises(error) as caught:
            attempt()
        assert words in str(caught.value)
        assert "\n" not in str(caught.value)
        assert KEYS["secret_key"] not in str(caught.value)
        assert "not-the-secret" not in str(caught.value)


def test_an_unreachable_server_is_a_one_line_error(server: S3Server, spec: BucketSpec) -> None:
    endpoint = f"https://localhost:{free_port()}"
    with pytest.raises(S3UnreachableError, match=f"^{re.escape(endpoint)}: does not answer .*; check that it runs"):
        ensure_bucket(replace(server.login, endpoint=endpoint), spec)


def test_a_port_that_a_container_publishes_before_its_server_listens_does_not_answer(server: S3Server) -> None:
    """The engine takes the connection, finds nobody inside, and closes it in the middle of TLS."""
    with socket.create_server(("127.0.0.1", 0)) as published:
        def close() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = published.accept()
                    connection.recv(1)
                    connection.shutdown(socket.SHUT_WR)
                    connection.close()

        thread = threading.Thread(target=close)
        thread.start()
        login = replace(server.login, endpoint=f"https://localhost:{published.getsockname()[1]}")
        try:
            with pytest.raises(S3UnreachableError, match=r": does not answer .*; check that it runs"):
                wait_until_it_answers(login, login.client(), 0)
        finally:
            published.shutdown(socket.SHUT_RDWR)
            thread.join()


def test_plain_http_to_a_tls_server_is_one_clear_line(server: S3Server, spec: BucketSpec) -> None:
    endpoint = str(server.login.endpoint).replace("https", "http")
    with pytest.raises(S3Error, match=f"^{re.escape(endpoint)}: "):
        ensure_bucket(replace(server.login, endpoint=endpoint), spec)


def test_an_empty_bucket_is_deleted_and_one_that_is_gone_is_fine(server: S3Server, spec: BucketSpec) -> None:
    ensure(server, spec)
    delete_bucket(server.login, spec.name, allow_with_backups=False)
    assert read_bucket(server.login, spec.name) is None
    delete_bucket(server.login, spec.name, allow_with_backups=False)
    delete_bucket(server.login, spec.name, allow_with_backups=True)


def put_object(client: Any, name: str) -> None:
    client.put_object(Bucket=name, Key="backups/one", Body=b"x")


def put_and_delete_object(client: Any, name: str) -> None:
    put_object(client, name)
    client.delete_object(Bucket=name, Key="backups/one")


def begin_upload(client: Any, name: str) -> None:
    client.create_multipart_upload(Bucket=name, Key="backups/one")


@pytest.mark.parametrize("fill", [put_object, put_and_delete_object, begin_upload])
def test_a_bucket_that_holds_anything_is_deleted_only_when_allowed(
        server: S3Server, spec: BucketSpec, fill: Callable[[Any, str], None]) -> None:
    ensure(server, spec)
    fill(server.login.client(), spec.name)
    with pytest.raises(BucketError, match=f"^bucket {spec.name} at .*: not deleted, it holds backups .*backups/one"):
        delete_bucket(server.login, spec.name, allow_with_backups=False)
    assert read_bucket(server.login, spec.name) is not None
    delete_bucket(server.login, spec.name, allow_with_backups=True)
    assert read_bucket(server.login, spec.name) is None


@pytest.mark.parametrize("versioning", [True, False])
def test_a_folder_whose_objects_are_gone_is_no_folder(server: S3Server, spec: BucketSpec, versioning: bool) -> None:
    ensure(server, replace(spec, versioning=versioning))
    store = Store(server.login, spec.name, patience=5)
    for key in ("db/logical/kept/one", "db/logical/gone/one", "db/logical/gone/parts/two"):
        store.put(key, b"x")
    assert store.folders("db/logical/") == ["gone", "kept"]
    for key in ("gone/one", "gone/parts/two"):
        server.login.client().delete_object(Bucket=spec.name, Key=f"{store.prefix}db/logical/{key}")
    assert store.folders("db/logical/") == ["kept"]


def test_more_versions_than_a_page_holds_and_odd_keys_are_all_deleted(
        server: S3Server, spec: BucketSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deletion, "PAGE", 50)
    ensure(server, spec)
    client = server.login.client()
    for number in range(103):
        client.put_object(Bucket=spec.name, Key=f"backups/{number % 7}", Body=b"x")
    for key in ("backups/a b+c&d", "backups/Größe 100 %", "backups/<x>"):
        client.put_object(Bucket=spec.name, Key=key, Body=b"x")
    assert versions(server.login, spec.name) == 106
    delete_bucket(server.login, spec.name, allow_with_backups=True)
    assert read_bucket(server.login, spec.name) is None
