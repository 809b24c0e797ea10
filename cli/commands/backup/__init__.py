"""`lcdb backup`: take, list, verify, prune and restore backups, run their schedule; each command has --json."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

from cli.backup_settings import config_values, find_config
from cli.commands.backup import physical, restore, setup
from cli.commands.backup.screen import (
    backups_table,
    entry_facts,
    physical_facts,
    print_result,
    progress_bar,
    size_text,
)
from cli.console import INTERRUPTED, console
from cli.options import ConfigOption, FirstOption, IdArgument, ImageOption, JsonOption, StackOption, WorkersOption

app = typer.Typer(no_args_is_help=True, help="Backups of the database: take, verify, restore, prove by a drill.")


class Kind(StrEnum):
    """The kinds that `run` takes: a portable dump (logical), or copies of the server's files by pgBackRest."""

    LOGICAL = "logical"
    FULL = "full"
    DIFF = "diff"
    INCR = "incr"


@app.command()
def run(stack: StackOption = None, config: ConfigOption = None, as_json: JsonOption = False,
        kind: Annotated[Kind | None, typer.Option(help=(
            "full, diff or incr where pgBackRest is set up (incr without this option), or logical."))] = None,
        verify: Annotated[bool, typer.Option(help="Read it back at once and compare.")] = True,
        workers: WorkersOption = 2) -> None:
    """Take a backup now, and verify it. Exit status 1 where either fails."""
    settings = find_config(stack, config)
    if (kind or (Kind.INCR if settings.physical else Kind.LOGICAL)) is not Kind.LOGICAL:
        physical.run(settings, kind or Kind.INCR, as_json, verified=verify)
        return
    from backups.operations import take_logical

    stage = ""

    def listener(now: str, part: float) -> None:
        nonlocal stage
        stage = now
        show_progress(now, part)
    with progress_bar("backing up") as show_progress:
        try:
            manifest = take_logical(settings, verified=verify, workers=workers, listener=listener)
        except KeyboardInterrupt:
            remedy = "the backup is there: `lcdb backup verify` reads it back" if stage.startswith("verifying") else \
                "what has arrived in the bucket stays: run the same command again, and only the rest is sent"
            console.print(f"interrupted; {remedy}", soft_wrap=True)
            raise typer.Exit(INTERRUPTED) from None
    earlier = manifest.earlier_bytes
    before = f" ({size_text(earlier)} of it sent by a run that was interrupted)" if earlier else ""
    facts = {**_summary(manifest.model_dump(mode="json")), "earlier_bytes": earlier}
    print_result(as_json, facts, lambda: console.print(
        f"backup {manifest.id}: {manifest.rows:,} rows, {size_text(manifest.stored_bytes)} in the bucket{before}, "
        f"{(manifest.finished - manifest.started).total_seconds():.1f} s{', verified' if verify else ''}",
        soft_wrap=True))


@app.command("list")
def list_(stack: StackOption = None, config: ConfigOption = None, as_json: JsonOption = False,
          first: FirstOption = False) -> None:
    """List the backups in the bucket, the newest last."""
    from backups.logical.catalog import list_backups
    from backups.physical.catalog import list_physical

    settings = find_config(stack, config)
    store = settings.store(first_written=first)
    entries = list_backups(store, settings.database_name())
    physical = list_physical(store, settings.database_name())
    facts = [*(entry_facts(entry) for entry in entries), *(physical_facts(entry) for entry in physical)]
    print_result(as_json, sorted(facts, key=lambda entry: str(entry["taken"])),
                 lambda: console.print(backups_table(entries, physical)))


@app.command()
def show(id_: IdArgument = None, stack: StackOption = None, config: ConfigOption = None,
         as_json: JsonOption = False) -> None:
    """Show one backup: its server, its tables and chunks with their rows, when it was verified and restored."""
    from backups.physical.catalog import PhysicalEntry

    entry = physical.find_entry(find_config(stack, config), id_)
    if isinstance(entry, PhysicalEntry):
        physical.show(entry, as_json)
        return
    assert entry.manifest
    manifest = entry.manifest
    print_result(as_json, {**manifest.model_dump(mode="json"), **entry_facts(entry)}, lambda: console.print(
        backups_table([entry]), f"server  {manifest.server.origin()}",
        f"structure  {manifest.fingerprint[:16]}",
        *(f"{name}  {rows:,} rows" for name, rows in manifest.row_counts().items() if rows),
        sep="\n", soft_wrap=True, markup=False))


