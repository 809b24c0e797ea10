"""Deleting the backup bucket: refused while it holds objects, unless that is allowed by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from backups.errors import BucketError
from backups.storage.client import S3Login, code, explain_errors, is_not_implemented

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# As many as one call may delete.
PAGE = 1000


def delete_bucket(login: S3Login, name: str, *, allow_with_backups: bool) -> None:
    """Delete the bucket; nothing to do where it does not exist.

    Raises BucketError where it holds an object, an old version or an unfinished upload and `allow_with_backups` is
    False; where it is True, all of those are deleted first, permanently.
    """
    client = login.client()
    with explain_errors(login, f"delete bucket {name}"):
        try:
            if allow_with_backups:
                _empty(client, name)
            elif held := _first_held(client, name):
                raise BucketError(f"bucket {name} at {login}: not deleted, it holds backups ({held}); delete them "
                                  "first, or let the stack delete a bucket that holds backups (allowBucketDeletion)")
            client.delete_bucket(Bucket=name)
        except ClientError as error:
            if code(error) in ("BucketNotEmpty", "409"):
                raise BucketError(f"bucket {name} at {login}: not deleted, objects were added meanwhile; "
                                  "stop what writes there and run again") from None
            if code(error) not in ("NoSuchBucket", "404"):
                raise


def _first_held(client: S3Client, name: str) -> str | None:
    """What the bucket holds, in a few words with one example; None if it is empty."""
    held = _page(client, name, size=1)
    if held:
        return f"for one, {held[0]['Key']}"
    uploads = client.list_multipart_uploads(Bucket=name, MaxUploads=1).get("Uploads") or []
    return f"for one, the unfinished upload of {uploads[0]['Key']}" if uploads else None


def _page(client: S3Client, name: str, size: int) -> list[dict[str, Any]]:
    """The first versions and delete markers, at most `size`; plain keys where the server has no versions."""
    try:
        page = client.list_object_versions(Bucket=name, MaxKeys=size)
        entries = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        return [{"Key": entry["Key"], "VersionId": entry["VersionId"]} for entry in entries]
    except ClientError as error:
        if not is_not_implemented(error):
            raise
        plain = client.list_objects_v2(Bucket=name, MaxKeys=size).get("Contents", [])
        return [{"Key": entry["Key"]} for entry in plain]


def _empty(client: S3Client, name: str) -> None:
    while uploads := client.list_multipart_uploads(Bucket=name).get("Uploads"):
        for upload in uploads:
            client.abort_multipart_upload(Bucket=name, Key=upload["Key"], UploadId=upload["UploadId"])
    # Always the first page anew: a server may lose its place when what a marker points at is gone (versitygw 1.8.0).
    before: list[dict[str, Any]] = []
    while page := _page(client, name, size=PAGE):
        if page[0] in before:
            raise BucketError(f"bucket {name}: {page[0]['Key']} is still there after it was deleted; "
                              "look whether the server runs with versioning, then run again")
        before = page
        _delete(client, name, page)


def _delete(client: S3Client, name: str, page: list[Any]) -> None:
    failed = client.delete_objects(Bucket=name, Delete={"Objects": page, "Quiet": True}).get("Errors") or []
    if failed:
        first = failed[0]
        raise BucketError(f"bucket {name}: {len(failed)} objects cannot be deleted (for one, {first.get('Key')}: "
                          f"{first.get('Code')}); they may be held by object lock: wait until it ends")
