"""The host target: a server that already runs, asked first whether it can carry the database."""

from __future__ import annotations

import pulumi

from infra.components import Component
from infra.server import ReadAddress, Server
from infra.services.pgbackrest import host_repository
from infra.settings import Settings, SettingsError
from schema.connection import Address

LEAST_VERSION = 13
EXTENSIONS = ("timescaledb", "pg_stat_statements")
FACTS = """
SELECT current_setting('server_version_num')::int / 10000,
       current_setting('server_version'),
       ARRAY(SELECT name::text FROM pg_available_extensions WHERE name = ANY (%s)),
       (SELECT rolsuper FROM pg_roles WHERE rolname = current_user),
       pg_is_in_recovery(),
       string_to_array(replace(current_setting('shared_preload_libraries'), ' ', ''), ',')
"""


def host_server(settings: Settings, component: Component) -> Server:
    """The given server, checked at preview; raises SettingsError with every thing its administrator must do."""
    assert settings.host
    assert settings.admin_password
    address = Address(settings.host, settings.primary_port, "postgres", settings.admin_user,
                      settings.admin_password.get_secret_value(), settings.sslmode, settings.ssl_root_cert)
    major = require_fit(address)
    return Server(
        target="host", host=settings.host, port=settings.primary_port, admin_user=settings.admin_user,
        admin_password=pulumi.Output.secret(settings.admin_password.get_secret_value()), sslmode=settings.sslmode,
        sslrootcert=settings.ssl_root_cert,
        reads=tuple(ReadAddress(*_split(read)) for read in settings.read_addresses), connections=10,
        major=major, physical=host_repository(settings, component),
        leaves_out=("a host's server is its administrator's: replicas and parameters are not made here",),
    )


def require_fit(address: Address) -> int:
    """Its major version; raises SettingsError unless version, extensions, libraries and the login's rights suffice."""
    with address.connect() as connection:
        row = connection.execute(FACTS, [list(EXTENSIONS)]).fetchone()
    assert row
    major, version, available, superuser, standby, preloaded = row
    problems = []
    if major < LEAST_VERSION:
        problems.append(f"PostgreSQL {version} found, {LEAST_VERSION} or later required: upgrade the server")
    if standby:
        problems.append("a standby found, a primary required: give the primary's address")
    for extension in EXTENSIONS:
        if extension not in available:
            problems.append(f"extension {extension} not available: install its package for PostgreSQL {major}")
        elif extension not in preloaded:
            problems.append(f"{extension} not in shared_preload_libraries: add it and restart the server")
    if not superuser:
        problems.append(f"{address.user} is no superuser, one required to make extensions and the replicator's role: "
                        "set lifecompanion:adminUser to a superuser")
    if problems:
        raise SettingsError("\n".join(f"lifecompanion:host: {address.host}:{address.port}: {problem}"
                                      for problem in problems))
    return int(major)


def _split(read: str) -> tuple[str, str, int]:
    host, port = read.rsplit(":", 1)
    return read, host, int(port)
