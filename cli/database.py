"""Commands on a stack's database: connect, outputs, seed."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cli.addresses import find_database
from cli.stacks import StackOption, console

RoleOption = Annotated[str, typer.Option("--role", "-r", help="admin, owner, app, readonly, backup or monitor.")]
DsnOption = Annotated[str | None, typer.Option("--dsn", envvar="LCDB_DSN", metavar="DSN", show_envvar=True, help=(
    "A database of your own in place of the stack's; put it in the variable to keep its password out of sight."))]


class ConnectError(Exception):
    """psql cannot be opened: one line with the way round."""


class Kind(StrEnum):
    """What `outputs` prints."""

    LARAVEL = "laravel"
    LARAVEL_PHP = "laravel-php"
    SERVICE = "service"
    DSN = "dsn"


def connect(stack: StackOption = None, role: RoleOption = "app",
            arguments: Annotated[list[str] | None, typer.Argument(help="For psql, after --.")] = None) -> None:
    """Open psql on the stack's primary."""
    from cli.drivers import open_driver
    from infra.report import login_address

    name, driver = open_driver(stack, console)
    address = login_address(driver.outputs(), role)
    psql = shutil.which("psql")
    if not psql:
        raise ConnectError(f"psql is not on the PATH; install a PostgreSQL client, or use another with what "
                           f"`lcdb outputs dsn --stack {name} --role {role}` prints")
    # By the environment: the arguments of a process can be read by everyone on the machine.
    login = {"PGHOST": address.host, "PGPORT": str(address.port), "PGDATABASE": address.database,
             "PGUSER": address.user, "PGPASSWORD": address.password, "PGSSLMODE": address.sslmode}
    if address.sslrootcert:
        login["PGSSLROOTCERT"] = address.sslrootcert
    os.execve(psql, ["psql", *(arguments or [])], {**os.environ, **login})  # noqa: S606 (no shell is wanted)


def outputs(kind: Annotated[Kind, typer.Argument(help="Laravel's .env lines or its database.php entry, a "
                                                      "pg_service.conf, or one role's DSN.")],
            stack: StackOption = None, role: RoleOption = "app") -> None:
    """Print connection settings of the stack, passwords included, for a program to read."""
    from rich.console import Console

    from cli.drivers import open_driver
    from infra.report import OutputsError, login_address

    # What is printed is for a file or a pipe: everything said beside it goes elsewhere.
    name, driver = open_driver(stack, Console(stderr=True, highlight=False))
    found = driver.outputs()
    if kind is Kind.DSN:
        login_address(found, role)
        print(found["logins"][role]["dsn"])
        return
    key = {Kind.LARAVEL: "laravel_env", Kind.LARAVEL_PHP: "laravel_database_php", Kind.SERVICE: "pg_service"}[kind]
    if not found.get(key):
        raise OutputsError(f"stack {name} has no {key} yet; bring it up first with `make up`")
    print(str(found[key]).rstrip())


def seed(stack: StackOption = None, *, dsn: DsnOption = None, users: int = 5, devices_per_user: int = 3,
         readings: int = 50_000, activities: int = 5_000, notifications: int = 500, days: int = 30,
         number: Annotated[int, typer.Option(help="The same number and end give the same data.")] = 20260101,
         until: Annotated[datetime | None, typer.Option(help="The end of the data in UTC, else now.")] = None,
         preview: Annotated[Path | None, typer.Option(help="Draw the data into this PNG and load nothing.")] = None
         ) -> None:
    """Fill the empty tables with realistic data; leaves a database alone whose tables have rows."""
    from rich.progress import Progress, TaskID

    from seed import Spec
    from seed.load import seed as load

    spec = Spec(users=users, devices_per_user=devices_per_user, readings=readings, activities=activities,
                notifications=notifications, days=days, number=number, until=until and until.replace(tzinfo=UTC))
    if preview:
        from seed.preview import draw

        draw(spec, preview)
        console.print(f"drawn: {preview}", soft_wrap=True)
        return
    _, address = find_database(stack, dsn)
    tasks: dict[str, TaskID] = {}
    with Progress(console=console, transient=True) as bars:
        def hear(table: str, done: int, total: int) -> None:
            if table not in tasks:
                tasks[table] = bars.add_task(table, total=total)
            bars.update(tasks[table], completed=done)
        loaded = load(address, spec, hear)
    rows = ", ".join(f"{table} {count:,}" for table, count in loaded.counts.items())
    console.print(f"tables have rows already and were left alone: {rows}" if loaded.skipped
                  else f"loaded in {loaded.seconds:.1f} s: {rows}", soft_wrap=True)
