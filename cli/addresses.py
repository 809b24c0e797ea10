"""The database that a command means: the stack's, or one given by DSN."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from cli.console import stderr_console

if TYPE_CHECKING:
    from schema.connection import Address

# What an Address carries; anything else in a DSN, such as channel_binding, would be dropped without a word.
KNOWN = frozenset({"host", "port", "user", "password", "dbname", "sslmode", "sslrootcert"})


class DsnError(Exception):
    """A DSN cannot be used: one line, never with the DSN in it."""


def find_database(stack: str | None, dsn: str | None, role: str = "owner") -> tuple[str | None, Address]:
    """The address in `dsn`, else the stack's for `role`; with the name of the stack, if any is meant.

    Raises DsnError, OutputsError, StackError.
    """
    if dsn:
        return stack, _parse(dsn)
    from cli.drivers import open_driver
    from infra.automation.report import login_address

    name, driver = open_driver(stack, stderr_console)
    return name, login_address(driver.outputs(), role)


def _parse(dsn: str) -> Address:
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    from schema.connection import Address

    try:
        parts = {"host": "127.0.0.1", "port": 5432, "password": "", **conninfo_to_dict(dsn)}
    except ProgrammingError:
        raise DsnError("--dsn: not a connection string; write postgresql://user:password@host:port/database") from None
    missing = [name for name in ("user", "dbname") if not parts.get(name)]
    if missing:
        raise DsnError(f"--dsn: {' and '.join(missing)} missing; write postgresql://user:password@host:port/database")
    unknown = sorted(parts.keys() - KNOWN)
    if unknown:
        raise DsnError(f"--dsn: {', '.join(unknown)} is not heeded here, and would be lost; leave it out, "
                       f"known are: {', '.join(sorted(KNOWN))}")
    return Address.from_dict({"sslmode": os.environ.get("PGSSLMODE"), **parts, "database": parts["dbname"]})
