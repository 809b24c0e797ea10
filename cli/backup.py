"""`lcdb backup`: take, list, verify, restore and drill backups; each command with --json."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from cli.backup_config import ConfigOption, config_values, find_config
from cli.stacks import StackOption, console

if TYPE_CHECKING:
    from backups.catalogue import Entry
    from backups.config import BackupConfig
    from backups.physical import PhysicalBackup
    from schema.connection import Address

app = typer.Typer(no_args_is_help=True, help="Backups of the database: taken, verified by restoring, restored.")
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
IdArgument = Annotated[str | None, typer.Argument(help="The backup, or the beginning of its id; the newest without.")]
DsnOption = Annotated[str | None, typer.Option("--dsn", envvar="LCDB_DSN", metavar="DSN", help=(
    "A superuser's login to the server to use, in place of the stack's."))]
FirstOption = Annotated[bool, typer.Option("--as-first-written", help=(
    "Look past everything that was deleted or written over since, as after an attack."))]
ImageOption = Annotated[str | None, typer.Option("--image", help="Image with the server and PostgreSQL's programs.")]
quiet = Console(stderr=True, highlight=False)


class Kind(StrEnum):
    """What `run` takes: a portable dump, or a copy of the server's files by pgBackRest."""

    LOGICAL = "logical"
    FULL = "full"
    DIFF = "diff"
    INCR = "incr"


@app.command()
def run(stack: StackOption = None, config: ConfigOption = None, as_json: JsonOption = False,
        kind: Annotated[Kind, typer.Option(help="logical; or full, diff, incr where pgBackRest is set up.")
                        ] = Kind.LOGICAL,
        verify: Annotated[bool, typer.Option(help="Read it back at once and compare.")] = True,
        workers: Annotated[int, typer.Option(min=1, max=64)] = 2) -> None:
    """Take a backup now, and verify it. Exit status 1 where either fails."""
    from backups.physical import run_physical
    from backups.runs import take_logical

    settings = find_config(stack, config)
    if kind is not Kind.LOGICAL:
        said = run_physical(settings, kind)
        _print(as_json, {"kind": kind, "message": said}, lambda: console.print(said, soft_wrap=True))
        return
    with _bar("backing up") as tell:
        manifest = take_logical(settings, verified=verify, workers=workers, listener=tell)
    _print(as_json, _summary(manifest.model_dump(mode="json")), lambda: console.print(
        f"backup {manifest.id}: {manifest.rows:,} rows, {_size(manifest.stored_bytes)} in the bucket, "
        f"{(manifest.finished - manifest.started).total_seconds():.1f} s{', verified' if verify else ''}",
        soft_wrap=True))


@app.command("list")
def list_(stack: StackOption = None, config: ConfigOption = None, as_json: JsonOption = False,
          first: FirstOption = False) -> None:
    """List the backups in the bucket, the newest last."""
    from backups.catalogue import list_backups

    settings = find_config(stack, config)
    entries = list_backups(settings.store(first_written=first), settings.database_name())
    physical = _physical(settings)
    facts = [*(_entry(entry) for entry in entries), *(asdict(each) for each in physical)]
    _print(as_json, facts, lambda: console.print(_table(entries, physical)))


@app.command()
def show(id_: IdArgument = None, stack: StackOption = None, config: ConfigOption = None,
         as_json: JsonOption = False) -> None:
    """Show one backup: server, tables and chunks with their rows, proofs."""
    from backups.catalogue import find_backup

    settings = find_config(stack, config)
    entry = find_backup(settings.store(), settings.database_name(), id_)
    assert entry.manifest
    manifest = entry.manifest
    _print(as_json, {**manifest.model_dump(mode="json"), **_entry(entry)}, lambda: console.print(
        _table([entry]), f"server  {manifest.server.words()}, image {manifest.server.image or 'unknown'}",
        f"structure  {manifest.fingerprint[:16]}", *(f"{table.full_name}  {table.rows:,} rows"
                                                    for table in manifest.tables if table.rows and not table.extension),
        sep="\n", soft_wrap=True, markup=False))


