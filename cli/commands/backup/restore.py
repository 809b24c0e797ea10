"""`lcdb backup restore`, `release` and `drill`: restore a backup, and prove that it can be restored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.backup_settings import find_config
from cli.commands.backup import physical, recover
from cli.commands.backup.screen import print_result, progress_bar, size_text
from cli.console import console
from cli.options import (
    ConfigOption,
    FirstOption,
    IdArgument,
    ImageOption,
    JsonOption,
    StackOption,
    SuperuserDsnOption,
    WorkersOption,
)

if TYPE_CHECKING:
    from backups.config import BackupConfig
    from backups.drill.logical_drill import Drill
    from backups.logical.catalog import Entry
    from backups.physical.catalog import PhysicalEntry
    from schema.connection import Address


def restore(id_: IdArgument = None, stack: StackOption = None, config: ConfigOption = None,
            dsn: SuperuserDsnOption = None,
            into: Annotated[str | None, typer.Option("--into", metavar="DATABASE", help=(
                "Name of the new database."))] = None,
            to: Annotated[str | None, typer.Option("--to", metavar="TIME", help=(
                "Point in time with its zone, such as '2026-11-22 09:41:00+00', for --target or --container."))] = None,
            point: Annotated[str | None, typer.Option("--restore-point", metavar="NAME", help=(
                "A named restore point, in place of the time."))] = None,
            as_of: Annotated[str | None, typer.Option("--as-of", metavar="TIME", help=(
                "For --target or --container: read the bucket as it was then, such as before an attack, past all that "
                "was deleted or written over since."))] = None,
            target: Annotated[str | None, typer.Option("--target", metavar="STACK", help=(
                "Recover the whole server by pgBackRest as a new stack of this name, with the stack's own settings."
                ))] = None,
            container: Annotated[str | None, typer.Option("--container", metavar="NAME", help=(
                "Recover it into a container of this name that belongs to no stack; the bucket and the key are enough."
                ))] = None,
            swap: Annotated[bool, typer.Option("--replace", help=(
                "Take a fresh backup, restore, then give the restored database the live one's name; the live one "
                "stays, under a name of its own."))] = False,
            image: ImageOption = None, as_json: JsonOption = False, first: FirstOption = False,
            workers: WorkersOption = 2) -> None:
    """Restore into a new database, or a whole server as a new stack (--target) or into a container (--container).

    Background jobs do not run there until `lcdb backup release`.
    """
    from backups.errors import RestoreError
    from backups.logical.catalog import find_backup
    from backups.operations import replace_live
    from backups.physical.catalog import is_label
    from backups.restoring.restore import restore_logical

    if target or container or to or point or as_of:
        _require_point(id_, to, point, target, container, first=first, others={
            "--into": bool(into), "--replace": swap})
        options = {"backup": id_, "to": _moment("--to", to), "restore_point": point, "as_of": _moment("--as-of", as_of),
                   "image": image}
        if container:
            recover.into_container(find_config(stack, config), container, as_json, **options)
        else:
            recover.as_stack(stack, config, str(target), as_json, **options)
        return
    settings = find_config(stack, config)
    admin = _admin(settings, dsn)
    store = settings.store(first_written=first)
    if is_label(id_):
        raise RestoreError(f"backup {id_}: found a physical one, which is of a whole server: give --target STACK or "
                           "--container NAME, or the id of a logical one")
    entry = find_backup(store, settings.database_name(), id_)
    name = into or f"{settings.database_name()}_{entry.id.replace('-', '_').lower()}"
    with progress_bar("restoring") as listener:
        if swap:
            done, aside = replace_live(settings, admin, entry, name, image=image, workers=workers, listener=listener)
        else:
            done, aside = restore_logical(store, settings.keyring(), entry, admin, name,
                                          image=image or settings.image, workers=workers, listener=listener), None
    options_again = " --dsn ..." if dsn else f" --config {config}" if config else f" --stack {stack}" if stack else ""
    print_result(as_json, {**asdict(done), "aside": aside}, lambda: _print_restored(asdict(done), aside, options_again))


def release(database: Annotated[str, typer.Argument(metavar="NAME", help=(
        "The restored database; with --container or --target that container or stack."))], stack: StackOption = None,
            config: ConfigOption = None, dsn: SuperuserDsnOption = None, as_json: JsonOption = False,
            container: Annotated[bool, typer.Option("--container", help="It is a recovered container's name.")] = False,
            target: Annotated[bool, typer.Option("--target", help="It is a recovered stack's name.")] = False
            ) -> None:
    """Let the background jobs of a restored database, container or stack run again: retention, compression, all."""
    from backups.errors import RestoreError
    from backups.restoring.held_jobs import release_jobs

    if container and target:
        raise RestoreError("release: found --container and --target, required one of them")
    if container or target:
        release = recover.release_container if container else recover.release_stack
        release(database, as_json)
        return
    jobs = release_jobs(replace(_admin(None if dsn else find_config(stack, config), dsn), database=database))
    print_result(as_json, {"database": database, "released": jobs},
           lambda: console.print(f"database {database}: {len(jobs)} jobs run again"))


def drill(id_: IdArgument = None, stack: StackOption = None, config: ConfigOption = None,
          dsn: SuperuserDsnOption = None, image: ImageOption = None, as_json: JsonOption = False,
          page: Annotated[Path | None, typer.Option(help="Write the page with the trend here too.")] = None) -> None:
    """Restore a backup into a throw-away server, compare it, run its policies, measure. Exit status 1: not proven."""
    from backups.drill.logical_drill import read_drills
    from backups.drill.report import name_parts, render_page
    from backups.logical.catalog import find_backup
    from backups.physical.catalog import PhysicalEntry

    settings = find_config(stack, config)
    # A server given by --dsn takes a database, so the backup is a logical one.
    entry = find_backup(settings.store(), settings.database_name(), id_) if dsn else \
        physical.find_entry(settings, id_)
    with progress_bar("drill") as listener:
        done = _drill_physical(settings, entry, image, listener) if isinstance(entry, PhysicalEntry) else \
            _drill_logical(settings, entry, _admin(None, dsn) if dsn else None, image, listener)
    if page:
        page.write_text(render_page(read_drills(settings.store(), done.database)), encoding="utf-8")
    print_result(as_json, {**asdict(done), "passed": done.passed}, lambda: console.print(
        f"drill of {done.backup}: {'proven' if done.passed else 'NOT PROVEN'}, {done.rows:,} rows, "
        f"{done.tables_compared} tables and chunks compared, recovered in {done.recovery_seconds:.1f} s "
        f"({name_parts(done.seconds)}; beside that {name_parts(done.seconds, drill_only=True)})",
        *([f"to restore point {done.point}, through {size_text(done.replayed_bytes)} of WAL"] if done.point else []),
        *done.problems, *done.unread, sep="\n", soft_wrap=True, markup=False))
    raise typer.Exit(0 if done.passed else 1)


def _require_point(id_: str | None, to: str | None, point: str | None, target: str | None, container: str | None,
                   *, first: bool, others: dict[str, bool]) -> None:
    """Raise RestoreError where the options of a recovery to a point contradict each other, or `others` are given."""
    from backups.errors import RestoreError

    if first:
        raise RestoreError("--as-first-written: found with --target or --container, required --as-of and the time "
                           "before the attack: pgBackRest writes its list of backups anew with each of them")
    if bool(target) == bool(container):
        raise RestoreError("restore to a point: found both or neither of --target and --container; name the new "
                           "stack, or the new container, that the server is recovered as")
    if to and point:
        raise RestoreError("restore to a point: found --to and --restore-point, required one of them")
    if id_ and "T" in id_:
        raise RestoreError(f"backup {id_}: found a logical one, required a physical one, or none for the newest "
                           "before the point; see `lcdb backup list`")
    if extra := [name for name, given in others.items() if given]:
        raise RestoreError(f"{' and '.join(extra)}: found with --target or --container, which recover the whole "
                           "server; leave it out, or restore a logical backup into a database")


def _drill_physical(settings: BackupConfig, entry: PhysicalEntry, image: str | None,
                    listener: Callable[[str, float], None]) -> Drill:
    from backups.drill.physical_drill import drill_physical

    return drill_physical(settings, entry, image=image, listener=listener)


def _drill_logical(settings: BackupConfig, entry: Entry, admin: Address | None, image: str | None,
                   listener: Callable[[str, float], None]) -> Drill:
    from backups.drill.logical_drill import find_embedded, run_drill

    return run_drill(settings.store(), settings.keyring(), entry, image=image or settings.image,
                     timestamps=settings.timestamps, listener=listener,
                     admin=admin or (None if image else find_embedded(settings, entry)))


def _moment(option: str, text: str | None) -> datetime | None:
    from backups.errors import RestoreError

    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        raise RestoreError(f"{option}: found '{text}', required a time with its zone, such as '2026-11-22 09:41:00+00'"
                           ) from None


def _admin(settings: BackupConfig | None, dsn: str | None) -> Address:
    if dsn or settings is None:
        from cli.addresses import find_database

        return find_database(None, dsn, "admin")[1]
    return settings.administrator()


def _print_restored(done: dict[str, Any], aside: str | None, options_again: str) -> None:
    console.print(f"restored {done['backup']} into database {done['database']}: {done['rows']:,} rows in "
                  f"{sum(done['seconds'].values()):.1f} s", soft_wrap=True)
    console.print(f"it was taken of {done['origin']}", soft_wrap=True, markup=False, highlight=False)
    if done["held_jobs"]:
        console.print(f"its {len(done['held_jobs'])} jobs are held; once all is well: "
                      f"lcdb backup release {done['database']}{options_again}", style="yellow", soft_wrap=True)
    if done["new_roles"]:
        console.print(f"roles made without a password: {', '.join(done['new_roles'])}", style="yellow", soft_wrap=True)
    if done["unfilled"]:
        console.print(f"materialized views that could not be filled: {'; '.join(done['unfilled'])}", style="yellow",
                      soft_wrap=True, markup=False)
    for line in done["lost"]:
        console.print(line, style="yellow", soft_wrap=True, markup=False)
    if aside:
        console.print(f"the database that was live is now {aside}", soft_wrap=True)
