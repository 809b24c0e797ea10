"""Parameters that a database sets for every session: ALTER DATABASE ... SET."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from psycopg import sql

from schema.connection import Address

LIVE = """
SELECT split_part(entry, '=', 1), substr(entry, strpos(entry, '=') + 1)
FROM pg_db_role_setting s
JOIN pg_database d ON d.oid = s.setdatabase
CROSS JOIN LATERAL unnest(s.setconfig) AS entry
WHERE s.setrole = 0 AND d.datname = current_database()
"""


def read_settings(address: Address, names: Iterable[str]) -> dict[str, str]:
    """Read the database's own values of these parameters; a parameter without one is absent."""
    # The server keeps some names in a spelling of its own (TimeZone), and takes any.
    wanted = {name.lower(): name for name in names}
    with address.connect() as connection:
        entries = connection.execute(LIVE).fetchall()
    return {wanted[name.lower()]: value for name, value in entries if name.lower() in wanted}


def ensure_settings(address: Address, settings: Mapping[str, str]) -> None:
    """Set these parameters for every later session of the database; those that have the value already are left alone.

    The login must own the database. Open sessions keep their values.
    """
    live = read_settings(address, settings)
    with address.connect() as connection:
        for name, value in settings.items():
            if live.get(name) != value:
                connection.execute(sql.SQL("ALTER DATABASE {} SET {} = {}").format(
                    sql.Identifier(address.database), sql.Identifier(name), sql.Literal(value)))
