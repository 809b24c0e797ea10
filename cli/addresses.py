"""The database that a command connects to: the stack's, or one given by DSN."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from cli.console import stderr_console

if TYPE_CHECKING:
    from schema.connection import Address

# The parameters that an Address keeps; any other in a DSN, such as channel_binding, would be lost silently.
KNOWN = frozenset({"host", "port", "user", "password", "dbname", "sslmode", "sslrootcert"})


class DsnError(Exception):
    """A DSN cannot be used; the message is one line that never contains the DSN."""


def find_database(stack: str | None, dsn: str | None, role: str = "owner") -> tuple[str | None, Address]:
    """Return the stack's name and the address in `dsn`, else the stack's address for `role`; no name with a DSN alone.

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
        raise DsnError(f"--dsn: {', '.join(unknown)} is not supported here and would be ignored; leave it out, "
                       f"supported are: {', '.join(sorted(KNOWN))}")
    return Address.from_dict({"sslmode": os.environ.get("PGSSLMODE"), **parts, "database": parts["dbname"]})
