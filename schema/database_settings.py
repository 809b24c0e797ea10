"""Parameters that a database gives every session, as ALTER DATABASE ... SET keeps them."""

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
    """The database's own values of these parameters; a parameter without one is absent."""
    # The server keeps some names in a spelling of its own (TimeZone), and takes any.
    wanted = {name.lower(): name for name in names}
    with address.connect() as connection:
        found = connection.execute(LIVE).fetchall()
    return {wanted[name.lower()]: value for name, value in found if name.lower() in wanted}


def ensure_settings(address: Address, settings: Mapping[str, str]) -> None:
    """Give every later session of the database these values; parameters that have them already are not touched.

    The login must own the database. Sessions that are open keep what they have.
    """
    live = read_settings(address, settings)
    with address.connect() as connection:
        for name, value in settings.items():
            if live.get(name) != value:
                connection.execute(sql.SQL("ALTER DATABASE {} SET {} = {}").format(
                    sql.Identifier(address.database), sql.Identifier(name), sql.Literal(value)))
