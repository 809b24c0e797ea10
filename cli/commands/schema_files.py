"""`lcdb schema export`, `diagram` and `adopt`: the declared schema as SQL and as a picture, a live database as
declarations."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.addresses import find_database
from cli.console import console
from cli.declarations import find_objects, run, schema_settings_of
from cli.options import DeclaredOption, DsnOption, StackOption
from schema.capabilities import Edition
from schema.lifecompanion import Timestamps


class ExportError(Exception):
    """The schema cannot be written to that folder; the message is one line with the remedy."""


class AdoptError(Exception):
    """A database cannot be adopted into that file; the message is one line with the remedy."""


def export(stack: StackOption = None, *, declared: DeclaredOption = None,
           timestamps: Annotated[Timestamps | None, typer.Option(help="In place of the stack's.")] = None,
           edition: Annotated[Edition, typer.Option(help="Of the TimescaleDB that is to load it.")] = "timescale",
           laravel: Annotated[Path | None, typer.Option(metavar="DIR", help=(
               "Write it where the Laravel application in DIR loads its schema from."))] = None) -> None:
    """Print the declared schema as plain SQL for an empty database; asks no server."""
    from schema.export.plain_sql import LARAVEL_FILE, LARAVEL_MIGRATIONS, dump, laravel_dump

    settings = schema_settings_of(stack)
    settings = settings.model_copy(update={"timestamps": timestamps}) if timestamps else settings
    objects = find_objects(declared, settings)
    if laravel is None:
        print(dump(objects, edition), end="")
        return
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
            stack: StackOption = None, *, declared: DeclaredOption = None) -> None:
    """Draw the declared schema as SVG, hypertables, aggregates and policies marked; asks no server."""
    from schema.export.diagram import draw

    title = declared.stem if declared else "LifeCompanion's database, as declared"
    drawn = draw(find_objects(declared, schema_settings_of(stack)), title)
    if file is None:
        print(drawn, end="")
        return
    file.write_text(drawn, encoding="utf-8")
    console.print(f"drawn: {file}", soft_wrap=True)


def adopt(file: Annotated[Path | None, typer.Argument(metavar="[FILE.py]", help="Print to it, if it is new.")] = None,
          stack: StackOption = None, *, dsn: DsnOption = None,
          schemas: Annotated[list[str] | None, typer.Option("--schema", metavar="NAME", help=(
              "A schema to adopt; without one, all that people made."))] = None) -> None:
    """Print the Python declaration of a live database, against which it then plans empty; changes nothing."""
    from schema.export.adoption import adopt as read
    from schema.export.python_source import python

    if file and file.exists():
        raise AdoptError(f"{file}: is there already; give a new name, or remove it")
    _, address = find_database(stack, dsn)
    live = read(address, schemas or ())
    code = python(live.objects, f"What the database {address.database} held when it was adopted.", live.remarks)
    if run(code, Path("adopted.py")) != live.objects:
        raise AdoptError(f"{address.database}: the declaration that was written is not what was read; please report it")
    if file is None:
        print(code, end="")
        return
    file.write_text(code, encoding="utf-8")
    for remark in live.remarks:
        console.print(remark, style="yellow", markup=False, soft_wrap=True)
    console.print(f"written: {file}, {len(live.objects)} objects; `lcdb schema plan --declared {file}` finds nothing "
                  "to do", soft_wrap=True)
