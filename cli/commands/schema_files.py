"""`lcdb schema export`, `diagram` and `adopt`: the declared schema as SQL and as a picture, a live database as
declarations."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.addresses import find_database
from cli.console import console, stderr_console
from cli.declarations import Source, find_objects, find_options, schema_settings_of
from cli.options import DeclaredOption, DsnOption, SqlOption, StackOption
from schema.capabilities import Edition
from schema.lifecompanion import Timestamps

if TYPE_CHECKING:
    from schema.connection import Address
    from schema.export.adoption_proof import ProvenAdoption
    from schema.model.objects import Object


class ExportError(Exception):
    """The schema cannot be written to that folder; the message is one line with the remedy."""


class AdoptError(Exception):
    """A database cannot be adopted into that file; the message is one line with the remedy."""


def export(stack: StackOption = None, *, dsn: DsnOption = None, declared: DeclaredOption = None, sql: SqlOption = None,
           live: Annotated[bool, typer.Option("--live", help="The live database, in place of a declaration.")] = False,
           timestamps: Annotated[Timestamps | None, typer.Option(help="In place of the stack's.")] = None,
           edition: Annotated[Edition, typer.Option(help="Of the TimescaleDB that is to load it.")] = "timescale",
           laravel: Annotated[Path | None, typer.Option(metavar="DIR", help=(
               "Write it where the Laravel application in DIR loads its schema from."))] = None) -> None:
    """Print the declared schema as plain SQL for an empty database; asks no server without --sql and --live."""
    from schema.export.plain_sql import dump

    remarks: Sequence[str] = ()
    if live:
        if declared or sql or laravel:
            raise ExportError("--live: is given beside --declared, --sql or --laravel; give one of them")
        adopted = _adopt(stack, find_database(stack, dsn)[1])
        objects, remarks = adopted.objects, adopted.remarks
        _show_findings(adopted)
    else:
        settings = schema_settings_of(stack)
        settings = settings.model_copy(update={"timestamps": timestamps}) if timestamps else settings
        objects = find_objects(_source(stack, dsn, declared, sql), settings)
    if laravel is None:
        print(dump(objects, edition, remarks), end="")
    else:
        _write_for_laravel(laravel, objects, edition)


def _source(stack: str | None, dsn: str | None, declared: Path | None, sql: Path | None) -> Source:
    """The source of the declarations; a database is looked for only where SQL files need one."""
    return Source(declared, sql, find_database(stack, dsn)[1] if sql and not declared else None)


def _write_for_laravel(laravel: Path, objects: Sequence[Object], edition: Edition) -> None:
    from schema.export.plain_sql import LARAVEL_FILE, LARAVEL_MIGRATIONS, laravel_dump

    if not (laravel / "artisan").is_file():
        raise ExportError(f"{laravel}: no Laravel application, as it has no file artisan; give the folder of one")
    migrations = {path.stem: path.read_text(encoding="utf-8")
                  for path in (laravel / LARAVEL_MIGRATIONS).glob("*.php")}
    written = laravel_dump(objects, migrations, edition)
    file = laravel / LARAVEL_FILE
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(written.sql, encoding="utf-8")
    for name in written.ran:
        console.print(f"counts as run: {name}", soft_wrap=True)
    for remark in written.remarks:
        console.print(remark, style="yellow", markup=False, soft_wrap=True)
    console.print(f"written: {file}; `php artisan migrate` loads it into an empty database", soft_wrap=True)


def diagram(file: Annotated[Path | None, typer.Argument(metavar="[FILE.svg]", help="Write it there.")] = None,
            stack: StackOption = None, *, dsn: DsnOption = None, declared: DeclaredOption = None,
            sql: SqlOption = None) -> None:
    """Draw the declared schema as SVG, hypertables, aggregates and policies marked; asks no server without --sql."""
    from schema.export.diagram import draw

    file_or_folder = declared or sql
    title = file_or_folder.resolve().stem if file_or_folder else "LifeCompanion's database, as declared"
    drawn = draw(find_objects(_source(stack, dsn, declared, sql), schema_settings_of(stack)), title)
    if file is None:
        print(drawn, end="")
        return
    file.write_text(drawn, encoding="utf-8")
    console.print(f"drawn: {file}", soft_wrap=True)


def adopt(file: Annotated[Path | None, typer.Argument(metavar="[FILE.py]", help="Print to it, if it is new.")] = None,
          stack: StackOption = None, *, dsn: DsnOption = None,
          schemas: Annotated[list[str] | None, typer.Option("--schema", metavar="NAME", help=(
              "A schema to adopt; without one, all that people made."))] = None) -> None:
    """Print the Python declaration of a live database, and plan it; changes nothing.

    What cannot be declared, and what a plan would still do, is said in comments at its top and on stderr.
    """
    from schema.export.python_source import python
    from schema.export.read_source import read_source

    if file and file.exists():
        raise AdoptError(f"{file}: is there already; give a new name, or remove it")
    name, address = find_database(stack, dsn)
    adopted = _adopt(name, address, schemas or ())
    code = python(adopted.objects, f"What the database {address.database} held when it was adopted.", adopted.remarks,
                  [*adopted.differences, *([adopted.unproven] if adopted.unproven else [])])
    if read_source(code) != adopted.objects:
        raise AdoptError(f"{address.database}: the declaration that was written is not what was read; please report it")
    _show_findings(adopted)
    if file is None:
        print(code, end="")
        return
    file.write_text(code, encoding="utf-8")
    if adopted.unproven:
        result = "could not be tried"
    else:
        count = len(adopted.differences)
        result = f"still has {count} {'step' if count == 1 else 'steps'}" if count else "finds nothing to do"
    console.print(f"written: {file}, {len(adopted.objects)} objects; `lcdb schema plan --declared {file}` {result}",
                  soft_wrap=True)


def _adopt(stack: str | None, address: Address, schemas: Sequence[str] = ()) -> ProvenAdoption:
    from schema.apply import plan
    from schema.export.adoption_proof import adopt_and_plan

    options = find_options(stack)
    return adopt_and_plan(address, schemas, lambda objects: plan(address, objects, options=options), options.allow)


def _show_findings(adopted: ProvenAdoption) -> None:
    """Print to stderr what is left out and what a plan would still do."""
    lines = [f"not declared: {remark}" for remark in adopted.remarks]
    lines += [f"not empty: {difference}" for difference in adopted.differences]
    lines += [f"not planned: {adopted.unproven}"] if adopted.unproven else []
    for line in lines:
        stderr_console.print(line, style="yellow", markup=False, soft_wrap=True)