@app.command()
def verify(id_: IdArgument = None, stack: StackOption = None, config: ConfigOption = None, as_json: JsonOption = False,
           image: ImageOption = None) -> None:
    """Read every object of a backup back and compare it with the manifest. Exit status 1 names the first wrong one."""
    from backups.catalogue import find_backup
    from backups.verify import verify as verify_backup

    settings = find_config(stack, config)
    store = settings.store()
    entry = find_backup(store, settings.database_name(), id_)
    with _bar("verifying") as tell:
        manifest = verify_backup(store, settings.keyring(), entry, image=image or settings.image,
                                 listener=lambda done, total: tell("verifying", done / max(total, 1)))
    _print(as_json, {"id": manifest.id, "verified": True, "rows": manifest.rows}, lambda: console.print(
        f"backup {manifest.id}: verified, {manifest.rows:,} rows in {_size(manifest.stored_bytes)}", soft_wrap=True))


@app.command()
def restore(id_: IdArgument = None, stack: StackOption = None, config: ConfigOption = None, dsn: DsnOption = None,
            into: Annotated[str | None, typer.Option(help="Name of the new database.")] = None,
            to: Annotated[str | None, typer.Option("--to", help=(
                "Point in time with its zone, such as '2026-11-22 09:41:00+00', for --target."))] = None,
            point: Annotated[str | None, typer.Option("--restore-point", help="A named restore point, for --target.")
                             ] = None,
            target: Annotated[str | None, typer.Option("--target", metavar="CONTAINER", help=(
                "Recover the whole server by pgBackRest into a new container of this name."))] = None,
            swap: Annotated[bool, typer.Option("--replace", help=(
                "Take a fresh backup, restore, then give the restored database the live one's name; the live one "
                "stays, under a name of its own."))] = False,
            image: ImageOption = None, as_json: JsonOption = False, first: FirstOption = False,
            workers: Annotated[int, typer.Option(min=1, max=64)] = 2) -> None:
    """Restore into a new database, or, with --target, a whole server into a new container.

    Jobs do not run there until `lcdb backup release`.
    """
    from backups.catalogue import find_backup
    from backups.restore import restore_logical
    from backups.runs import replace_live

    settings = find_config(stack, config)
    if target or to or point:
        _recover(settings, target, to, point, image, as_json)
        return
    admin = _admin(settings, dsn)
    store = settings.store(first_written=first)
    entry = find_backup(store, settings.database_name(), id_)
    name = into or f"{settings.database_name()}_{entry.id.replace('-', '_').lower()}"
    with _bar("restoring") as tell:
        if swap:
            done, aside = replace_live(settings, admin, entry, name, image=image, workers=workers, listener=tell)
        else:
            done, aside = restore_logical(store, settings.keyring(), entry, admin, name,
                                          image=image or settings.image, workers=workers, listener=tell), None
    _print(as_json, {**asdict(done), "aside": aside}, lambda: _say_restored(asdict(done), aside))


@app.command()
def release(database: Annotated[str, typer.Argument(help="The restored database.")], stack: StackOption = None,
            config: ConfigOption = None, dsn: DsnOption = None, as_json: JsonOption = False,
            container: Annotated[bool, typer.Option("--container", help="The name is a recovered container's.")] = False
            ) -> None:
    """Let the jobs of a restored database, or of a recovered container, run: retention and compression begin to act."""
    from backups.jobs import release_jobs
    from backups.recovery import release_container

    if container:
        release_container(database)
        _print(as_json, {"container": database}, lambda: console.print(f"container {database}: its jobs run again"))
        return
    jobs = release_jobs(replace(_admin(None if dsn else find_config(stack, config), dsn), database=database))
    _print(as_json, {"database": database, "released": jobs},
           lambda: console.print(f"database {database}: {len(jobs)} jobs run again"))


@app.command()
def drill(id_: IdArgument = None, stack: StackOption = None, config: ConfigOption = None, dsn: DsnOption = None,
          image: ImageOption = None, as_json: JsonOption = False,
          page: Annotated[Path | None, typer.Option(help="Write the page with the trend here too.")] = None) -> None:
    """Restore a backup into a throw-away server, compare to the byte, run its policies, measure. 1 where it fails."""
    from backups.catalogue import find_backup
    from backups.drill import read_drills, run_drill
    from backups.report import render_page

    settings = find_config(stack, config)
    store = settings.store()
    entry = find_backup(store, settings.database_name(), id_)
    with _bar("drill") as tell:
        done = run_drill(store, settings.keyring(), entry, image=image or settings.image,
                         timestamps=settings.timestamps, admin=_admin(None, dsn) if dsn else None, listener=tell)
    if page:
        page.write_text(render_page(read_drills(store, entry.database)), encoding="utf-8")
    _print(as_json, {**asdict(done), "passed": done.passed}, lambda: console.print(
        f"drill of {done.backup}: {'proven' if done.passed else 'NOT PROVEN'}, {done.rows:,} rows, "
        f"{done.tables_compared} tables and chunks compared, recovered in {done.recovery_seconds:.1f} s",
        *done.problems, sep="\n", soft_wrap=True, markup=False))
    raise typer.Exit(0 if done.passed else 1)