@app.command()
def verify(id_: IdArgument = None, stack: StackOption = None, config: ConfigOption = None, as_json: JsonOption = False,
           image: ImageOption = None) -> None:
    """Read every object of a backup back and compare it with the manifest. Exit status 1 names the first wrong one.

    For a physical backup pgBackRest reads it back, with the backups that it depends on and the WAL.
    """
    from backups.logical.verify import verify as verify_backup
    from backups.physical.catalog import PhysicalEntry
    from backups.progress import with_rate

    settings = find_config(stack, config)
    entry = physical.find_entry(settings, id_)
    if isinstance(entry, PhysicalEntry):
        physical.verify(settings, entry, as_json)
        return
    with progress_bar("verifying") as show_progress:
        manifest = verify_backup(settings.store(), settings.keyring(), entry, image=image or settings.image,
                                 listener=with_rate("verifying", show_progress))
    print_result(as_json, {"id": manifest.id, "verified": True, "rows": manifest.rows}, lambda: console.print(
        f"backup {manifest.id}: verified, {manifest.rows:,} rows in {size_text(manifest.stored_bytes)}",
        soft_wrap=True))


@app.command()
def prune(stack: StackOption = None, config: ConfigOption = None, as_json: JsonOption = False,
          dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what would be deleted.")] = False) -> None:
    """Delete the backups that the retention does not keep; never the last verified one, nor what object lock holds."""
    from backups.logical.retention import Pruned
    from backups.logical.retention import prune as prune_backups
    from backups.physical.retention import prune_physical

    settings = find_config(stack, config)
    done = prune_backups(settings.store(), settings.keyring(), settings.database_name(), settings.retention,
                         dry_run=dry_run)
    if settings.physical:
        more = prune_physical(settings, dry_run=dry_run)
        done = Pruned([*done.deleted, *more.deleted], {**done.kept, **more.kept}, done.cleared)
    word = "would delete" if dry_run else "deleted"
    print_result(as_json, asdict(done), lambda: console.print(
        *(f"{word} {name}" for name in [*done.deleted, *done.cleared]),
        *(f"kept {name}: {why}" for name, why in done.kept.items()), *([] if any(asdict(done).values()) else [
            "nothing to delete: there are no backups"]), sep="\n", soft_wrap=True, markup=False))


@app.command()
def status(stack: StackOption = None, config: ConfigOption = None, as_json: JsonOption = False,
           prometheus: Annotated[bool, typer.Option("--prometheus", help=(
               "Metrics in Prometheus's text format."))] = False) -> None:
    """Report the state of the backups of each kind. Exit status 1 where something is wrong.

    That is where the newest verified backup is older than allowed, the newest drill failed, WAL does not arrive, or
    recovery would take longer than its target.
    """
    from backups.monitoring.status import render_metrics

    statuses = physical.read_statuses(find_config(stack, config))
    problems = [status.problem for status in statuses if status.problem]
    if prometheus:
        print(render_metrics(statuses), end="")
    else:
        print_result(as_json, physical.status_facts(statuses), lambda: console.print(
            *(physical.status_text(status) for status in statuses), sep="\n", soft_wrap=True, markup=False))
    raise typer.Exit(1 if problems else 0)


@app.command()
def config(stack: StackOption = None, file: ConfigOption = None) -> None:
    """Print the backup settings as JSON, secrets included, for a host that runs backups: keep it with mode 600."""
    print(json.dumps(config_values(stack, file), indent=2))


@app.command("new-key")
def new_key() -> None:
    """Print a new random key; put it first among the backup keys, then run `rotate-key`."""
    from backups.storage.encryption import new_key as make

    print(make())


@app.command("rotate-key")
def rotate_key(stack: StackOption = None, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Encrypt every backup's data key, and pgBackRest's passphrase, with the first of the backup keys as well.

    The backups themselves are not rewritten.
    """
    from backups.logical.catalog import rewrap
    from backups.physical.settings import PHYSICAL, rewrap_cipher

    settings = find_config(stack, config)
    done = rewrap(settings.store(), settings.keyring(), settings.database_name())
    if rewrap_cipher(settings.store(), settings.keyring(), settings.database_name()):
        done.append(PHYSICAL)
    print_result(as_json, {"key": settings.keyring().current, "rewrapped": done}, lambda: console.print(
        f"key {settings.keyring().current} now opens {', '.join(done)}" if done else "nothing to do: the first key "
        "opens every backup already"))


@app.command()
def serve(config: ConfigOption = None, stack: StackOption = None,
          once: Annotated[bool, typer.Option("--once", help="Run what is due, then exit: for a timer or cron.")] = False
          ) -> None:
    """Run the schedule: every task that is due or was missed, one after the other, retried with backoff."""
    from backups.schedule import run_due, serve_schedule

    settings = find_config(stack, config)
    if once:
        failed = run_due(settings, say=lambda line: console.print(line, soft_wrap=True, markup=False))
        raise typer.Exit(1 if failed else 0)
    serve_schedule(settings, say=lambda line: print(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {line}", flush=True))


def _summary(manifest: dict[str, Any]) -> dict[str, Any]:
    return {key: manifest[key] for key in ("id", "kind", "database", "started", "finished", "fingerprint", "program")}


for command in (restore.restore, restore.release, restore.drill, setup.setup):
    app.command()(command)
