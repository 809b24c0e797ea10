"""Taking a logical backup: one snapshot; each table a zstd stream, encrypted here and uploaded while it is read.

The manifest is uploaded last. Small tables share one stream (`packs`).
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from backups.errors import DumpError
from backups.logical.catalog import KEYS, LOGICAL, clear_unfinished
from backups.logical.copy_out import Reading, begin_reading
from backups.logical.manifest import NAME, Manifest, TableData
from backups.logical.pipeline import Pipeline, ProgressListener, Run, StoppedError
from backups.logical.resume import Earlier, find_earlier, require_earlier_objects
from backups.logical.source.chunk_rows import SECONDS, ChunkQueue
from backups.logical.source.single_connection import dump_and_hold
from backups.logical.source.snapshot import Source, Surroundings
from backups.logical.source.snapshot_start import PendingSnapshot, begin_snapshot
from backups.logical.work_queue import PieceQueue
from backups.postgresql.client_programs import Programs, complaint, find_programs
from backups.progress import ignore
from backups.storage.encryption import Keyring
from backups.storage.object_store import Store, Stored
from schema.connection import Address

STRUCTURE = "structure.dump"
WORKERS = 2
# What pg_dump gave of the structure, and whose pg_dump it was.
Dumped = tuple[bytes, Programs]


def run_logical(store: Store, ring: Keyring, address: Address, *, image: str | None = None,
                image_digest: str | None = None, workers: int = WORKERS, pending: PendingSnapshot | None = None,
                seconds: float = SECONDS, listener: ProgressListener = ignore) -> Manifest:
    """Take a backup of the database and add it to the catalogue; a failed one is not listed.

    `pending` is a snapshot that is being taken already; `seconds` is how long compressed rows may be read as queries
    give them. Rows and files are never written to this machine's disk.
    Objects that an interrupted run uploaded are reused (`resume`). Raises BusyError, DumpError, S3Error.
    """
    started = datetime.now(UTC)
    reading: Future[Reading] = Future()
    with ExitStack() as held:
        pending = pending or held.enter_context(begin_snapshot(address, image, image_digest))
        closer = held.enter_context(ThreadPoolExecutor(max_workers=workers, thread_name_prefix="close"))
        pool = held.enter_context(ThreadPoolExecutor(max_workers=workers + 3, thread_name_prefix="backup"))
        # Nothing is encrypted before: it may bring the data key.
        earlier_upload = pool.submit(find_earlier, store, ring, f"{address.database}/{LOGICAL}/")
        readers = begin_reading(pool, address, reading, workers=workers, alone=pending.alone.result())
        # Where there comes nothing to read, they are not to wait for it.
        held.callback(reading.cancel)
        dumped, source = _hold(held, pending, address, image, image_digest)
        id_ = f"{started:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
        under, earlier = f"{source.server.database}/{LOGICAL}/", earlier_upload
        if source.server.database != address.database:  # as a pooler's name for it may be: there lies somebody else's
            earlier = Future()
            earlier.set_result(Earlier())
        ready = pool.submit(_make_ready, store, ring, under, id_, earlier)
        run = Run(store, f"{under}{id_}", earlier, source, listener, closer, threading.Semaphore(workers), ready)
        # Where this is interrupted, nothing is to go on.
        held.callback(run.stopped.set)
        queue = PieceQueue.of(source, len(readers), lambda *place: earlier.result().find_from(*place))
        chunks = ChunkQueue(source.compressed, seconds=seconds, stopped=run.stopped.is_set)
        reading.set_result(Reading(source, queue, run.sink, chunks))
        (structure, programs), around = _stream(run, readers, pool.submit(
            _structure, run, image, address, dumped))
        # No other backup of this database begins before this one is listed.
        manifest = Manifest(
            id=id_, database=source.server.database, started=started, finished=datetime.now(UTC), server=source.server,
            program={"lifecompanion-database": _own_version(), "pg_dump": programs.version},
            structure=structure, tables=_list_tables(run, queue, around),
            sequences=list(around.sequences), roles=list(around.roles), jobs=list(around.jobs), chunks=chunks.rows,
            fingerprint=around.fingerprint, unpopulated=list(around.unpopulated)).with_seal(run.data_key)
        require_earlier_objects(store, manifest, under)
        store.put(f"{run.folder}/{NAME}", manifest.to_json(), only_new=True)
    return manifest


def _list_tables(run: Run, queue: PieceQueue, around: Surroundings) -> list[TableData]:
    """What was kept of each piece, in the order of the source's tables, and the hypertable that it belongs to."""
    place = {table.oid: number for number, table in enumerate(run.source.tables)}
    tables = []
    for piece in sorted(queue.taken, key=lambda piece: (place[piece.table.oid], piece.id)):
        hypertable, compressed = around.chunks.get(piece.table.full_name, (None, False))
        tables.append(run.tables[piece.id].model_copy(update={"hypertable": hypertable, "compressed": compressed}))
    return tables


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


def _stream(run: Run, readers: Sequence[Future[None]], structure: Future[tuple[Stored, Programs]]
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
        run.source.release()
    run.close(run.packer.rest() if not run.stopped.is_set() else None)
    # Those that only stopped because another failed do not say why.
    errors = [error for future in [*futures, *run.closing] if (error := future.exception())]
    for error in errors:
        if not isinstance(error, StoppedError):
            raise error
    return structure.result(), around


def _hold(held: ExitStack, pending: PendingSnapshot, address: Address, image: str | None, digest: str | None
          ) -> tuple[Dumped | None, Source]:
    """The snapshot; where the server answers one connection alone, with the structure, which was read before."""
    if source := pending.source.result():
        return None, source
    return held.enter_context(dump_and_hold(address, image, digest, lambda server_version: _dump_structure(
        server_version, image, address)))


def _dump_structure(server_version: int, image: str | None, address: Address) -> Dumped:
    """The archive in memory, from a session that has ended: a hundred kilobytes, and the large objects if any."""
    programs, archive = find_programs(server_version, image), bytearray()
    _dump(programs, address, archive.extend)
    return bytes(archive), programs


def _structure(run: Run, image: str | None, address: Address, dumped: Dumped | None) -> tuple[Stored, Programs]:
    """Everything but rows, as pg_dump's custom format: the archive's table of contents orders a restore."""
    programs = dumped[1] if dumped else find_programs(run.source.server.server_version, image)
    with Pipeline(run, STRUCTURE) as pipeline:
        if dumped:
            pipeline.write(dumped[0])
        else:
            _dump(programs, address, pipeline.write, f"--snapshot={run.source.snapshot}")
        return pipeline.finish(), programs


def _dump(programs: Programs, address: Address, write: Callable[[bytes], None], *more: str) -> None:
    """Hand over the archive as it comes. Raises DumpError unless pg_dump ends well."""
    arguments = ["-Fc", "-Z0", *more, "--exclude-table-data=*.*", "--lock-wait-timeout=120000",
                 "--quote-all-identifiers", "--no-sync"]
    with programs.run("pg_dump", arguments, address) as dump:
        assert dump.stdout
        while data := dump.stdout.read(1 << 20):
            write(data)
        if dump.wait() != 0:
            raise DumpError(f"database {address.database}: pg_dump: {complaint(dump)}; run the backup again")
