"""Commands on a stack's database: connect, outputs."""

from __future__ import annotations

import os
import shutil
from enum import StrEnum
from typing import Annotated

import typer

from cli.console import console, stderr_console
from cli.options import StackOption

RoleOption = Annotated[str, typer.Option("--role", "-r", help="admin, owner, app, readonly, backup or monitor.")]


class ConnectError(Exception):
    """psql cannot be started; the message is one line that says what to do instead."""


class Kind(StrEnum):
    """The formats that `outputs` prints."""

    LARAVEL = "laravel"
    LARAVEL_PHP = "laravel-php"
    SERVICE = "service"
    DSN = "dsn"


def connect(stack: StackOption = None, role: RoleOption = "app",
            arguments: Annotated[list[str] | None, typer.Argument(help="For psql, after --.")] = None) -> None:
    """Open psql on the stack's primary."""
    from cli.drivers import open_driver
    from infra.automation.report import login_address

    name, driver = open_driver(stack, console)
    address = login_address(driver.outputs(), role)
    psql = shutil.which("psql")
    if not psql:
        raise ConnectError(f"psql is not on the PATH; install a PostgreSQL client, or use another with what "
                           f"`lcdb outputs dsn --stack {name} --role {role}` prints")
    # In the environment: everyone on the machine can read the arguments of a process.
    login = {"PGHOST": address.host, "PGPORT": str(address.port), "PGDATABASE": address.database,
             "PGUSER": address.user, "PGPASSWORD": address.password, "PGSSLMODE": address.sslmode}
    if address.sslrootcert:
        login["PGSSLROOTCERT"] = address.sslrootcert
    os.execve(psql, ["psql", *(arguments or [])], {**os.environ, **login})  # noqa: S606 (no shell is wanted)


def outputs(kind: Annotated[Kind, typer.Argument(help="Laravel's .env lines or its database.php entry, a "
                                                      "pg_service.conf, or one role's DSN.")],
            stack: StackOption = None, role: RoleOption = "app") -> None:
    """Print connection settings of the stack, passwords included, for a program to read."""
    from cli.drivers import open_driver
    from infra.automation.report import OutputsError, login_address

    name, driver = open_driver(stack, stderr_console)
    values = driver.outputs()
    if kind is Kind.DSN:
        login_address(values, role)
        print(values["logins"][role]["dsn"])
        return
    key = {Kind.LARAVEL: "laravel_env", Kind.LARAVEL_PHP: "laravel_database_php", Kind.SERVICE: "pg_service"}[kind]
    if not values.get(key):
        raise OutputsError(f"stack {name} has no {key} yet; bring it up first with `make up`")
    print(str(values[key]).rstrip())
