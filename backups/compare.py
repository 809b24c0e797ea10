"""Whether a restored database holds what the manifest says: every table and chunk read again and hashed."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from backups.copying import Reading, TableQueue, copy_out
from backups.manifest import Manifest, TableData, by_name
from backups.reading import Opened
from backups.row_sets import holds_rows
from backups.source import SourceTable, snapshot_of
from schema.connection import Address


@dataclass
class Comparison:
    """What differs, one line each; how much was compared."""

    tables: int = 0
    rows: int = 0
    differences: list[str] = field(default_factory=list)


class _Digest:
    def __init__(self, table: SourceTable, keep: Callable[[SourceTable, int, str], None]) -> None:
        self._table, self._keep = table, keep
        self._digest = hashlib.sha256()

    def write(self, data: bytes) -> None:
        self._digest.update(data)

    def finish(self, rows: int) -> None:
        self._keep(self._table, rows, self._digest.hexdigest())

    def abandon(self) -> None:
        """Nothing to give back."""


def compare(manifest: Manifest, address: Address, *, image: str | None = None, workers: int = 2,
            opened: Opened | None = None) -> Comparison:
    """Read every table and chunk of a freshly restored database: the same rows, to the byte.

    The server may put a short row into the gap of an earlier page: with `opened`, a table whose rows come in another
    order is compared again, row by row, with what lies in the bucket. Configuration of extensions is compared by what
    it means (jobs, hypertables: the fingerprint), not by its rows.
    """
    found, lock, doubtful = Comparison(), threading.Lock(), list[tuple[SourceTable, TableData]]()
    wanted = by_name([table for table in manifest.tables if table.extension is None])

    def keep(source: SourceTable, rows: int, digest: str) -> None:
        with lock:
            found.tables += 1
            found.rows += rows
            table = wanted.get(source.full_name)
            if table and table.rows == rows and table.sha256 != digest and opened:
                doubtful.append((source, table))
            elif table and (table.rows, table.sha256) != (rows, digest):
                found.differences.append(_difference(table, rows))

    with snapshot_of(address, image) as source:
        tables = [table for table in source.tables if table.extension is None]
        names = {table.full_name for table in tables}
        found.differences += [f"{name}: not there, required {table.rows} rows"
                              for name, table in wanted.items() if name not in names]
        found.differences += [f"{name}: there, but not in the backup" for name in sorted(names - wanted.keys())]
        sequences = {each.full_name: each for each in source.surroundings.sequences}
        found.differences += [f"{each.full_name}: stands at another value than {each.last_value}"
                              for each in manifest.sequences if sequences.get(each.full_name) != each]
        if source.server.server_version // 10000 == manifest.server.server_version // 10000 \
                and source.surroundings.fingerprint != manifest.fingerprint:
            found.differences.append("structure: not the one that was backed up")
        reading: Future[Reading] = Future()
        reading.set_result(Reading(source, TableQueue(tables), lambda table: _Digest(table, keep)))
        with ThreadPoolExecutor(max_workers=workers) as pool:
            for future in [pool.submit(copy_out, address, reading) for _ in range(workers)]:
                future.result()
    found.differences += [_difference(table, table.rows) for source_table, table in doubtful
                          if opened and not holds_rows(address, source_table, opened.rows(table))]
    return found


def _difference(table: TableData, rows: int) -> str:
    if rows != table.rows:
        return f"{table.full_name}: found {rows} rows, required {table.rows}"
    return f"{table.full_name}: {rows} rows as required, but their content differs"
