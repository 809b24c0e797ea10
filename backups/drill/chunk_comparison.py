"""Comparing chunks with compressed batches as queries give their rows, which their batches alone do not say."""

from __future__ import annotations

from collections.abc import Sequence

from backups.logical.manifest import ChunkRows, Manifest
from backups.logical.source.chunk_rows import ChunkQueue, CompressedChunk

NAMED = 5


def queue_chunks(manifest: Manifest, compressed: Sequence[CompressedChunk]) -> ChunkQueue:
    """The questions to a restored database: checksums where the backup has some, else the number of rows.

    There are none where the backup is of a program that did not ask.
    """
    hashed = {chunk.full_name for chunk in manifest.chunks or () if chunk.checksum is not None}
    return ChunkQueue([] if manifest.chunks is None else compressed, seconds=None,
                      hashed=lambda chunk: chunk.full_name in hashed)


def compare_chunks(wanted: Sequence[ChunkRows] | None, read: Sequence[ChunkRows]) -> list[str]:
    """A line for each chunk whose rows are others than in the backup, as a query gives them."""
    if wanted is None:
        return []
    required, rows = ({chunk.full_name: chunk for chunk in chunks} for chunks in (wanted, read))
    lines = [f"{name}: has no compressed batches, required {required[name].rows} rows with some"
             for name in required if name not in rows]
    lines += [f"{name}: has compressed batches, and none in the backup" for name in rows if name not in required]
    for name in required.keys() & rows.keys():
        lines += _differences(required[name], rows[name])
    return sorted(lines)


def _differences(wanted: ChunkRows, read: ChunkRows) -> list[str]:
    name = wanted.full_name
    lines = [f"{name}: column {column} has {read.missing.get(column, 'nothing')} in rows from before it, required "
             f"{wanted.missing.get(column, 'nothing')}"
             for column in sorted(wanted.missing.keys() | read.missing.keys())
             if wanted.missing.get(column) != read.missing.get(column)]
    if read.rows != wanted.rows:
        lines.append(f"{name}: a query gives {read.rows} rows, required {wanted.rows}")
    elif read.checksum != wanted.checksum:
        lines.append(f"{name}: a query gives {read.rows} rows as required, but their content differs")
    return lines


def describe_unread(manifest: Manifest) -> list[str]:
    """A line for the chunks whose rows the backup does not have as queries give them, and why; empty for none."""
    if manifest.counts_batches:
        return ["compressed chunks: compared as they are stored alone, not as queries give them, which an earlier "
                "program did not read; take another backup"]
    unread = [chunk for chunk in manifest.chunks or () if chunk.checksum is None]
    if not unread:
        return []
    names = ", ".join([chunk.full_name for chunk in unread[:NAMED]] + ["..."] * (len(unread) > NAMED))
    return [f"{len(unread)} of {len(manifest.chunks or ())} compressed chunks: compared as they are stored, and by "
            f"their number of rows alone, as the backup has no checksum of their rows ({unread[0].unread}): {names}"]
