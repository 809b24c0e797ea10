"""A logical backup: one snapshot, each table a zstd stream encrypted here and sent as it comes, the manifest last.

Small tables share such a stream (`packing`).
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from backups.catalogue import KEYS, LOGICAL, clear_unfinished
from backups.compression import make_compressor
from backups.copying import Reading, copy_out
from backups.encryption import Encryptor, Keyring
from backups.errors import DumpError
from backups.manifest import NAME, Manifest, TableData
from backups.packing import SMALL_BYTES, Packer, PieceId
from backups.pieces import Piece, PieceQueue
from backups.programs import Programs, complaint, find_programs
from backups.resume import Earlier, Journal, Sent, find_earlier, require_there
from backups.source import Source, Surroundings, begin_snapshot
from backups.store import Store, Stored
from backups.upload import Upload
from schema.connection import Address

STRUCTURE = "structure.dump"
WORKERS = 2


@dataclass(frozen=True)
class Progress:
    """How far a backup is, in bytes; `total` is an estimate by the tables' sizes, `earlier` of an interrupted run."""

    done: int
    total: int
    rows: int
    stored: int
    earlier: int


Listener = Callable[[Progress], None]


@dataclass
class _Run:
    """What the threads of one backup share."""

    store: Store
    folder: str
    # What an interrupted run had sent, and the data key.
    earlier: Future[Earlier]
    source: Source
    listener: Listener
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
    _told: float = 0.0
    _rows: int = 0
    _stored: int = 0
    _taken_over: int = 0
    _done: int = 0

    def __post_init__(self) -> None:
        self.journal = Journal(self.store, self.folder)
        self.packer = Packer(lambda key, pieces: _put(self, key, pieces), self.keep)
        self._total = sum(table.bytes for table in self.source.tables)

    def sink(self, piece: Piece) -> _PieceSink:
        self._sizes[piece.id] = piece.bytes
        return _PieceSink(self, piece)

    @property
    def data_key(self) -> bytes:
        return self.earlier.result().data_key

    def keep_long(self, piece: Piece, table: TableData, *, earlier: bool = False) -> None:
        """Keep what has an object of its own, and note it for the next run, should this one be interrupted."""
        self.keep(piece.id, table, earlier=earlier)
        self.ready.result()
        self.journal.add(self.data_key, piece, table)

    def keep(self, id_: PieceId, table: TableData, *, earlier: bool = False) -> None:
        with self._lock:
            self.tables[id_] = table
            self._rows += table.rows
            if earlier:
                self._taken_over += table.stored_bytes
            else:
                self._stored += table.stored_bytes
            self._done += self._sizes[id_]
            now = time.monotonic()
            if now - self._told > 0.5 or self._done == self._total:
                self._told = now
                self.listener(Progress(self._done, self._total, self._rows, self._stored, self._taken_over))

    def close(self, finish: Callable[[], None] | None) -> None:
        """Have an object, if any, finished by another thread, once there is room; the first failure stops all."""
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


