"""Who may do what: the database, its roles with just the rights each needs, its extensions (pulumi-postgresql)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_postgresql as postgresql

from infra.components import Component
from infra.resources import DatabaseOwner, DatabaseSettings, Password
from infra.server import ReadAddress, Server
from infra.settings import Role, Settings

OWNER: Role = "owner"
APP: Role = "app"
READONLY: Role = "readonly"
BACKUP: Role = "backup"
MONITOR: Role = "monitor"
REPLICATOR: Role = "replicator"
ROLES: tuple[Role, ...] = (OWNER, APP, READONLY, BACKUP, MONITOR, REPLICATOR)
READS_ALL = "pg_read_all_data"  # from PostgreSQL 14 on
# What belongs to a role by membership in one of the server's own roles, or by attribute.
MEMBER_OF: Mapping[Role, str] = {
    MONITOR: "pg_monitor",
    # A dump reads the tables that TimescaleDB makes too: compressed chunks and what aggregates are kept in.
    BACKUP: READS_ALL,
}
READS = ("SELECT",)
TABLES: Mapping[Role, Sequence[str]] = {APP: ("SELECT", "INSERT", "UPDATE", "DELETE"), READONLY: READS, BACKUP: READS}
SEQUENCES: Mapping[Role, Sequence[str]] = {APP: ("SELECT", "UPDATE", "USAGE"), READONLY: READS, BACKUP: READS}


@dataclass(frozen=True)
class Access:
    """The database as each role logs in to it; `ready` is what a login has to wait for."""

    database: str
    provider: postgresql.Provider
    logins: Mapping[Role, pulumi.Output[str]]
    passwords: Mapping[Role, pulumi.Output[str]]
    ready: Sequence[pulumi.Resource]

    def connection(self, server: Server, role: Role) -> pulumi.Output[dict[str, object]]:
        """The mapping that schema.connection.Address.from_dict takes, for this role; secret."""
        return connection(server, self.database, self.logins[role], self.passwords[role])

    def declare_reads(self, server: Server) -> Sequence[ReadAddress]:
        """Where reads may go: the addresses given, and the standbys that the target declares."""
        standbys = server.standbys(self.provider, self.logins[REPLICATOR], self.passwords[REPLICATOR]
                                   ) if server.standbys else ()
        return (*server.reads, *standbys)


def connection(server: Server, database: str, user: pulumi.Input[str],
               password: pulumi.Input[str]) -> pulumi.Output[dict[str, object]]:
    """One login as the mapping that schema.connection.Address.from_dict takes; secret."""
    return pulumi.Output.secret(pulumi.Output.all(server.host, server.port, user, password).apply(
        lambda known: {
            "host": known[0], "port": known[1], "database": database, "user": known[2], "password": known[3],
            "sslmode": server.sslmode, **({"sslrootcert": server.sslrootcert} if server.sslrootcert else {}),
        }))


def inside(server: Server, component: Component, *, depends_on: Sequence[pulumi.Resource] = (), **options: Any
           ) -> pulumi.ResourceOptions:
    """Options of what lives inside the server: it goes with a server of ours, and stays in one that is not.

    `options` are more of ResourceOptions, and go before these.
    """
    return component.child(**{"depends_on": list(depends_on), "deleted_with": server.owned,
                              "retain_on_delete": server.owned is None, **options})


def role_name(settings: Settings, role: str) -> str:
    """Roles belong to the whole server, so they carry the database's name."""
    return f"{settings.database}_{role}"


def role_password(settings: Settings, component: Component, role: Role) -> pulumi.Output[str]:
    """The password given in the stack's config, else one generated for good."""
    given = settings.passwords.get(role)
    return pulumi.Output.secret(given.get_secret_value()) if given else Password(role, component.child()).value


