"""`lcdb schema`: the declared schema against a live database: plan, apply, check, export."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.addresses import find_database
from cli.database import DsnOption
from cli.stacks import StackOption, console
from schema.lifecompanion import Timestamps
from schema.objects import Object
from schema.plan import Plan
from schema.step import Hazard, Step

if TYPE_CHECKING:
    from infra.settings import Settings

app = typer.Typer(no_args_is_help=True, help="The declared schema against a live database.")
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
AllowOption = Annotated[list[Hazard] | None, typer.Option("--allow", help="Allow a hazard by its name.")]
# The keys of a stack that say how its schema is planned; secrets and servers are none of theirs.
SCHEMA_KEYS = ("timestamps", "onUnsupported", "allowHazards")


@app.command()
def plan(stack: StackOption = None, dsn: DsnOption = None, as_json: JsonOption = False,
         allow: AllowOption = None) -> None:
    """Print what `apply` would do. Exit status 0: nothing; 2: something; 1: an error."""
    found = _plan(stack, dsn, allow)
    _print(found, as_json)
    raise typer.Exit(2 if found.steps else 0)


@app.command()
def check(stack: StackOption = None, dsn: DsnOption = None) -> None:
    """For CI: exit status 0 where the database is what the program declares, 2 where it differs, 1 on an error."""
    found = _plan(stack, dsn, None)
    for warning in found.warnings:
        console.print(warning, style="yellow", markup=False, soft_wrap=True)
    if found.steps:
        names = ", ".join(dict.fromkeys(step.object for step in found.steps))
        console.print(f"differs in {len(found.steps)} steps: {names}", soft_wrap=True)
        raise typer.Exit(2)
    console.print("as declared")


@app.command()
def apply(stack: StackOption = None, dsn: DsnOption = None, as_json: JsonOption = False, allow: AllowOption = None,
          fingerprint: Annotated[str | None, typer.Option(help="Only the plan that was reviewed.")] = None) -> None:
    """Make the database what the program declares; a second run does nothing."""
    from schema.apply import ensure

    name, address = find_database(stack, dsn)
    objects, options = _declared(name, allow, fingerprint)
    done = ensure(address, objects, options=options,
                  progress=None if as_json else lambda line: console.print(line, soft_wrap=True))
    if as_json:
        print(json.dumps({"steps": _steps(done.steps), "warnings": list(done.warnings)}, indent=2))
        return
    for warning in done.warnings:
        console.print(warning, style="yellow", soft_wrap=True)
    console.print(f"{len(done.steps)} steps done" if done.steps else "nothing to do: the database is as declared")


@app.command()
def export(stack: StackOption = None,
           timestamps: Annotated[Timestamps | None, typer.Option(help="In place of the stack's.")] = None) -> None:
    """Print the declared schema as plain SQL for an empty database; asks no server."""
    from schema.lifecompanion import declared
    from schema.plan import plan_from_empty

    for step in plan_from_empty(declared(timestamps or _settings(stack).timestamps)).steps:
        print(f"-- {step.object}: {step.why}\n{step.sql.rstrip().rstrip(';')};\n")


def _plan(stack: str | None, dsn: str | None, allow: Sequence[Hazard] | None) -> Plan:
    from schema.apply import plan as plan_live

    name, address = find_database(stack, dsn)
    objects, options = _declared(name, allow, None)
    return plan_live(address, objects, options=options)


def _declared(stack: str | None, allow: Sequence[Hazard] | None,
              fingerprint: str | None) -> tuple[Sequence[Object], Any]:
    """What the stack declares, and how far a change may go in it: its own allowances and those given here."""
    from schema.compare import Options
    from schema.lifecompanion import declared

    settings = _settings(stack)
    allowed = frozenset([*settings.allow_hazards, *(allow or ())])
    options = Options(on_unsupported=settings.on_unsupported, allow=allowed, whole_schema=True, fingerprint=fingerprint)
    return declared(settings.timestamps), options


def _settings(stack: str | None) -> Settings:
    """What the stack's file says of its schema, checked; the defaults where no stack is named."""
    from infra.settings import NAMESPACE, parse_settings
    from infra.stack import stack_config

    config = stack_config(stack) if stack else {}
    own = {f"{NAMESPACE}:{key}": config[key] for key in SCHEMA_KEYS if key in config}
    return parse_settings(stack or "none", {f"{NAMESPACE}:target": "docker", **own})


def _print(found: Plan, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"steps": _steps(found.steps), "fingerprint": found.fingerprint}, indent=2))
        return
    for line in found.render():
        console.print(line, markup=False, soft_wrap=True)
    for warning in found.warnings:
        console.print(warning, style="yellow", markup=False, soft_wrap=True)
    console.print(f"{len(found.steps)} steps, fingerprint {found.fingerprint}" if found.steps
                  else "nothing to do: the database is as declared")


def _steps(steps: Sequence[Step]) -> list[dict[str, Any]]:
    return [{"object": step.object, "sql": step.sql, "why": step.why, "hazards": [str(h) for h in step.hazards]}
            for step in steps]
