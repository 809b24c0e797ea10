"""From rows to the bucket: hashed, compressed, encrypted and uploaded while they are read, or collected for a pack.

Rows that an interrupted run has uploaded are not uploaded again; the manifest names its object (`resume`).
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from backups.logical.manifest import TableData
from backups.logical.packs import SMALL_BYTES, Packer, PieceId
from backups.logical.resume import Earlier, Journal, Sent
from backups.logical.source.snapshot import Source
from backups.logical.work_queue import Piece
from backups.storage.compression import make_compressor
from backups.storage.encryption import Encryptor
from backups.storage.multipart import Upload
from backups.storage.object_store import Store, Stored


@dataclass(frozen=True)
class Progress:
    """Progress of a backup in bytes and rows; `total` is an estimate from the tables' sizes, `earlier` was reused."""

    done: int
    total: int
    rows: int
    stored: int
    earlier: int


# Called with how far the backup is.
ProgressListener = Callable[[Progress], None]


@dataclass
class Run:
    """What the threads of one backup share."""

    store: Store
    folder: str
    # What an interrupted run had sent, and the data key.
    earlier: Future[Earlier]
    source: Source
    listener: ProgressListener
    # Ends objects: the last part is on its way while the next table is read. As many may be as there are workers.
    closer: ThreadPoolExecutor
    room: threading.Semaphore
    # Done when the folder may be written to; rows are read before, since the server takes longer than the bucket.
    ready: Future[None]
    tables: dict[PieceId, TableData] = field(default_factory=dict)
    closing: list[Future[None]] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    packer: Packer = field(init=False)
    journal: Journal = field(init=False)
    _sizes: dict[PieceId, int] = field(default_factory=dict)
    _total: int = field(init=False)
    _reported_at: float = 0.0
    _rows: int = 0
    _stored: int = 0
    _taken_over: int = 0
    _done: int = 0

    def __post_init__(self) -> None:
        """Make the journal and the packer, and add up the tables' sizes."""
        self.journal = Journal(self.store, self.folder)
        self.packer = Packer(lambda key, pieces: _put(self, key, pieces), self.keep)
        self._total = sum(table.bytes for table in self.source.tables)

    def sink(self, piece: Piece) -> PieceSink:
        """A sink for the rows of this piece."""
        self._sizes[piece.id] = piece.bytes
        return PieceSink(self, piece)

    @property
    def data_key(self) -> bytes:
        """The key of this backup's objects; waits until the search for an interrupted run has ended."""
        return self.earlier.result().data_key

    def keep_long(self, piece: Piece, table: TableData, *, earlier: bool = False) -> None:
        """Keep the entry of a piece with an object of its own, and note it in the journal."""
        self.keep(piece.id, table, earlier=earlier)
        self.ready.result()
        self.journal.add(self.data_key, piece, table)

    def keep(self, id_: PieceId, table: TableData, *, earlier: bool = False) -> None:
        """Keep the entry of a piece and report progress, at most twice a second."""
        with self._lock:
            self.tables[id_] = table
            self._rows += table.rows
            if earlier:
                self._taken_over += table.stored_bytes
            else:
                self._stored += table.stored_bytes
            self._done += self._sizes[id_]
            now = time.monotonic()
            if now - self._reported_at > 0.5 or self._done == self._total:
                self._reported_at = now
                self.listener(Progress(self._done, self._total, self._rows, self._stored, self._taken_over))

    def close(self, finish: Callable[[], None] | None) -> None:
        """Run `finish` in another thread once one is free; None does nothing. The first failure stops the backup."""
        if finish is None:
            return
        self.room.acquire()

        def run() -> None:
            try:
                finish()
            except BaseException:
                self.stopped.set()
                raise
            finally:
                self.room.release()
        self.closing.append(self.closer.submit(run))


class StoppedError(Exception):
    """Raised in a thread because another part of this backup failed."""


