"""One object written as a stream of unknown length, with constant memory."""

from __future__ import annotations

import hashlib
import queue
import threading
from typing import Any

from backups.errors import BackupError
from backups.store import Store, Stored

# 10,000 parts at most: objects of up to 156 GiB.
PART_BYTES = 16 << 20
PARTS = 10_000


class Upload:
    """One object written as a stream: at most two parts in memory, one of them on its way. Use as a context manager.

    A small object is put whole. Left by an exception, nothing of it stays.
    """

    def __init__(self, store: Store, key: str) -> None:
        self.store, self.key = store, key
        self._part = bytearray()
        self._id: str | None = None
        self._etags: list[str] = []
        self._digest, self._bytes = hashlib.sha256(), 0
        self._queue: queue.Queue[bytes | None] = queue.Queue(maxsize=1)
        self._failure: BaseException | None = None
        self._sender: threading.Thread | None = None

    def __enter__(self) -> Upload:
        return self

    def write(self, data: bytes) -> None:
        """Take bytes. Raises S3Error once a part could not be sent."""
        if self._failure:
            raise self._failure
        self._digest.update(data)
        self._bytes += len(data)
        self._part += data
        if len(self._part) >= PART_BYTES:
            self._hand_over(bytes(self._part[:PART_BYTES]))
            del self._part[:PART_BYTES]

    def finish(self) -> Stored:
        """Complete the object and say what it is."""
        stored = Stored(self.key, self._bytes, self._digest.hexdigest())
        if self._id is None:
            self.store.put(self.key, bytes(self._part))
            return stored
        if self._part:
            self._hand_over(bytes(self._part))
            self._part.clear()
        self._end_sender()
        if self._failure:
            raise self._failure
        parts: Any = [{"ETag": etag, "PartNumber": number} for number, etag in enumerate(self._etags, 1)]
        self.store.call(f"complete {self.key}", lambda: self.store.client.complete_multipart_upload(
            Bucket=self.store.bucket, Key=self.store.prefix + self.key, UploadId=str(self._id),
            MultipartUpload={"Parts": parts}))
        self._id = None
        return stored

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self._end_sender()
        if self._id is not None:
            upload, self._id = self._id, None
            try:
                self.store.abort(self.key, upload)
            except BackupError:
                if kind is None:
                    raise  # else the first error is the one to hear; the next run aborts what this one left

    def _hand_over(self, part: bytes) -> None:
        if self._id is None:
            self._id = self.store.call(f"begin {self.key}", lambda: self.store.client.create_multipart_upload(
                Bucket=self.store.bucket, Key=self.store.prefix + self.key))["UploadId"]
            self._sender = threading.Thread(target=self._send, name=f"upload {self.key}", daemon=True)
            self._sender.start()
        self._queue.put(part)

    def _send(self) -> None:
        while (part := self._queue.get()) is not None:
            if self._failure:
                continue  # the writer is told at its next write; until then its parts must not block it
            try:
                self._etags.append(self._send_one(part, len(self._etags) + 1))
            except Exception as error:  # noqa: BLE001 (handed to the writing thread)
                self._failure = error

    def _send_one(self, part: bytes, number: int) -> str:
        if number > PARTS:
            raise BackupError(f"{self.key}: more than {PARTS * PART_BYTES >> 30} GiB in one object; take physical "
                              "backups of this database, or a shorter chunk interval")
        answer = self.store.call(f"send part {number} of {self.key}", lambda: self.store.client.upload_part(
            Bucket=self.store.bucket, Key=self.store.prefix + self.key, UploadId=str(self._id), PartNumber=number,
            Body=part))
        return answer["ETag"]

    def _end_sender(self) -> None:
        if self._sender:
            self._queue.put(None)
            self._sender.join()
            self._sender = None
