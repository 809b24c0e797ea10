"""The output that the backup commands share: a progress bar, JSON or text, the table of backups."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from cli.console import stderr_console

if TYPE_CHECKING:
    from rich.table import Table

    from backups.logical.catalog import Entry, Listed
    from backups.logical.manifest import Manifest
    from backups.physical.catalog import PhysicalEntry


@contextmanager
def progress_bar(word: str) -> Iterator[Callable[[str, float], None]]:
    """Show a progress bar on a terminal, nothing elsewhere; yields a listener for (stage, part done from 0 to 1).

    The bar appears with the first call of the listener, so that the work starts before the bar's modules are imported.
    """
    with ExitStack() as stack:
        show: Callable[[str, float], None] | None = None

        def listener(stage: str, part: float) -> None:
            nonlocal show
            show = show or stack.enter_context(_bar(word))
            show(stage, part)
        yield listener


@contextmanager
def _bar(word: str) -> Iterator[Callable[[str, float], None]]:
    if not stderr_console.is_terminal:
        # rich.progress is not imported: that would take as long as backing up a small table.
        yield lambda *_: None
        return
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=stderr_console, transient=True) as bars:
        task = bars.add_task(word, total=1.0)
        yield lambda stage, part: bars.update(task, completed=part, description=stage)


def print_result(as_json: bool, facts: Any, text: Callable[[], None]) -> None:
    """Print `facts` as JSON, or call `text`, which prints the same for people."""
    if as_json:
        print(json.dumps(facts, indent=2, default=str))
    else:
        text()


def entry_facts(entry: Entry) -> dict[str, Any]:
    """A logical backup as JSON: times in ISO 8601, sizes in bytes; `problem` is None for a sound one."""
    manifest = entry.manifest
    return {"id": entry.id, "kind": entry.kind, "taken": entry.taken.isoformat(timespec="seconds"),
            "problem": entry.problem or _damage(entry),
            "verified": entry.verified.isoformat() if entry.verified else None,
            "drilled": entry.drilled.isoformat() if entry.drilled else None,
            **({"rows": manifest.rows, "bytes": manifest.stored_bytes, "server": manifest.server.describe(),
                "image": manifest.server.image, "image_digest": manifest.server.image_digest}
               if manifest else {})}


def physical_facts(entry: PhysicalEntry) -> dict[str, Any]:
    """A physical backup as JSON, with the labels of the backups that it `needs`; units as in `entry_facts`."""
    manifest = entry.manifest
    return {"id": entry.id, "kind": entry.kind, "taken": entry.taken.isoformat(timespec="seconds"),
            "problem": _damage(entry),
            "verified": entry.verified.isoformat() if entry.verified else None,
            "drilled": entry.drilled.isoformat() if entry.drilled else None, "needs": list(entry.needs),
            **({"bytes": manifest.stored_bytes, "server": manifest.server.describe(),
                "image": manifest.server.image, "image_digest": manifest.server.image_digest,
                "recoverable_from": manifest.stop.isoformat()} if manifest else {})}


def backups_table(entries: Sequence[Entry], physical: Sequence[PhysicalEntry] = ()) -> Table:
    """Build the table of logical and physical backups, the newest last; text from the bucket is escaped."""
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for heading in ("backup", "kind", "rows", "size", "server", "proof"):
        table.add_column(heading, no_wrap=heading not in ("server", "proof"))
    rows = [*((entry.taken, _row(entry)) for entry in entries),
            *((entry.taken, _physical_row(entry)) for entry in physical)]
    for _, row in sorted(rows, key=lambda row: row[0]):
        table.add_row(*map(_escape, row))
    return table


def _row(entry: Entry) -> tuple[str, ...]:
    manifest = entry.manifest
    return (entry.id, entry.kind, rows_text(manifest) if manifest else "?",
            size_text(manifest.stored_bytes) if manifest else "?", manifest.server.describe() if manifest else "",
            entry.problem or _damage(entry) or _proof(entry))


def _physical_row(entry: PhysicalEntry) -> tuple[str, ...]:
    known = entry.manifest
    return (entry.id, entry.kind, "", size_text(known.stored_bytes) if known else "?",
            known.server.describe() if known else "", _damage(entry) or _proof(entry) + (
                f"; recovers to any time from {known.stop:%Y-%m-%d %H:%M:%S} UTC on" if known else ""))


def _escape(text: str) -> str:
    """Escape text from the bucket, which anybody may have written there, so that it cannot control a terminal."""
    from rich.markup import escape

    return escape("".join(letter if letter.isprintable() else "?" for letter in text))


def _damage(entry: Entry | PhysicalEntry) -> str | None:
    damaged = entry.damaged if not entry.proven else None
    another = "another" if entry.kind == "logical" else "a full one"
    return f"found damaged {damaged:%Y-%m-%d %H:%M}: take {another}" if damaged else None


def _proof(entry: Listed) -> str:
    return f"restored {entry.drilled:%Y-%m-%d %H:%M}" if entry.drilled else \
        f"verified {entry.verified:%Y-%m-%d %H:%M}" if entry.verified else "none yet"


def rows_text(manifest: Manifest) -> str:
    """Write the number of rows, and of whether an earlier program took batches for rows: `3,000 (with batches)`."""
    return f"{manifest.rows:,}{' (with batches)' if manifest.counts_batches else ''}"


def size_text(size_bytes: float) -> str:
    """Write a size with its decimal unit: `512 B`, `3 MB`, `1.2 TB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if size_bytes < 1000:
            return f"{size_bytes:.0f} {unit}"
        size_bytes /= 1000
    return f"{size_bytes:.1f} TB"
