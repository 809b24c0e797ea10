"""Deleting the backup bucket: refused while it holds anything, unless that is allowed by name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from backups.errors import BucketError
from backups.s3 import S3Login, code, explained, is_not_implemented

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def delete_bucket(login: S3Login, name: str, *, allow_with_backups: bool) -> None:
    """Delete the bucket; nothing to do where there is none.

    Raises BucketError if it holds an object, an old version or an unfinished upload and `allow_with_backups` is not
    set; if it is set, all of those are deleted first, page by page, beyond recovery.
    """
    client = login.client()
    with explained(login, f"delete bucket {name}"):
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
    for version in _pages_of_versions(client, name, page_size=1):
        return f"for one, {version[0]['Key']}"
    uploads = client.list_multipart_uploads(Bucket=name, MaxUploads=1).get("Uploads") or []
    return f"for one, the unfinished upload of {uploads[0]['Key']}" if uploads else None


def _pages_of_versions(client: S3Client, name: str, page_size: int) -> Iterator[list[dict[str, Any]]]:
    """Pages, never empty, of objects to delete: versions and delete markers; plain keys where nothing is versioned."""
    try:
        for page in client.get_paginator("list_object_versions").paginate(
                Bucket=name, PaginationConfig={"PageSize": page_size}):
            found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            if found:
                yield [{"Key": entry["Key"], "VersionId": entry["VersionId"]} for entry in found]
    except ClientError as error:
        if not is_not_implemented(error):
            raise
        for plain in client.get_paginator("list_objects_v2").paginate(
                Bucket=name, PaginationConfig={"PageSize": page_size}):
            if plain.get("Contents"):
                yield [{"Key": entry["Key"]} for entry in plain["Contents"]]


def _empty(client: S3Client, name: str) -> None:
    for uploads in client.get_paginator("list_multipart_uploads").paginate(Bucket=name):
        for upload in uploads.get("Uploads", []):
            client.abort_multipart_upload(Bucket=name, Key=upload["Key"], UploadId=upload["UploadId"])
    for page in _pages_of_versions(client, name, page_size=1000):  # as many as one call may delete
        objects: Any = page
        failed = client.delete_objects(Bucket=name, Delete={"Objects": objects, "Quiet": True}).get("Errors") or []
        if failed:
            first = failed[0]
            raise BucketError(f"bucket {name}: {len(failed)} objects cannot be deleted (for one, {first.get('Key')}: "
                              f"{first.get('Code')}); they may be held by object lock: wait until it ends")
