"""A logical backup: one snapshot, each table a zstd stream encrypted here and sent as it comes, the manifest last."""

from __future__ import annotations

import functools
import hashlib
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from backups.catalogue import KEYS, LOGICAL, clear_unfinished
from backups.compression import ZstdCompressor
from backups.copying import copy_out, said
from backups.encryption import Encryptor, Keyring, new_data_key
from backups.errors import DumpError
from backups.manifest import NAME, Manifest, TableData
from backups.programs import Programs, find_programs
from backups.source import Source, SourceTable, snapshot_of
from backups.store import Store, Stored
from backups.upload import Upload
from schema.connection import Address

STRUCTURE = "structure.dump"
# Of rows of measurements level 1 makes less than level 3, pg_dump's own, in two thirds of its time.
LEVEL = 1
WORKERS = 2


@dataclass(frozen=True)
class Progress:
    """How far a backup or a restore is; `total` is an estimate by the tables' sizes."""

    done: int
    total: int
    rows: int
    stored: int


Listener = Callable[[Progress], None]


@dataclass
class _Run:
    """What the threads of one backup share."""

    store: Store
    folder: str
    data_key: bytes = field(repr=False)
    source: Source
    listener: Listener
    tables: dict[int, TableData] = field(default_factory=dict)
    stopped: threading.Event = field(default_factory=threading.Event)
    # Done when the folder may be written to; rows are read before, since the server takes longer than the bucket.
    ready: Future[None] = field(default_factory=Future)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _told: float = 0.0
    _rows: int = 0
    _stored: int = 0
    _done: int = 0

    def keep(self, source: SourceTable, table: TableData) -> None:
        with self._lock:
            self.tables[source.oid] = table
            self._rows += table.rows
            self._stored += table.stored.bytes if table.stored else 0
            self._done += source.bytes
            now = time.monotonic()
            if now - self._told > 0.5 or len(self.tables) == len(self.source.tables):
                self._told = now
                self.listener(Progress(self._done, sum(t.bytes for t in self.source.tables), self._rows, self._stored))


def run_logical(store: Store, ring: Keyring, address: Address, *, image: str | None = None, workers: int = WORKERS,
                level: int = LEVEL, listener: Listener = lambda _: None) -> Manifest:
    """Take a backup of the database and list it; leaves nothing listed where it fails.

    Rows and files never touch this machine's disk. Raises BusyError, DumpError, S3Error.
    """
    started = datetime.now(UTC)
    with snapshot_of(address, image) as source:
        programs = find_programs(source.server.server_version, image)
        database = source.server.database
        id_ = f"{started:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
        run = _Run(store, f"{database}/{LOGICAL}/{id_}", new_data_key(), source, listener)
        wrapped = ring.wrap(run.data_key, id_).encode()
        structure = _stream(run, programs, address, workers, level, lambda: _make_ready(run, ring.current, wrapped))
    manifest = Manifest(
        id=id_, database=database, started=started, finished=datetime.now(UTC), server=source.server,
        program={"lifecompanion-database": _own_version(), "pg_dump": programs.version},
        structure=structure, tables=[run.tables[table.oid] for table in source.tables],
        sequences=list(source.sequences), roles=list(source.roles), jobs=list(source.jobs),
        fingerprint=source.fingerprint).sealed(run.data_key)
    store.put(f"{run.folder}/{NAME}", manifest.to_json(), only_new=True)
    return manifest


def _make_ready(run: _Run, key_id: str, wrapped: bytes) -> None:
    """Abort what killed runs left, and put the data key, before anything else is sent."""
    clear_unfinished(run.store, f"{run.source.server.database}/{LOGICAL}/")
    run.store.put(f"{run.folder}/{KEYS}{key_id}", wrapped)


def _own_version() -> str:
    """This program's version; in an image of its own it is not installed as a package."""
    try:
        return version("lifecompanion-database")
    except PackageNotFoundError:
        return "of the image"