class Pipeline:
    """Takes plain bytes; compresses, encrypts and uploads them. Use as a context manager."""

    def __init__(self, run: Run, key: str) -> None:
        """`key` is the object's key relative to the backup's folder."""
        self._stopped = run.stopped
        self._compressor = make_compressor()
        self._upload = Upload(run.store, f"{run.folder}/{key}", run.ready)
        self._encryptor = Encryptor(run.data_key, self._upload.key)

    def __enter__(self) -> Pipeline:
        """Return itself."""
        return self

    def write(self, data: bytes) -> None:
        """Take plain bytes. Raises StoppedError once another part of the backup failed, S3Error."""
        if self._stopped.is_set():
            raise StoppedError
        compressed = self._compressor.compress(data)
        if compressed and (sealed := self._encryptor.feed(compressed)):
            self._upload.write(sealed)

    def finish(self) -> Stored:
        """Complete the object; returns its key, size and SHA-256."""
        self._upload.write(self._encryptor.feed(self._compressor.flush()))
        self._upload.write(self._encryptor.finish())
        return self._upload.finish()

    def __exit__(self, *error: object) -> None:
        """Abort the upload where it was not finished."""
        self._upload.__exit__(*error)


class PieceSink:
    """Takes the rows of one piece and uploads them, or collects them for a pack; without rows there is no object.

    Rows that an interrupted run has uploaded are only hashed, unless `anew` says that they differ.
    """

    def __init__(self, run: Run, piece: Piece, *, anew: bool = False) -> None:
        """`anew`: upload the rows even where an interrupted run has uploaded this piece."""
        self._run, self._piece, self._anew = run, piece, anew
        self._earlier: Sent | None = None
        self._held: list[bytes] = []
        self._pipeline: Pipeline | None = None
        self._digest, self._bytes = hashlib.sha256(), 0

    def write(self, data: bytes) -> None:
        """Take the next bytes of COPY text."""
        self._digest.update(data)
        self._bytes += len(data)
        if self._pipeline is not None:
            self._pipeline.write(data)
            return
        if self._earlier is not None:
            if self._run.stopped.is_set():
                raise StoppedError
            return
        self._held.append(data)
        if self._bytes > SMALL_BYTES:
            self._earlier = None if self._anew else self._run.earlier.result().find(self._piece)
            if self._earlier is not None:
                self._held = []
                return
            part = "" if self._piece.number is None else f"-{self._piece.number}"
            self._pipeline = Pipeline(self._run, f"data/{self._piece.table.oid}{part}.copy.zst")
            held, self._held = self._held, []
            for piece in held:
                self._pipeline.write(piece)

    def finish(self, rows: int) -> PieceSink | None:
        """Complete the piece; returns a new sink where the rows differ from those uploaded before, else None."""
        if self._earlier is not None:
            table = self._describe(rows, self._earlier.stored)
            if not self._earlier.is_of(table):
                return PieceSink(self._run, self._piece, anew=True)
            self._run.close(lambda: self._run.keep_long(self._piece, table, earlier=True))
        elif self._pipeline is not None:
            self._run.close(lambda: self._finish(rows))
        elif self._held:
            self._run.close(self._run.packer.add(self._piece.id, self._describe(rows), self._held))
        else:
            self._run.keep(self._piece.id, self._describe(rows))
        return None

    def abandon(self) -> None:
        """Abort the upload, if one was begun."""
        if self._pipeline is not None:
            self._pipeline.__exit__(StoppedError, None, None)

    def _finish(self, rows: int) -> None:
        assert self._pipeline
        with self._pipeline:
            self._run.keep_long(self._piece, self._describe(rows, self._pipeline.finish()))

    def _describe(self, rows: int, stored: Stored | None = None) -> TableData:
        table = self._piece.table
        return TableData(
            schema_=table.schema, name=table.name, full_name=table.full_name, columns=table.columns, rows=rows,
            bytes=self._bytes, sha256=self._digest.hexdigest(), extension=table.extension, stored=stored,
            part=self._piece.number)


def _put(run: Run, key: str, pieces: Sequence[bytes]) -> Stored:
    """A whole object at once."""
    with Pipeline(run, key) as pipeline:
        for piece in pieces:
            pipeline.write(piece)
        return pipeline.finish()
