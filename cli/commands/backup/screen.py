"""What backup commands have in common on the screen: options, a bar, JSON or text, the table of backups."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

if TYPE_CHECKING:
    from rich.table import Table

    from backups.logical.catalog import Entry, Listed
    from backups.physical.catalog import PhysicalEntry

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
IdArgument = Annotated[str | None, typer.Argument(metavar="ID", help=(
    "The backup, or the beginning of its id; the newest without."))]
DsnOption = Annotated[str | None, typer.Option("--dsn", envvar="LCDB_DSN", metavar="DSN", help=(
    "A superuser's login to the server to use, in place of the stack's."))]
FirstOption = Annotated[bool, typer.Option("--as-first-written", help=(
    "Look past everything that was deleted or written over since, as after an attack."))]
ImageOption = Annotated[str | None, typer.Option("--image", help="Image with the server and PostgreSQL's programs.")]
WorkersOption = Annotated[int, typer.Option(min=1, max=64, metavar="NUMBER", help=(
    "Connections of a logical backup or restore that work side by side."))]
quiet = Console(stderr=True, highlight=False)


@contextmanager
def progress_bar(word: str) -> Iterator[Callable[[str, float], None]]:
    """A bar with rate and time left, on a terminal; a listener that takes what is done and how much of it.

    The bar is made when something is to be told, for the work itself to begin before.
    """
    with ExitStack() as stack:
        show: Callable[[str, float], None] | None = None

        def tell(doing: str, part: float) -> None:
            nonlocal show
            show = show or stack.enter_context(_bar(word))
            show(doing, part)
        yield tell


@contextmanager
def _bar(word: str) -> Iterator[Callable[[str, float], None]]:
    if not quiet.is_terminal:
        # Not even read: it takes as long as a small table's rows.
        yield lambda *_: None
        return
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=quiet, transient=True) as bars:
        task = bars.add_task(word, total=1.0)
        yield lambda doing, part: bars.update(task, completed=part, description=doing)


def print_result(as_json: bool, facts: Any, text: Callable[[], None]) -> None:
    if as_json:
        print(json.dumps(facts, indent=2, default=str))
    else:
        text()


def entry_facts(entry: Entry) -> dict[str, Any]:
    manifest = entry.manifest
    return {"id": entry.id, "kind": entry.kind, "taken": entry.taken.isoformat(timespec="seconds"),
            "problem": entry.problem or _damage(entry),
            "verified": entry.verified.isoformat() if entry.verified else None,
            "drilled": entry.drilled.isoformat() if entry.drilled else None,
            **({"rows": manifest.rows, "bytes": manifest.stored_bytes, "server": manifest.server.describe(),
                "image": manifest.server.image, "image_digest": manifest.server.image_digest}
               if manifest else {})}


def physical_facts(entry: PhysicalEntry) -> dict[str, Any]:
    manifest = entry.manifest
    return {"id": entry.id, "kind": entry.kind, "taken": entry.taken.isoformat(timespec="seconds"),
            "problem": _damage(entry),
            "verified": entry.verified.isoformat() if entry.verified else None,
            "drilled": entry.drilled.isoformat() if entry.drilled else None, "needs": list(entry.needs),
            **({"bytes": manifest.stored_bytes, "server": manifest.server.describe(),
                "image": manifest.server.image, "image_digest": manifest.server.image_digest,
                "recoverable_from": manifest.stop.isoformat()} if manifest else {})}


def backups_table(entries: Sequence[Entry], physical: Sequence[PhysicalEntry] = ()) -> Table:
    """Both kinds in one table, the newest last."""
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for heading in ("backup", "kind", "rows", "size", "server", "proof"):
        table.add_column(heading, no_wrap=heading not in ("server", "proof"))
    rows = [(entry.taken, _row(entry)) for entry in entries] + [(each.taken, _physical_row(each)) for each in physical]
    for _, row in sorted(rows, key=lambda each: each[0]):
        table.add_row(*map(_plain, row))
    return table


def _row(entry: Entry) -> tuple[str, ...]:
    manifest = entry.manifest
    return (entry.id, entry.kind, f"{manifest.rows:,}" if manifest else "?",
            size_text(manifest.stored_bytes) if manifest else "?", manifest.server.describe() if manifest else "",
            entry.problem or _damage(entry) or _proof(entry))


def _physical_row(entry: PhysicalEntry) -> tuple[str, ...]:
    known = entry.manifest
    return (entry.id, entry.kind, "", size_text(known.stored_bytes) if known else "?",
            known.server.describe() if known else "", _damage(entry) or _proof(entry) + (
                f"; recovers to any time from {known.stop:%Y-%m-%d %H:%M:%S} UTC on" if known else ""))


def _plain(text: str) -> str:
    """What somebody else may have put into the bucket, as text that neither colours nor commands a terminal."""
    from rich.markup import escape

    return escape("".join(each if each.isprintable() else "?" for each in text))


def _damage(entry: Entry | PhysicalEntry) -> str | None:
    found = entry.damaged if not entry.proven else None
    another = "another" if entry.kind == "logical" else "a full one"
    return f"found damaged {found:%Y-%m-%d %H:%M}: take {another}" if found else None


def _proof(entry: Listed) -> str:
    return f"restored {entry.drilled:%Y-%m-%d %H:%M}" if entry.drilled else \
        f"verified {entry.verified:%Y-%m-%d %H:%M}" if entry.verified else "none yet"


def size_text(size_bytes: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if size_bytes < 1000:
            return f"{size_bytes:.0f} {unit}"
        size_bytes /= 1000
    return f"{size_bytes:.1f} TB"
