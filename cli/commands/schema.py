"""`lcdb schema`: the declared schema against a live database: plan, apply, check, and what goes into files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.addresses import find_database
from cli.commands import schema_files
from cli.console import console
from cli.declarations import Wanted, find_declared
from cli.options import (
    AllowOption,
    DeclaredOption,
    DsnOption,
    JsonOption,
    ProtectOption,
    SkipOption,
    StackOption,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schema.connection import Address
    from schema.model.step import Step
    from schema.planning.plan import Plan

app = typer.Typer(no_args_is_help=True, help="The declared schema against a live database.")


@app.command()
def plan(stack: StackOption = None, *, dsn: DsnOption = None, declared: DeclaredOption = None,
         as_json: JsonOption = False, allow: AllowOption = None, protect: ProtectOption = None,
         skip_unsupported: SkipOption = False) -> None:
    """Print what `apply` would do. Exit status 0: nothing; 2: something; 1: an error."""
    from infra.handlers import unfinished_seeds

    name, address = find_database(stack, dsn)
    wanted = find_declared(name, declared, allow=allow, protect=protect, skip_unsupported=skip_unsupported)
    found = _plan(address, wanted)
    loading = unfinished_seeds.is_recorded(address)
    if as_json:
        print(_json(found.steps, (*found.warnings, *([unfinished_seeds.PLAN] if loading else []))))
    elif loading:
        # What is refused for now may be what the load puts back itself, and so no fingerprint holds either.
        _say(unfinished_seeds.PLAN)
        for step in found.steps:
            _say(step.render())
        _warn(found.warnings)
    else:
        _show(found, wanted)
    raise typer.Exit(2 if found.steps or loading else 0)


def _show(found: Plan, wanted: Wanted) -> None:
    """Print the steps, and what of them `apply` would refuse."""
    for step in found.steps:
        _say(step.render(wanted.options.allow))
    _warn(found.warnings)
    refused = found.refused(wanted.options.allow)
    console.print(f"{len(found.steps)} steps, fingerprint {found.fingerprint}" if found.steps
                  else "nothing to do: the database is as declared")
    if refused:
        hazards = sorted({hazard for step in refused for hazard in step.refused(wanted.options.allow)})
        console.print(f"`apply` would refuse it until this is allowed: {', '.join(hazards)}", style="red",
                      soft_wrap=True)


@app.command()
def check(stack: StackOption = None, *, dsn: DsnOption = None, declared: DeclaredOption = None,
          protect: ProtectOption = None, skip_unsupported: SkipOption = False) -> None:
    """For CI: exit status 0 where the database is what the program declares, 2 where it differs, 1 on an error."""
    name, address = find_database(stack, dsn)
    found = _plan(address, find_declared(name, declared, protect=protect, skip_unsupported=skip_unsupported))
    _warn(found.warnings)
    if found.steps:
        names = ", ".join(dict.fromkeys(step.object for step in found.steps))
        console.print(f"differs in {len(found.steps)} steps: {names}", markup=False, soft_wrap=True)
        raise typer.Exit(2)
    console.print("as declared")


@app.command()
def apply(stack: StackOption = None, *, dsn: DsnOption = None, declared: DeclaredOption = None,
          as_json: JsonOption = False, allow: AllowOption = None, protect: ProtectOption = None,
          skip_unsupported: SkipOption = False,
          fingerprint: Annotated[str | None, typer.Option(help="Only the plan that was reviewed.")] = None) -> None:
    """Make the database what the program declares; a second run does nothing. Finishes an interrupted load first."""
    from infra.handlers import unfinished_seeds
    from schema.apply import ensure

    name, address = find_database(stack, dsn)
    wanted = find_declared(name, declared, allow=allow, protect=protect, skip_unsupported=skip_unsupported,
                           fingerprint=fingerprint)
    told: list[str] = []
    unfinished_seeds.finish(address, told.append if as_json else _say)
    done = ensure(address, wanted.objects, options=wanted.options, progress=None if as_json else _say)
    if as_json:
        print(_json(done.steps, (*told[-1:], *done.warnings)))
        return
    _warn(done.warnings)
    console.print(f"{len(done.steps)} steps done" if done.steps else "nothing to do: the database is as declared")


for command in (schema_files.export, schema_files.adopt, schema_files.diagram):
    app.command()(command)


def _plan(address: Address, wanted: Wanted) -> Plan:
    from schema.apply import plan as plan_live

    return plan_live(address, wanted.objects, options=wanted.options)


def _say(line: str) -> None:
    console.print(line, markup=False, soft_wrap=True)


def _warn(warnings: Sequence[str]) -> None:
    for warning in warnings:
        console.print(warning, style="yellow", markup=False, soft_wrap=True)


def _json(steps: Sequence[Step], warnings: Sequence[str]) -> str:
    """Steps as a program reads them, with the fingerprint of just these."""
    from schema.planning.plan import Plan

    found: list[dict[str, Any]] = [
        {"object": step.object, "sql": step.sql, "why": step.why, "hazards": [str(hazard) for hazard in step.hazards]}
        for step in steps]
    return json.dumps({"steps": found, "fingerprint": Plan(tuple(steps)).fingerprint, "warnings": list(warnings)},
                      indent=2)