def run_logical(store: Store, ring: Keyring, address: Address, *, image: str | None = None,
                image_digest: str | None = None, workers: int = WORKERS, begun: Future[Source] | None = None,
                listener: Listener = lambda _: None) -> Manifest:
    """Take a backup of the database and list it; leaves nothing listed where it fails.

    `begun` is a snapshot that is being taken already. Rows and files never touch this machine's disk. What an
    interrupted run had sent is not sent again (`resume`). Raises BusyError, DumpError, S3Error.
    """
    started = datetime.now(UTC)
    reading: Future[Reading] = Future()
    with ExitStack() as held:
        begun = begun or held.enter_context(begin_snapshot(address, image, image_digest))
        closer = held.enter_context(ThreadPoolExecutor(max_workers=workers, thread_name_prefix="close"))
        pool = held.enter_context(ThreadPoolExecutor(max_workers=workers + 3, thread_name_prefix="backup"))
        # Nothing is encrypted before: it may bring the data key.
        looked = pool.submit(find_earlier, store, ring, f"{address.database}/{LOGICAL}/")
        readers = [pool.submit(copy_out, address, reading) for _ in range(workers)]
        # Where there comes nothing to read, they are not to wait for it.
        held.callback(reading.cancel)
        source = begun.result()
        id_ = f"{started:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
        under, earlier = f"{source.server.database}/{LOGICAL}/", looked
        if source.server.database != address.database:  # as a pooler's name for it may be: there lies somebody else's
            earlier = Future()
            earlier.set_result(Earlier())
        ready = pool.submit(_make_ready, store, ring, under, id_, earlier)
        run = _Run(store, f"{under}{id_}", earlier, source, listener, closer, threading.Semaphore(workers), ready)
        # Where this is interrupted, nothing is to go on.
        held.callback(run.stopped.set)
        queue = PieceQueue.of(source, workers, lambda *place: earlier.result().sent_from(*place))
        reading.set_result(Reading(source, queue, run.sink))
        (structure, programs), around = _stream(run, readers, pool.submit(_structure, run, image, address))
        # No other backup of this database begins before this one is listed.
        manifest = Manifest(
            id=id_, database=source.server.database, started=started, finished=datetime.now(UTC), server=source.server,
            program={"lifecompanion-database": _own_version(), "pg_dump": programs.version},
            structure=structure, tables=_placed(run, queue, around),
            sequences=list(around.sequences), roles=list(around.roles), jobs=list(around.jobs),
            fingerprint=around.fingerprint).sealed(run.data_key)
        require_there(store, manifest, under)
        store.put(f"{run.folder}/{NAME}", manifest.to_json(), only_new=True)
    return manifest


def _placed(run: _Run, queue: PieceQueue, around: Surroundings) -> list[TableData]:
    """What was kept of each piece, in the order of the source's tables, and the hypertable that it belongs to."""
    place = {table.oid: number for number, table in enumerate(run.source.tables)}
    found = []
    for piece in sorted(queue.taken, key=lambda piece: (place[piece.table.oid], piece.id)):
        hypertable, compressed = around.chunks.get(piece.table.full_name, (None, False))
        found.append(run.tables[piece.id].model_copy(update={"hypertable": hypertable, "compressed": compressed}))
    return found


def _make_ready(store: Store, ring: Keyring, under: str, id_: str, earlier: Future[Earlier]) -> None:
    """Abort what killed runs left, and put the data key, before anything else is sent."""
    clear_unfinished(store, under)
    store.put(f"{under}{id_}/{KEYS}{ring.current}", ring.wrap(earlier.result().data_key, id_).encode())


def _own_version() -> str:
    """This program's version; in an image of its own it is not installed as a package."""
    try:
        return version("lifecompanion-database")
    except PackageNotFoundError:
        return "of the image"


def _stream(run: _Run, readers: Sequence[Future[None]], structure: Future[tuple[Stored, Programs]]
            ) -> tuple[tuple[Stored, Programs], Surroundings]:
    """Structure, tables and what surrounds them side by side; the first failure stops the rest."""
    futures: list[Future[Any]] = [run.ready, structure, *readers]
    try:
        around = run.source.surroundings
        wait(futures, return_when=FIRST_EXCEPTION)
    finally:
        if not all(future.done() and not future.exception() for future in futures):
            run.stopped.set()
        wait(futures)
    if not run.stopped.is_set():
        # All is read: whoever waits to alter a table need not wait for the bucket as well.
        run.source.let_go()
    run.close(run.packer.rest() if not run.stopped.is_set() else None)
    # Those that only stopped because another failed do not say why.
    errors = [error for future in [*futures, *run.closing] if (error := future.exception())]
    for error in errors:
        if not isinstance(error, _StoppedError):
            raise error
    return structure.result(), around


class _StoppedError(Exception):
    """Another part of this backup failed."""


class _Pipeline:
    """Plain bytes in; compressed, encrypted and sent out."""

    def __init__(self, run: _Run, key: str) -> None:
        self._stopped = run.stopped
        self._compressor = make_compressor()
        self._upload = Upload(run.store, f"{run.folder}/{key}", run.ready)
        self._encryptor = Encryptor(run.data_key, self._upload.key)

    def __enter__(self) -> _Pipeline:
        return self

    def write(self, data: bytes) -> None:
        if self._stopped.is_set():
            raise _StoppedError
        compressed = self._compressor.compress(data)
        if compressed and (sealed := self._encryptor.feed(compressed)):
            self._upload.write(sealed)

    def finish(self) -> Stored:
        self._upload.write(self._encryptor.feed(self._compressor.flush()))
        self._upload.write(self._encryptor.finish())
        return self._upload.finish()

    def __exit__(self, *error: object) -> None:
        self._upload.__exit__(*error)


