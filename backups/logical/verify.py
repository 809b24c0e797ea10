"""Verifying a backup: every object is read back, decrypted and compared with the manifest, row counts included."""

from __future__ import annotations

import functools
import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from backups.errors import BackupError, DamagedError, S3Error
from backups.logical.catalog import DAMAGED, VERIFIED, Entry, mark, open_backup
from backups.logical.manifest import Manifest, sort_for_reading
from backups.logical.reader import Opened
from backups.postgresql.client_programs import Programs, find_programs
from backups.progress import ByteListener, ignore
from backups.storage.encryption import Keyring
from backups.storage.object_store import Store
from backups.temporary_folders import scratch_folder

WORKERS = 2
# As pg_restore lists them, all in one line or in several.
LARGE_OBJECTS = re.compile(r"\d+; \d+ \d+ BLOBS ")


def verify(store: Store, ring: Keyring, entry: Entry, *, workers: int = WORKERS, image: str | None = None,
           listener: ByteListener = ignore) -> Manifest:
    """Read the whole backup and record in the catalogue whether it is right; returns its manifest.

    `listener` is called with bytes read and bytes in all. Raises DamagedError that names the first wrong object.
    """
    since = time.monotonic()
    try:
        manifest, data_key = open_backup(store, ring, entry)
        opened = Opened(store, manifest, data_key)
        verify_objects(opened, workers=workers, listener=listener)
        contents = _verify_contents(opened, image)
    except DamagedError as error:
        with suppress(S3Error):  # who may only read is told all the same
            mark(store, entry, DAMAGED, {"problem": str(error)})
        raise
    mark(store, entry, VERIFIED, {"objects": sum(1 for _ in manifest.objects()), "rows": manifest.rows,
                                  "bytes": manifest.stored_bytes, "contents": contents,
                                  "seconds": round(time.monotonic() - since, 1)})
    return manifest


def verify_objects(opened: Opened, *, workers: int = WORKERS, listener: ByteListener = ignore) -> None:
    """Read, decrypt and compare every object with the manifest, in parallel. Raises DamagedError."""
    structure = opened.manifest.structure
    _read_all([_Part(functools.partial(opened.plain, structure), structure.bytes),
               *(_Part(functools.partial(opened.rows, table), table.stored_bytes)
                 for table in sort_for_reading(opened.manifest.tables) if table.stored)], workers, listener)


def require_objects(opened: Opened, *, workers: int = WORKERS, listener: ByteListener = ignore) -> None:
    """Raise DamagedError unless every object has the checksum in the sealed manifest.

    A quarter of the work of `verify_objects`, and enough before a restore: the bytes are those that were written. While
    there is room they are kept for the next read.
    """
    _read_all([_Part(functools.partial(opened.check, stored), stored.bytes)
               for stored in sorted(opened.manifest.objects(), key=lambda stored: -stored.bytes)], workers, listener)


@dataclass(frozen=True)
class _Part:
    """What is read to its end, and how many bytes of the bucket that are."""

    read: Callable[[], Iterator[bytes]]
    bytes: int


def _read_all(parts: Sequence[_Part], workers: int, listener: ByteListener) -> None:
    """Read every part, side by side; the first failure stops the rest."""
    total, lock, stop = sum(part.bytes for part in parts), threading.Lock(), threading.Event()
    done = 0

    def run(part: _Part) -> None:
        nonlocal done
        for _ in part.read():
            if stop.is_set():
                return
        with lock:
            done += part.bytes
            listener(done, total)

    with ThreadPoolExecutor(max_workers=workers, thread_name_prefix="verify") as pool:
        try:
            for future in [pool.submit(run, part) for part in parts]:
                future.result()
        except BaseException:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _verify_contents(opened: Opened, image: str | None) -> str:
    """Compare the archive's table of contents with the manifest's tables; says how, or why it could not be done."""
    try:
        programs = find_programs(opened.manifest.server.server_version, image or opened.manifest.server.image)
    except BackupError as error:
        return f"table of contents not compared: {error}"
    with scratch_folder("verify") as folder:
        archive = folder / "structure.dump"
        opened.fetch_structure(archive)
        require_contents(opened.manifest, programs, archive)
    return "table of contents compared"


def require_contents(manifest: Manifest, programs: Programs, archive: Path) -> bool:
    """Raise DamagedError unless the archive defines every table that has rows; returns whether it holds large objects.
    """
    with archive.open("rb") as file:
        done = subprocess.run(programs.command("pg_restore", ["--list"]), stdin=file, capture_output=True, check=False)
    if done.returncode != 0:
        raise DamagedError(f"{manifest.structure.key}: pg_restore cannot read it: {done.stderr.decode()[:200].strip()}")
    # "217; 1259 16390 TABLE public devices the_owner": no name is quoted, so what is looked for is the middle.
    lines = [line for line in done.stdout.decode().splitlines() if not line.startswith(";")]
    defined = {line.split(" TABLE ", 1)[1].rsplit(" ", 1)[0] for line in lines if " TABLE " in line}
    for table in manifest.tables:
        if table.extension is None and f"{table.schema_} {table.name}" not in defined:
            raise DamagedError(f"{manifest.structure.key}: does not define table {table.full_name}, of which there are "
                               "rows; take another backup")
    return any(LARGE_OBJECTS.match(line) for line in lines)
