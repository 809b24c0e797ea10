"""Uploading one object as a stream of unknown length, in constant memory."""

from __future__ import annotations

import hashlib
import threading
from concurrent.futures import Future
from typing import Any

from botocore.exceptions import ClientError

from backups.errors import BackupError, DamagedError, S3Error
from backups.storage.client import code
from backups.storage.object_store import Store, Stored

# At most 10,000 parts: the later ones are larger, so that an object may have 195 GiB.
PART_BYTES = 8 << 20
SMALL_PARTS, PARTS = 5_000, 10_000


class Upload:
    """One object uploaded as a stream: at most two parts in memory, one of them being sent. Use as a context manager.

    A small object is put in one request. Where the block raises, the upload is aborted. Nothing is sent before `after`
    is done.
    """

    def __init__(self, store: Store, key: str, after: Future[Any] | None = None) -> None:
        """`key` is relative to the store's prefix."""
        self.store, self.key, self._after = store, key, after
        self._pieces: list[bytes] = []
        self._pending = 0
        self._id: str | None = None
        self._etags: list[str] = []
        self._digest, self._bytes = hashlib.sha256(), 0
        self._failure: BaseException | None = None
        self._sender: threading.Thread | None = None

    def __enter__(self) -> Upload:
        """Return itself."""
        return self

    def write(self, data: bytes) -> None:
        """Take bytes. Raises S3Error once a part could not be sent."""
        if self._failure:
            raise self._failure
        self._digest.update(data)
        self._bytes += len(data)
        while self._pending + len(data) >= (size := self._part_bytes()):
            cut = size - self._pending
            self._pieces.append(data[:cut])
            data = data[cut:]
            self._send_pieces()
        if data:
            self._pieces.append(data)
            self._pending += len(data)

    def finish(self) -> Stored:
        """Complete the object; returns its key, size and SHA-256. Raises S3Error."""
        stored = Stored(self.key, self._bytes, self._digest.hexdigest())
        if self._id is None:
            self._await_turn()
            self.store.put(self.key, b"".join(self._pieces))
            return stored
        if self._pieces:
            self._send_pieces()
        self._await_sender()
        if not self.store.call(f"complete {self.key}", self._complete):
            self._require_complete(stored)
        self._id = None
        return stored

    def _complete(self) -> bool:
        """Whether the server knew the upload."""
        parts: Any = [{"ETag": etag, "PartNumber": number} for number, etag in enumerate(self._etags, 1)]
        try:
            self.store.client.complete_multipart_upload(
                Bucket=self.store.bucket, Key=self.store.prefix + self.key, UploadId=str(self._id),
                MultipartUpload={"Parts": parts})
        except ClientError as error:
            if code(error) != "NoSuchUpload":
                raise
            return False
        return True

    def _require_complete(self, stored: Stored) -> None:
        """Raise S3Error unless the object is there, to the byte: then only the answer to an earlier try was lost."""
        try:
            for _ in self.store.read(stored):
                pass
        except DamagedError:
            raise S3Error(f"{self.key} in {self.store}: its upload was ended before it was complete; see who aborts "
                          "uploads there, and run again") from None

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        """Abort the upload where it was not finished."""
        if self._sender:
            self._sender.join()
        if self._id is not None:
            upload, self._id = self._id, None
            try:
                self.store.abort(self.key, upload)
            except BackupError:
                if kind is None:
                    raise  # else the first error is the one to hear; the next run aborts what this one left

    def _part_bytes(self) -> int:
        return PART_BYTES if len(self._etags) < SMALL_PARTS else 4 * PART_BYTES

    def _send_pieces(self) -> None:
        """Send what is pending as one part, as soon as the part before it has arrived."""
        part = b"".join(self._pieces)
        self._pieces, self._pending = [], 0
        if self._id is None:
            self._await_turn()
            self._id = self.store.call(f"begin {self.key}", lambda: self.store.client.create_multipart_upload(
                Bucket=self.store.bucket, Key=self.store.prefix + self.key))["UploadId"]
        self._await_sender()
        self._sender = threading.Thread(target=self._send, args=(part,), name=f"upload {self.key}", daemon=True)
        self._sender.start()

    def _await_turn(self) -> None:
        if self._after:
            self._after.result()

    def _await_sender(self) -> None:
        if self._sender:
            self._sender.join()
            self._sender = None
        if self._failure:
            raise self._failure

    def _send(self, part: bytes) -> None:
        number = len(self._etags) + 1
        try:
            if number > PARTS:
                raise BackupError(f"{self.key}: more than 195 GiB in one object; take physical backups of this "
                                  "database, or a shorter chunk interval")
            answer = self.store.call(f"send part {number} of {self.key}", lambda: self.store.client.upload_part(
                Bucket=self.store.bucket, Key=self.store.prefix + self.key, UploadId=str(self._id),
                PartNumber=number, Body=part))
            self._etags.append(answer["ETag"])
        except Exception as error:  # noqa: BLE001 (handed to the writing thread)
            self._failure = error