def _stream(run: _Run, programs: Programs, address: Address, workers: int, level: int,
            make_ready: Callable[[], None]) -> Stored:
    """Structure and tables side by side; the first failure stops the rest."""
    shares = share_out(run.source.tables, workers)
    with ThreadPoolExecutor(max_workers=workers + 2, thread_name_prefix="backup") as pool:
        run.ready = pool.submit(make_ready)
        structure: Future[Stored] = pool.submit(_structure, run, programs, address, level)
        copies = [pool.submit(copy_out, programs, address, run.source, share, functools.partial(_TableSink, run, level))
                  for share in shares]
        futures: list[Future[Any]] = [run.ready, structure, *copies]
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
        finally:
            if any(future.done() and future.exception() for future in futures) or not all(f.done() for f in futures):
                run.stopped.set()
        for future in futures:
            error = future.exception()
            if error is not None and not isinstance(error, _StoppedError):
                raise error
        return structure.result()


def share_out(tables: Sequence[SourceTable], workers: int) -> list[list[SourceTable]]:
    """Tables to workers, the largest first to whoever has least; none is left without a worker."""
    shares: list[list[SourceTable]] = [[] for _ in range(max(1, workers))]
    loads = [0] * len(shares)
    for table in sorted(tables, key=lambda table: -table.bytes):
        least = loads.index(min(loads))
        shares[least].append(table)
        loads[least] += table.bytes + 8192
    return [share for share in shares if share]


class _StoppedError(Exception):
    """Another part of this backup failed."""


class _Pipeline:
    """Plain bytes in; compressed, encrypted and sent out."""

    def __init__(self, run: _Run, key: str, level: int) -> None:
        self._stopped = run.stopped
        self._compressor = ZstdCompressor(level)
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


class _TableSink:
    """The rows of one table: counted, hashed and piped on; a table without rows makes no object."""

    def __init__(self, run: _Run, level: int, table: SourceTable) -> None:
        self._run, self._table, self._level = run, table, level
        self._pipeline: _Pipeline | None = None
        self._digest, self._bytes, self._rows = hashlib.sha256(), 0, 0

    def write(self, data: bytes) -> None:
        try:
            if self._pipeline is None:
                self._pipeline = _Pipeline(self._run, f"data/{self._table.oid}.copy.zst", self._level)
            self._digest.update(data)
            self._bytes += len(data)
            self._rows += data.count(b"\n")
            self._pipeline.write(data)
        except BaseException as error:
            if self._pipeline:
                self._pipeline.__exit__(type(error), error, None)
            raise

    def finish(self) -> None:
        stored = None
        if self._pipeline is not None:
            with self._pipeline:
                stored = self._pipeline.finish()
        hypertable, compressed = self._run.source.chunks.get(self._table.full_name, (None, False))
        self._run.keep(self._table, TableData(
            schema_=self._table.schema, name=self._table.name, full_name=self._table.full_name,
            columns=self._table.columns, rows=self._rows, bytes=self._bytes, sha256=self._digest.hexdigest(),
            extension=self._table.extension, hypertable=hypertable, compressed=compressed, stored=stored))


def _structure(run: _Run, programs: Programs, address: Address, level: int) -> Stored:
    """Everything but rows, as pg_dump's custom format: the archive's table of contents orders a restore."""
    arguments = ["-Fc", "-Z0", f"--snapshot={run.source.snapshot}", "--exclude-table-data=*.*",
                 "--lock-wait-timeout=120000", "--quote-all-identifiers", "--no-sync"]
    with _Pipeline(run, STRUCTURE, level) as pipeline, programs.run("pg_dump", arguments, address) as dump:
        assert dump.stdout
        while data := dump.stdout.read(1 << 20):
            pipeline.write(data)
        if dump.wait() != 0:
            raise DumpError(f"database {address.database}: pg_dump: {said(dump)}; run the backup again")
        return pipeline.finish()


