"""The bucket under a prefix: streams in constant memory, listing, conditional puts."""

from __future__ import annotations

import functools
import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import ClientError, HTTPClientError, IncompleteReadError
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_delay, wait_random_exponential

from backups.errors import BackupError, DamagedError, S3Error, S3UnreachableError
from backups.storage.client import S3Login, code, explain_errors

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

T = TypeVar("T")
READ_BYTES = 1 << 20
# What is read whole: the manifest of half a million chunks is smaller.
WHOLE_BYTES = 256 << 20
BROKEN_OFF = 5
# What a server says when it is overloaded or restarting: the same part is sent again.
PASSING = frozenset({"SlowDown", "ServiceUnavailable", "InternalError", "RequestTimeout", "503", "500", "502", "504",
                     "Throttling", "TooManyRequests", "429"})
FIRST_SECONDS = 10.0
# It lists a folder for some minutes after its last object has gone; where versions are kept, for ever.
LISTS_EMPTY_FOLDERS = "SeaweedFS"


@dataclass(frozen=True)
class Stored:
    """One object in the bucket; `key` is relative to the store's prefix."""

    key: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Store:
    """A prefix of a bucket; every call is retried for `patience` seconds while the server is unreachable or overloaded.

    Where the server has never answered, the endpoint is probably wrong: that is raised after FIRST_SECONDS.
    Thread-safe.
    """

    login: S3Login
    bucket: str
    prefix: str = "backups/"
    patience: float = 60.0
    # Look past everything that was deleted or written over: at the first version of each object.
    first_written: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False, compare=False)
    _answered: threading.Event = field(default_factory=threading.Event, init=False, repr=False, compare=False)
    _clients: list[S3Client] = field(default_factory=list, init=False, repr=False, compare=False)

    def __str__(self) -> str:
        """The bucket and the server, for messages."""
        return f"bucket {self.bucket} at {self.login}"

    @property
    def client(self) -> S3Client:
        """The S3 client, shared by all threads; one takes some 20 MiB."""
        with self._lock:
            if not self._clients:
                self._clients.append(self.login.client())
            return self._clients[0]

    def call(self, doing: str, run: Callable[[], T]) -> T:
        """Run one call with retries; raises S3Error with one line when patience ends. `doing` is an infinitive."""
        retrying = Retrying(stop=self._gives_up, wait=wait_random_exponential(0.2, max=10),
                            retry=retry_if_exception(_is_passing), reraise=True)

        def once() -> T:
            try:
                done = run()
                self._answered.set()
                return done
            except ClientError as error:
                self._answered.set()
                if code(error) in PASSING:
                    raise _Passing(error) from None
                raise
        with explain_errors(self.login, f"{doing} in bucket {self.bucket}"):
            try:
                return retrying(once)
            except _Passing as passing:
                raise passing.error from None

    def _gives_up(self, state: RetryCallState) -> bool:
        patience = self.patience if self._answered.is_set() else min(self.patience, FIRST_SECONDS)
        return stop_after_delay(patience)(state)

    def put(self, key: str, body: bytes, *, only_new: bool = False) -> None:
        """Put a small object in one request; with `only_new`, raises BackupError where the key exists."""
        condition: dict[str, Any] = {"IfNoneMatch": "*"} if only_new else {}

        def run() -> None:
            self.client.put_object(Bucket=self.bucket, Key=self.prefix + key, Body=body, **condition)
        try:
            self.call(f"put {key}", run)
        except S3Error as error:
            if only_new and "PreconditionFailed" in str(error):
                if self.get(key) == body:  # our own first attempt came through, only its answer was lost
                    return
                raise BackupError(f"{key} in {self}: is there already; another run wrote it") from None
            raise

    def get(self, key: str) -> bytes | None:
        """The bytes of a small object; None where it does not exist. Raises DamagedError where it is too large."""
        def run() -> bytes | None:
            try:
                answer = self.client.get_object(Bucket=self.bucket, Key=self.prefix + key, **self._version(key))
            except ClientError as error:
                if code(error) in ("NoSuchKey", "404"):
                    return None
                raise
            if answer["ContentLength"] > WHOLE_BYTES:
                answer["Body"].close()
                raise DamagedError(f"{key} in {self}: found {answer['ContentLength']} bytes, required at most "
                                   f"{WHOLE_BYTES}; somebody else wrote it: delete it, or take another backup")
            return answer["Body"].read()
        return self.call(f"read {key}", run)

    def size(self, key: str) -> int | None:
        """The size of an object in bytes; None where it does not exist."""
        def run() -> int | None:
            try:
                return self.client.head_object(Bucket=self.bucket, Key=self.prefix + key)["ContentLength"]
            except ClientError as error:
                if code(error) in ("NoSuchKey", "404"):
                    return None
                raise
        return self.call(f"look for {key}", run)

    def read(self, stored: Stored) -> Iterator[bytes]:
        """Yield the object's bytes, resuming broken connections. Raises DamagedError, at the end at the latest."""
        digest, done, etag, idle = hashlib.sha256(), 0, None, 0
        while done < stored.bytes:
            before = done
            body, etag, size = self._open(stored, done, etag)
            if size != stored.bytes:
                body.close()
                raise DamagedError(f"{stored.key} in {self}: found {size} bytes, required {stored.bytes}; "
                                   "it was cut off or overwritten")
            try:
                with closing(body):
                    for block in body.iter_chunks(READ_BYTES):
                        digest.update(block)
                        done += len(block)
                        yield block
            except (HTTPClientError, IncompleteReadError, OSError):
                # A new request finds out, with patience, whether the server is still there.
                idle = idle + 1 if done == before else 0
                if idle == BROKEN_OFF:
                    raise S3Error(f"{stored.key} in {self}: breaks off after {done} bytes, {idle} times; see the "
                                  "server's own log") from None
                time.sleep(0.5)
        if digest.hexdigest() != stored.sha256:
            raise DamagedError(f"{stored.key} in {self}: found SHA-256 {digest.hexdigest()[:16]}…, required "
                               f"{stored.sha256[:16]}…; it was changed; take another backup")

    def _open(self, stored: Stored, start: int, etag: str | None) -> tuple[Any, str, int]:
        def run() -> tuple[Any, str, int]:
            more: dict[str, Any] = {"Range": f"bytes={start}-", "IfMatch": etag} if start and etag else {}
            try:
                answer = self.client.get_object(Bucket=self.bucket, Key=self.prefix + stored.key, **more,
                                                **self._version(stored.key))
            except ClientError as error:
                if code(error) in ("NoSuchKey", "404"):
                    raise DamagedError(f"{stored.key} in {self}: is not there; it was deleted; take another backup"
                                       ) from None
                raise
            return answer["Body"], answer["ETag"], start + answer["ContentLength"]
        return self.call(f"read {stored.key}", run)

    def objects(self, under: str = "") -> Iterator[tuple[str, int]]:
        """Key and size of every object under a prefix, in order of key."""
        if self.first_written:
            yield from sorted((key, size) for key, (_, size) in self._first(under).items())
            return
        for page in self._pages(under):
            for entry in page.get("Contents", []):
                yield entry["Key"].removeprefix(self.prefix), entry["Size"]

    def list_with_times(self, under: str) -> Iterator[tuple[str, int, datetime]]:
        """Key, size and time of arrival of every object under a prefix, in order of key."""
        for page in self._pages(under):
            for entry in page.get("Contents", []):
                yield entry["Key"].removeprefix(self.prefix), entry["Size"], entry["LastModified"]

    def folders(self, under: str = "") -> list[str]:
        """The names directly under a prefix that have objects under them."""
        if self.first_written:
            return sorted({key.removeprefix(under).split("/", 1)[0] for key, _ in self.objects(under)
                           if "/" in key.removeprefix(under)})
        pages = self._pages(under, Delimiter="/")
        return [folder.rstrip("/") for page in pages for entry in page.get("CommonPrefixes", [])
                if (folder := entry["Prefix"].removeprefix(self.prefix + under))
                and (not page["ResponseMetadata"]["HTTPHeaders"].get("server", "").startswith(LISTS_EMPTY_FOLDERS)
                     or next(self.objects(under + folder), None))]

    def _version(self, key: str) -> dict[str, Any]:
        """Which version to read, where it is not the newest."""
        if not self.first_written:
            return {}
        first = self._first(key).get(key)
        return {"VersionId": first[0]} if first else {}

    def history(self, key: str) -> dict[str, datetime]:
        """When each version of an object arrived, by version id, as the server says."""
        page = self.call(f"list the versions of {key}", lambda: self.client.list_object_versions(
            Bucket=self.bucket, Prefix=self.prefix + key))
        return {version["VersionId"]: version["LastModified"] for version in page.get("Versions", [])
                if version["Key"] == self.prefix + key}

    def first_stamps(self, under: str) -> Iterator[tuple[str, datetime]]:
        """Key and time of the first version of every object under a prefix, deleted ones included, in order of key."""
        yield from sorted((key, moment) for key, (moment, _, _) in self._read_first(under).items())

    def _first(self, under: str) -> dict[str, tuple[str, int]]:
        """Version and size of the first version of every object below; delete markers hide nothing here."""
        return {key: (version, size) for key, (_, version, size) in self._read_first(under).items()}

    def _read_first(self, under: str) -> dict[str, tuple[datetime, str, int]]:
        first_versions: dict[str, tuple[datetime, str, int]] = {}
        token: dict[str, Any] = {}
        while True:
            run = functools.partial(self.client.list_object_versions, Bucket=self.bucket, Prefix=self.prefix + under,
                                    **token)
            page = self.call(f"list the versions of {under or 'backups'}", run)
            for version in page.get("Versions", []):
                key = version["Key"].removeprefix(self.prefix)
                if key not in first_versions or version["LastModified"] <= first_versions[key][0]:
                    first_versions[key] = (version["LastModified"], version["VersionId"], version["Size"])
            if not page.get("IsTruncated"):
                return first_versions
            token = {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page["NextVersionIdMarker"]}

    def _pages(self, under: str, **more: Any) -> Iterator[Any]:
        token: dict[str, Any] = {}
        while True:
            run = functools.partial(self.client.list_objects_v2, Bucket=self.bucket, Prefix=self.prefix + under,
                                    **more, **token)
            page = self.call(f"list {under or 'backups'}", run)
            yield page
            if not page.get("IsTruncated"):
                return
            token = {"ContinuationToken": page["NextContinuationToken"]}

    def delete(self, keys: list[str]) -> None:
        """Delete objects; nothing to do for those that do not exist. Raises S3Error where the login may not."""
        for first in range(0, len(keys), 1000):
            page: Any = [{"Key": self.prefix + key} for key in keys[first:first + 1000]]
            run = functools.partial(self.client.delete_objects, Bucket=self.bucket,
                                    Delete={"Objects": page, "Quiet": True})
            failed = self.call("delete objects", run).get("Errors") or []
            if failed:
                raise S3Error(f"{self}: may not delete {failed[0].get('Key')} ({failed[0].get('Code')}); "
                              "give this login the right to, or let one prune that has it")

    def list_uploads(self, under: str = "") -> list[tuple[str, str]]:
        """Key and id of every multipart upload under a prefix that was neither completed nor aborted."""
        page = self.call("list uploads", lambda: self.client.list_multipart_uploads(
            Bucket=self.bucket, Prefix=self.prefix + under))
        return [(upload["Key"].removeprefix(self.prefix), upload["UploadId"]) for upload in page.get("Uploads", [])]

    def abort(self, key: str, upload_id: str) -> None:
        """Abort one upload; nothing to do where it does not exist."""
        def run() -> None:
            try:
                self.client.abort_multipart_upload(Bucket=self.bucket, Key=self.prefix + key, UploadId=upload_id)
            except ClientError as error:
                if code(error) not in ("NoSuchUpload", "404"):
                    raise
        self.call(f"abort the upload of {key}", run)

class _Passing(Exception):
    """A refusal that another attempt may not meet."""

    def __init__(self, error: ClientError) -> None:
        super().__init__(str(error))
        self.error = error


def _is_passing(error: BaseException) -> bool:
    from botocore.exceptions import ConnectionError as S3ConnectionError
    from botocore.exceptions import SSLError

    if isinstance(error, SSLError):
        return "certificate" not in str(error).lower()
    return isinstance(error, (_Passing, S3UnreachableError, S3ConnectionError, HTTPClientError))