@app.command()
def prune(stack: StackOption = None, config: ConfigOption = None, as_json: JsonOption = False,
          dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False) -> None:
    """Delete the backups that the retention does not keep; never the last verified one, nor what object lock holds."""
    from backups.retention import prune as prune_backups

    settings = find_config(stack, config)
    done = prune_backups(settings.store(), settings.database_name(), settings.retention, dry_run=dry_run)
    word = "would delete" if dry_run else "deleted"
    _print(as_json, asdict(done), lambda: console.print(
        *(f"{word} {each}" for each in [*done.deleted, *done.cleared]),
        *(f"kept {each}: {why}" for each, why in done.kept.items()), sep="\n", soft_wrap=True))


@app.command()
def status(stack: StackOption = None, config: ConfigOption = None, as_json: JsonOption = False,
           prometheus: Annotated[bool, typer.Option(help="Metrics in Prometheus's text format.")] = False) -> None:
    """Say how the backups stand. Exit status 1 where the newest verified one is older than allowed."""
    from backups.status import read_status, render_metrics

    settings = find_config(stack, config)
    found = read_status(settings.store(), settings.database_name(), timedelta(hours=settings.max_age_hours))
    if prometheus:
        print(render_metrics([found]), end="")
    else:
        facts = {"database": found.database, "count": found.count, "bytes": found.bytes, "problem": found.problem,
                 "newest": found.newest.id if found.newest else None,
                 "verified": found.verified.id if found.verified else None,
                 "drilled": found.drilled.isoformat() if found.drilled else None}
        _print(as_json, facts, lambda: console.print(
            found.problem or f"{found.database}: newest verified backup {facts['verified']}, {found.count} backups, "
            f"{_size(found.bytes)}; last drill {facts['drilled'] or 'never'}", soft_wrap=True, markup=False))
    raise typer.Exit(1 if found.problem else 0)


@app.command()
def config(stack: StackOption = None, file: ConfigOption = None) -> None:
    """Print the settings as JSON, secrets included, for a host that runs backups: keep it with mode 600."""
    print(json.dumps(config_values(stack, file), indent=2))


@app.command("new-key")
def new_key() -> None:
    """Print a new random key; put it first among the backup keys, then run `rotate-key`."""
    from backups.encryption import new_key as make

    print(make())