def declare_access(settings: Settings, server: Server) -> Access:
    """Declare database, roles, grants, default privileges, extensions and the database's time zone."""
    component = Component("Access")
    provider = postgresql.Provider(
        "server", host=server.host, port=server.port, username=server.admin_user, password=server.admin_password,
        sslmode=server.sslmode, sslrootcert=server.sslrootcert, max_connections=server.connections,
        connect_timeout=30, database="postgres",
        opts=pulumi.ResourceOptions(depends_on=[server.ready] if server.ready else []))
    passwords = {role: role_password(settings, component, role) for role in ROLES}
    roles = {role: _role(settings, server, component, provider, role, passwords[role]) for role in ROLES}
    # The plugin takes two connections at once to set an owner; where there is but one, it would wait for ever.
    alone = server.connections == 1
    database = postgresql.Database("database", name=settings.database, owner=None if alone else roles[OWNER].name,
                                   opts=inside(server, component, provider=provider))
    owned: list[pulumi.Resource] = [database]
    if alone:
        admin = connection(server, "postgres", server.admin_user, server.admin_password)
        owned.append(DatabaseOwner("database-owner", admin, database.name, roles[OWNER].name,
                                   opts=inside(server, component, depends_on=[database])))
    extensions = [
        # The administrator's own search path holds no schema to make it in.
        postgresql.Extension(f"extension-{name}", name=name, database=database.name, schema="public",
                             opts=inside(server, component, provider=provider, depends_on=owned))
        for name in server.extensions
    ]
    # After the owner, whom the administrator sets from another database: the embedded server serves one at a time, and
    # takes a second to go from one to the other.
    grants = _nobody_else(server, component, provider, database, after=owned)
    for role in (APP, READONLY, BACKUP, MONITOR):
        grants += _grants(server, component, provider, database, roles, role, after=grants[-1])
    access = Access(settings.database, provider, {role: roles[role].name for role in ROLES}, passwords,
                    ready=(*owned, *extensions, *grants))
    DatabaseSettings("database-settings", access.connection(server, OWNER), {"timezone": "UTC"},
                     opts=inside(server, component, depends_on=owned))
    component.register_outputs({"database": settings.database, "roles": [role_name(settings, role) for role in ROLES]})
    return access


def member_of(server: Server, role: Role) -> list[str]:
    """The server's own roles that a role belongs to, as far as its version has them."""
    built_in = MEMBER_OF.get(role)
    return [built_in] if built_in and (built_in != READS_ALL or server.major >= 14) else []


def _role(settings: Settings, server: Server, component: Component, provider: postgresql.Provider, role: Role,
          password: pulumi.Output[str]) -> postgresql.Role:
    return postgresql.Role(
        f"role-{role}", name=role_name(settings, role), login=True, password=password, superuser=False,
        create_database=False, create_role=False, replication=role == REPLICATOR,
        roles=member_of(server, role), opts=inside(server, component, provider=provider))


def _nobody_else(server: Server, component: Component, provider: postgresql.Provider, database: postgresql.Database, *,
                 after: Sequence[pulumi.Resource]) -> list[pulumi.Resource]:
    """Everybody may connect, and before PostgreSQL 15 make objects, until PUBLIC's right to it is taken away."""
    connecting = postgresql.Grant(
        "grant-public-database", database=database.name, role="public", object_type="database", privileges=[],
        opts=inside(server, component, provider=provider, depends_on=after))
    creating = postgresql.Grant(
        "grant-public-schema", database=database.name, role="public", schema="public", object_type="schema",
        privileges=["USAGE"], opts=inside(server, component, provider=provider, depends_on=[connecting]))
    return [connecting, creating]


def _grants(server: Server, component: Component, provider: postgresql.Provider, database: postgresql.Database,
            roles: Mapping[Role, postgresql.Role], role: Role, after: pulumi.Resource) -> list[pulumi.Resource]:
    """CONNECT, USAGE and the table rights of one role, now and for whatever the owner makes later.

    One follows the other: two grants on one object at once meet as "tuple concurrently updated".
    """
    name = roles[role].name
    grants = [after]

    def options() -> pulumi.ResourceOptions:
        return inside(server, component, provider=provider, depends_on=grants[-1:])

    def grant(kind: str, privileges: Sequence[str]) -> None:
        grants.append(postgresql.Grant(
            f"grant-{role}-{kind}", database=database.name, role=name, object_type=kind, privileges=list(privileges),
            schema=None if kind == "database" else "public", opts=options()))

    grant("database", ["CONNECT"])
    grant("schema", ["USAGE"])
    for kind, rights in (("table", TABLES), ("sequence", SEQUENCES)):
        if role in rights:
            grant(kind, rights[role])
            grants.append(postgresql.DefaultPrivileges(
                f"default-{role}-{kind}", database=database.name, owner=roles[OWNER].name, role=name, schema="public",
                object_type=kind, privileges=list(rights[role]), opts=options()))
    return grants[1:]