class _PieceSink:
    """The rows of one piece: hashed and piped on, or kept for a pack; one without rows makes no object.

    Where an interrupted run had sent the piece they are only hashed, unless it is to be sent `anew`.
    """

    def __init__(self, run: _Run, piece: Piece, *, anew: bool = False) -> None:
        self._run, self._piece, self._anew = run, piece, anew
        self._earlier: Sent | None = None
        self._held: list[bytes] = []
        self._pipeline: _Pipeline | None = None
        self._digest, self._bytes = hashlib.sha256(), 0

    def write(self, data: bytes) -> None:
        self._digest.update(data)
        self._bytes += len(data)
        if self._pipeline is not None:
            self._pipeline.write(data)
            return
        if self._earlier is not None:
            if self._run.stopped.is_set():
                raise _StoppedError
            return
        self._held.append(data)
        if self._bytes > SMALL_BYTES:
            self._earlier = None if self._anew else self._run.earlier.result().find(self._piece)
            if self._earlier is not None:
                self._held = []
                return
            part = "" if self._piece.number is None else f"-{self._piece.number}"
            self._pipeline = _Pipeline(self._run, f"data/{self._piece.table.oid}{part}.copy.zst")
            held, self._held = self._held, []
            for piece in held:
                self._pipeline.write(piece)

    def finish(self, rows: int) -> _PieceSink | None:
        """Returns who is to have the rows again: they are others than those that were sent before."""
        if self._earlier is not None:
            found = self._found(rows, self._earlier.stored)
            if not self._earlier.is_of(found):
                return _PieceSink(self._run, self._piece, anew=True)
            self._run.close(lambda: self._run.keep_long(self._piece, found, earlier=True))
        elif self._pipeline is not None:
            self._run.close(lambda: self._finish(rows))
        elif self._held:
            self._run.close(self._run.packer.add(self._piece.id, self._found(rows), self._held))
        else:
            self._run.keep(self._piece.id, self._found(rows))
        return None

    def abandon(self) -> None:
        if self._pipeline is not None:
            self._pipeline.__exit__(_StoppedError, None, None)

    def _finish(self, rows: int) -> None:
        assert self._pipeline
        with self._pipeline:
            self._run.keep_long(self._piece, self._found(rows, self._pipeline.finish()))

    def _found(self, rows: int, stored: Stored | None = None) -> TableData:
        table = self._piece.table
        return TableData(
            schema_=table.schema, name=table.name, full_name=table.full_name, columns=table.columns, rows=rows,
            bytes=self._bytes, sha256=self._digest.hexdigest(), extension=table.extension, stored=stored,
            part=self._piece.number)


def _put(run: _Run, key: str, pieces: Sequence[bytes]) -> Stored:
    """A whole object at once."""
    with _Pipeline(run, key) as pipeline:
        for piece in pieces:
            pipeline.write(piece)
        return pipeline.finish()


def _structure(run: _Run, image: str | None, address: Address) -> tuple[Stored, Programs]:
    """Everything but rows, as pg_dump's custom format: the archive's table of contents orders a restore."""
    programs = find_programs(run.source.server.server_version, image)
    arguments = ["-Fc", "-Z0", f"--snapshot={run.source.snapshot}", "--exclude-table-data=*.*",
                 "--lock-wait-timeout=120000", "--quote-all-identifiers", "--no-sync"]
    with _Pipeline(run, STRUCTURE) as pipeline, programs.run("pg_dump", arguments, address) as dump:
        assert dump.stdout
        while data := dump.stdout.read(1 << 20):
            pipeline.write(data)
        if dump.wait() != 0:
            raise DumpError(f"database {address.database}: pg_dump: {complaint(dump)}; run the backup again")
        return pipeline.finish(), programs