@app.command("rotate-key")
def rotate_key(stack: StackOption = None, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Close every backup's data key with the first of the backup keys too; no backup is written again."""
    from backups.catalogue import rewrap

    settings = find_config(stack, config)
    done = rewrap(settings.store(), settings.keyring(), settings.database_name())
    _print(as_json, {"key": settings.keyring().current, "rewrapped": done}, lambda: console.print(
        f"key {settings.keyring().current} opens {len(done)} more backups" if done else "nothing to do: the first key "
        "opens every backup already"))


@app.command()
def serve(config: ConfigOption = None, stack: StackOption = None,
          once: Annotated[bool, typer.Option("--once", help="Do what is due, then end: for a timer or cron.")] = False
          ) -> None:
    """Run the schedule: what is due or was missed, one after the other, retried with backoff."""
    from backups.schedule import run_due, serve_schedule

    settings = find_config(stack, config)
    if once:
        failed = run_due(settings, say=lambda line: console.print(line, soft_wrap=True, markup=False))
        raise typer.Exit(1 if failed else 0)
    serve_schedule(settings, say=lambda line: print(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {line}", flush=True))


def _recover(settings: BackupConfig, target: str | None, to: str | None, point: str | None, image: str | None,
             as_json: bool) -> None:
    from backups.errors import RestoreError
    from backups.recovery import recover

    if not target:
        raise RestoreError("--to: without --target; name the new container that the server is recovered in")
    try:
        moment = datetime.fromisoformat(to) if to else None
    except ValueError:
        raise RestoreError(f"--to: found '{to}', required a time with its zone, such as '2026-11-22 09:41:00+00'"
                           ) from None
    done = recover(settings, target, to=moment, restore_point=point, image=image, listener=lambda line: quiet.print(
        line, style="dim", soft_wrap=True))
    facts = {"container": done.container, "host": done.address.host, "port": done.address.port, "to": done.to,
             "seconds": done.seconds}
    _print(as_json, facts, lambda: console.print(
        f"recovered to {done.to} in {done.seconds:.0f} s: container {done.container}, 127.0.0.1:{done.address.port}, "
        f"with the roles and passwords of the source\nits jobs are off; once all is well: "
        f"lcdb backup release {done.container} --container", soft_wrap=True))


def _physical(settings: BackupConfig) -> list[PhysicalBackup]:
    """pgBackRest's backups, where the stack takes any and the server answers; what it says otherwise is shown."""
    from backups.errors import BackupError
    from backups.physical import read_physical
    from schema.errors import SchemaError

    if settings.physical is None or settings.admin is None:
        return []
    try:
        with settings.administrator().connect(wait_seconds=0) as connection:
            return read_physical(connection)
    except (BackupError, SchemaError) as error:
        quiet.print(f"physical backups not listed: {error}", style="yellow", soft_wrap=True)
        return []


def _admin(settings: BackupConfig | None, dsn: str | None) -> Address:
    if dsn or settings is None:
        from cli.addresses import find_database

        return find_database(None, dsn, "admin")[1]
    return settings.administrator()


@contextmanager
def _bar(word: str) -> Iterator[Any]:
    """A bar with rate and time left on a terminal; a listener that takes what is done and how much of it."""
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=quiet, transient=True) as bars:
        task = bars.add_task(word, total=1.0)

        def tell(doing: str, part: float) -> None:
            bars.update(task, completed=part, description=doing)
        yield tell


def _print(as_json: bool, facts: Any, text: Any) -> None:
    if as_json:
        print(json.dumps(facts, indent=2, default=str))
    else:
        text()


def _entry(entry: Entry) -> dict[str, Any]:
    manifest = entry.manifest
    return {"id": entry.id, "kind": entry.kind, "taken": entry.taken.isoformat(), "problem": entry.problem,
            "verified": entry.verified.isoformat() if entry.verified else None,
            "drilled": entry.drilled.isoformat() if entry.drilled else None,
            **({"rows": manifest.rows, "bytes": manifest.stored_bytes, "server": manifest.server.words()}
               if manifest else {})}


def _summary(manifest: dict[str, Any]) -> dict[str, Any]:
    return {key: manifest[key] for key in ("id", "kind", "database", "started", "finished", "fingerprint", "program")}


def _table(entries: list[Entry], physical: Sequence[PhysicalBackup] = ()) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for heading in ("backup", "kind", "rows", "size", "server", "proof"):
        table.add_column(heading, no_wrap=True)
    for entry in entries:
        proof = f"restored {entry.drilled:%Y-%m-%d %H:%M}" if entry.drilled else \
            f"verified {entry.verified:%Y-%m-%d %H:%M}" if entry.verified else "none yet"
        manifest = entry.manifest
        table.add_row(entry.id, entry.kind, f"{manifest.rows:,}" if manifest else "?",
                      _size(manifest.stored_bytes) if manifest else "?",
                      manifest.server.words() if manifest else "", entry.problem or proof)
    for each in physical:
        table.add_row(each.id, each.type, "", _size(each.stored_bytes), f"PostgreSQL {each.postgresql}",
                      "FAILED" if each.error else f"recoverable from {each.stop:%Y-%m-%d %H:%M:%S} UTC on")
    return table


def _say_restored(done: dict[str, Any], aside: str | None) -> None:
    console.print(f"restored {done['backup']} into database {done['database']}: {done['rows']:,} rows in "
                  f"{sum(done['seconds'].values()):.1f} s", soft_wrap=True)
    if done["held_jobs"]:
        console.print(f"its {len(done['held_jobs'])} jobs are held; once all is well: "
                      f"lcdb backup release {done['database']}", style="yellow", soft_wrap=True)
    if done["new_roles"]:
        console.print(f"roles made without a password: {', '.join(done['new_roles'])}", style="yellow", soft_wrap=True)
    if aside:
        console.print(f"the database that was live is now {aside}", soft_wrap=True)


def _size(size_bytes: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if size_bytes < 1000:
            return f"{size_bytes:.0f} {unit}"
        size_bytes /= 1000
    return f"{size_bytes:.1f} TB"


