"""With the bucket owner's login everything is deleted, written over, deleted again: what object lock kept restores."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from backups.drill.comparison import compare
from backups.errors import BucketError
from backups.logical.catalog import find_backup, list_backups, open_backup
from backups.logical.reader import Opened
from backups.logical.retention import Retention, prune, read_hold
from backups.restoring.restore import restore_logical
from backups.storage.bucket import BucketSpec, delete_bucket, ensure_bucket, plan_bucket, read_bucket
from tests.support.backed_up import Backed, backed
from tests.support.running.s3_servers import S3Server, minio, seaweedfs
from tests.support.running.servers import Server

pytestmark = pytest.mark.servers("debian")


@pytest.fixture(scope="module", params=[seaweedfs, minio], ids=["seaweedfs", "minio"])
def s3(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with request.param(tmp_path_factory.mktemp("s3")) as s3_server:
        yield s3_server


@pytest.fixture(scope="module")
def locked(s3: S3Server, server: Server) -> Iterator[Backed]:
    with backed(server, s3.login, rows=2000) as backed_up:
        spec = BucketSpec(f"locked-{secrets.token_hex(4)}", lock_days=1, encryption=None, block_public_access=None,
                          ownership=None, expire_days=None, noncurrent_days=None, abort_uploads_days=None)
        ensure_bucket(s3.login, spec, on_unsupported="error")
        assert plan_bucket(spec, read_bucket(s3.login, spec.name)) == []
        yield replace(backed_up, store=replace(backed_up.store, bucket=spec.name))


def attack(client: Any, bucket: str, prefix: str = "") -> tuple[set[str], int]:
    """Delete every object, write garbage over it, delete every version, then every object once more; the objects, and
    the number of versions, that could not be deleted."""
    def refused(entry: dict[str, Any], **version: str) -> bool:
        try:
            client.delete_object(Bucket=bucket, Key=entry["Key"], **version)
        except ClientError:
            return True
        return False

    listed = client.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]
    for entry in listed:
        refused(entry)
        client.put_object(Bucket=bucket, Key=entry["Key"], Body=b"pay 3 coins")
    versions = client.list_object_versions(Bucket=bucket, Prefix=prefix)["Versions"]
    resisted = sum(refused(entry, VersionId=entry["VersionId"]) for entry in versions)
    return {entry["Key"] for entry in listed if refused(entry)}, resisted


def test_what_object_lock_kept_is_restored_to_the_byte_after_an_attack(locked: Backed) -> None:
    entry = locked.back_up()
    assert entry.manifest
    assert read_hold(locked.store, entry.manifest.structure.key)
    kept, resisted = attack(locked.store.client, locked.store.bucket)
    assert kept == set()  # the bucket's owner may delete, not destroy
    assert resisted >= sum(1 for _ in entry.manifest.objects())
    assert list_backups(locked.store, entry.database) == []
    before = replace(locked.store, first_written=True)
    listed = find_backup(before, entry.database)
    assert listed.id == entry.id
    with locked.room() as name:
        restore_logical(before, locked.ring, listed, locked.admin, name, image=locked.image)
        restored = replace(locked.admin, database=name)
        opened = Opened(before, *open_backup(before, locked.ring, listed))
        assert compare(entry.manifest, restored, image=locked.image, opened=opened).differences == []


def test_prune_leaves_what_object_lock_holds_and_says_until_when(locked: Backed) -> None:
    old = locked.back_up()
    time.sleep(1.1)  # a backup's instant is in whole seconds
    new = locked.back_up()
    locked.store.put(f"{new.folder}/verified/20261125T000000Z.json", b"{}")
    done = prune(locked.store, locked.ring, old.database, Retention(daily=1, weekly=0, monthly=0))
    assert old.id not in done.deleted
    assert done.kept[old.id].startswith("object lock: until 20")


def test_a_locked_bucket_is_not_deleted_even_where_that_is_allowed(locked: Backed) -> None:
    locked.back_up()
    with pytest.raises(BucketError, match="held by object lock"):
        delete_bucket(locked.store.login, locked.store.bucket, allow_with_backups=True)
