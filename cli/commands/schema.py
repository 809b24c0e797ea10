"""`lcdb schema`: compare the declared schema with a live database, apply it, and export it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.addresses import find_database
from cli.commands import schema_files
from cli.console import console
from cli.declarations import Source, Wanted, find_declared
from cli.options import (
    AllowOption,
    DeclaredOption,
    DsnOption,
    JsonOption,
    ProtectOption,
    SkipOption,
    SqlOption,
    StackOption,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schema.connection import Address
    from schema.model.change.step import Step
    from schema.planning.plan import Plan

app = typer.Typer(no_args_is_help=True, help="The declared schema against a live database.")


@app.command()
def plan(stack: StackOption = None, *, dsn: DsnOption = None, declared: DeclaredOption = None, sql: SqlOption = None,
         as_json: JsonOption = False, allow: AllowOption = None, protect: ProtectOption = None,
         skip_unsupported: SkipOption = False) -> None:
    """Print what `apply` would do. Exit status 0: nothing; 2: something; 1: an error."""
    from infra.handlers import unfinished_seeds

    name, address = find_database(stack, dsn)
    wanted = find_declared(name, Source(declared, sql, address), allow=allow, protect=protect,
                           skip_unsupported=skip_unsupported)
    changes = _plan_changes(address, wanted)
    loading = unfinished_seeds.is_recorded(address)
    if as_json:
        print(_json(changes.steps, (*changes.warnings, *([unfinished_seeds.PLAN] if loading else []))))
    elif loading:
        # No step is marked as refused: it may be one that the load does itself. So there is no fingerprint either.
        _print(unfinished_seeds.PLAN)
        for step in changes.steps:
            _print(step.render())
        _warn(changes.warnings)
    else:
        _show(changes, wanted)
    raise typer.Exit(2 if changes.steps or loading else 0)


def _show(changes: Plan, wanted: Wanted) -> None:
    """Print the steps, and the hazards that `apply` would refuse."""
    for step in changes.steps:
        _print(step.render(wanted.options.allow))
    _warn(changes.warnings)
    refused = changes.refused(wanted.options.allow)
    console.print(f"{len(changes.steps)} steps, fingerprint {changes.fingerprint}" if changes.steps
                  else "nothing to do: the database is as declared")
    if refused:
        hazards = sorted({hazard for step in refused for hazard in step.refused(wanted.options.allow)})
        console.print(f"`apply` would refuse it until this is allowed: {', '.join(hazards)}", style="red",
                      soft_wrap=True)


@app.command()
def check(stack: StackOption = None, *, dsn: DsnOption = None, declared: DeclaredOption = None, sql: SqlOption = None,
          protect: ProtectOption = None, skip_unsupported: SkipOption = False) -> None:
    """For CI: exit status 0 where the database is what the program declares, 2 where it differs, 1 on an error."""
    name, address = find_database(stack, dsn)
    changes = _plan_changes(address, find_declared(name, Source(declared, sql, address), protect=protect,
                                                   skip_unsupported=skip_unsupported))
    _warn(changes.warnings)
    if changes.steps:
        names = ", ".join(dict.fromkeys(step.object for step in changes.steps))
        console.print(f"differs in {len(changes.steps)} steps: {names}", markup=False, soft_wrap=True)
        raise typer.Exit(2)
    console.print("as declared")


@app.command()
def apply(stack: StackOption = None, *, dsn: DsnOption = None, declared: DeclaredOption = None, sql: SqlOption = None,
          as_json: JsonOption = False, allow: AllowOption = None, protect: ProtectOption = None,
          skip_unsupported: SkipOption = False,
          fingerprint: Annotated[str | None, typer.Option(help="Only the plan that was reviewed.")] = None) -> None:
    """Make the database what the program declares; a second run does nothing. Finishes an interrupted load first."""
    from infra.handlers import unfinished_seeds
    from schema.apply import ensure

    name, address = find_database(stack, dsn)
    wanted = find_declared(name, Source(declared, sql, address), allow=allow, protect=protect,
                           skip_unsupported=skip_unsupported, fingerprint=fingerprint)
    seed_lines: list[str] = []
    unfinished_seeds.finish(address, seed_lines.append if as_json else _print)
    done = ensure(address, wanted.objects, options=wanted.options, progress=None if as_json else _print)
    if as_json:
        print(_json(done.steps, (*seed_lines[-1:], *done.warnings)))
        return
    _warn(done.warnings)
    console.print(f"{len(done.steps)} steps done" if done.steps else "nothing to do: the database is as declared")


for command in (schema_files.export, schema_files.adopt, schema_files.diagram):
    app.command()(command)


def _plan_changes(address: Address, wanted: Wanted) -> Plan:
    from schema.apply import plan as plan_live

    return plan_live(address, wanted.objects, options=wanted.options)


def _print(line: str) -> None:
    console.print(line, markup=False, soft_wrap=True)


def _warn(warnings: Sequence[str]) -> None:
    for warning in warnings:
        console.print(warning, style="yellow", markup=False, soft_wrap=True)


def _json(steps: Sequence[Step], warnings: Sequence[str]) -> str:
    """The steps as JSON, with the fingerprint of exactly these steps."""
    from schema.planning.plan import Plan

    rows: list[dict[str, Any]] = [
        {"object": step.object, "sql": step.sql, "why": step.why, "hazards": [str(hazard) for hazard in step.hazards]}
        for step in steps]
    return json.dumps({"steps": rows, "fingerprint": Plan(tuple(steps)).fingerprint, "warnings": list(warnings)},
                      indent=2)
