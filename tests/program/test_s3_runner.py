"""Whoever runs backups on the stack's own S3 server, with the policy that AWS is given: puts, reads, never destroys."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from backups.storage.bucket import BucketSpec, ensure_bucket
from tests.support.running.s3_servers import S3Server, runner_of, seaweedfs

BUCKET, KEY, HIDDEN = "backups-of-a-runner", "backups/one", "backups/db/physical/backup/one"
SPEC = BucketSpec(BUCKET, lock_days=1)


@dataclass(frozen=True)
class Backing:
    """The runner's client and the owner's, and a version of the runner's own by key."""

    client: Any
    owner: Any
    versions: dict[str, str]


@pytest.fixture(scope="module")
def backing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backing]:
    with seaweedfs(tmp_path_factory.mktemp("s3")) as server:
        yield _backing(server)


def _backing(server: S3Server) -> Backing:
    ensure_bucket(server.login, SPEC, on_unsupported="warn")
    client = runner_of(server, SPEC).client()
    versions = {key: client.put_object(Bucket=BUCKET, Key=key, Body=b"1")["VersionId"] for key in (KEY, HIDDEN)}
    return Backing(client, server.login.client(), versions)


def test_it_puts_lists_and_reads_below_the_prefix_and_hides_what_pgbackrest_has_cut_off(backing: Backing) -> None:
    client = backing.client
    assert client.get_object(Bucket=BUCKET, Key=KEY)["Body"].read() == b"1"
    assert client.get_object(Bucket=BUCKET, Key=KEY, VersionId=backing.versions[KEY])["Body"].read() == b"1"
    listed = client.list_objects_v2(Bucket=BUCKET, Prefix="backups/")["Contents"]
    assert KEY in [entry["Key"] for entry in listed]
    assert client.list_object_versions(Bucket=BUCKET, Prefix="backups/")["Versions"]
    upload = client.create_multipart_upload(Bucket=BUCKET, Key=KEY)["UploadId"]
    part = client.upload_part(Bucket=BUCKET, Key=KEY, UploadId=upload, PartNumber=1, Body=b"2")
    client.complete_multipart_upload(Bucket=BUCKET, Key=KEY, UploadId=upload, MultipartUpload={
        "Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]})
    client.delete_object(Bucket=BUCKET, Key=HIDDEN)
    with pytest.raises(ClientError, match="NoSuchKey"):
        client.get_object(Bucket=BUCKET, Key=HIDDEN)
    hidden = backing.owner.get_object(Bucket=BUCKET, Key=HIDDEN, VersionId=backing.versions[HIDDEN])
    assert hidden["Body"].read() == b"1"


REFUSED: dict[str, Callable[[Any, dict[str, str]], Any]] = {
    "delete": lambda client, _: client.delete_object(Bucket=BUCKET, Key=KEY),
    "delete a version": lambda client, versions: client.delete_object(
        Bucket=BUCKET, Key=KEY, VersionId=versions[KEY]),
    "delete a version past its lock": lambda client, versions: client.delete_object(
        Bucket=BUCKET, Key=KEY, VersionId=versions[KEY], BypassGovernanceRetention=True),
    "delete a version of what it may hide": lambda client, versions: client.delete_object(
        Bucket=BUCKET, Key=HIDDEN, VersionId=versions[HIDDEN]),
    "shorten a lock": lambda client, versions: client.put_object_retention(
        Bucket=BUCKET, Key=KEY, VersionId=versions[KEY], BypassGovernanceRetention=True,
        Retention={"Mode": "GOVERNANCE", "RetainUntilDate": datetime.now(UTC) + timedelta(seconds=9)}),
    "put elsewhere": lambda client, _: client.put_object(Bucket=BUCKET, Key="other/one", Body=b"1"),
    "list elsewhere": lambda client, _: client.list_objects_v2(Bucket=BUCKET),
    "stop versioning": lambda client, _: client.put_bucket_versioning(
        Bucket=BUCKET, VersioningConfiguration={"Status": "Suspended"}),
    "change the policy": lambda client, _: client.delete_bucket_policy(Bucket=BUCKET),
    "change the lifecycle": lambda client, _: client.delete_bucket_lifecycle(Bucket=BUCKET),
    "change the encryption": lambda client, _: client.delete_bucket_encryption(Bucket=BUCKET),
    "change the lock": lambda client, _: client.put_object_lock_configuration(
        Bucket=BUCKET, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"}),
    "delete the bucket": lambda client, _: client.delete_bucket(Bucket=BUCKET),
    "make a bucket": lambda client, _: client.create_bucket(Bucket="of-the-runner"),
}


@pytest.mark.parametrize("act", REFUSED)
def test_the_runner_is_denied(backing: Backing, act: str) -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        REFUSED[act](backing.client, backing.versions)


def test_deleting_many_at_once_deletes_nothing(backing: Backing) -> None:
    answer = backing.client.delete_objects(Bucket=BUCKET, Delete={"Objects": [
        {"Key": KEY}, {"Key": KEY, "VersionId": backing.versions[KEY]}]})
    assert "Deleted" not in answer
    assert [error["Code"] for error in answer["Errors"]] == ["AccessDenied"] * 2
    assert backing.owner.get_object(Bucket=BUCKET, Key=KEY, VersionId=backing.versions[KEY])["Body"].read() == b"1"
