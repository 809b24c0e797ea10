"""Make roles, databases, schemas, extensions and grants over SQL, where no pulumi-postgresql plugin runs.

Each function returns the statements that are missing, none where all is as declared. An unknown property is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import psycopg
from psycopg import sql

from schema.connection import Address

Connection = psycopg.Connection[tuple[Any, ...]]
Inputs = Mapping[str, Any]
Statements = list[sql.Composed]

# Properties about the plugin's own behaviour, which change nothing in the database.
CONDUCT = frozenset({"dropCascade", "skipDropRole", "skipReassignOwned"})
ATTRIBUTES = {"login": ("rolcanlogin", "LOGIN"), "superuser": ("rolsuper", "SUPERUSER"),
              "createDatabase": ("rolcreatedb", "CREATEDB"), "createRole": ("rolcreaterole", "CREATEROLE"),
              "replication": ("rolreplication", "REPLICATION"),
              "bypassRowLevelSecurity": ("rolbypassrls", "BYPASSRLS")}
# object type: catalog query of (name, privileges of the role) and the objects as GRANT names them
GRANTED = {
    "database": ("SELECT datname, coalesce(datacl, acldefault('d', datdba)) FROM pg_database WHERE datname = %(name)s",
                 "DATABASE {name}"),
    "schema": ("SELECT nspname, coalesce(nspacl, acldefault('n', nspowner)) FROM pg_namespace WHERE nspname = %(name)s",
               "SCHEMA {name}"),
    "table": ("SELECT relname, coalesce(relacl, acldefault('r', relowner)) FROM pg_class "
              "WHERE relnamespace = to_regnamespace(%(name)s) AND relkind IN ('r', 'p', 'v', 'm', 'f')",
              "ALL TABLES IN SCHEMA {name}"),
    "sequence": ("SELECT relname, coalesce(relacl, acldefault('s', relowner)) FROM pg_class "
                 "WHERE relnamespace = to_regnamespace(%(name)s) AND relkind = 'S'",
                 "ALL SEQUENCES IN SCHEMA {name}"),
}
DEFAULTS = {"table": ("r", "TABLES"), "sequence": ("S", "SEQUENCES"), "function": ("f", "FUNCTIONS"),
            "type": ("T", "TYPES"), "schema": ("n", "SCHEMAS")}


class UnknownPropertyError(Exception):
    """A resource has a property that cannot be made over SQL; the message is one line."""


def can_make(kind: str) -> bool:
    """Tell whether resources of this type can be made over SQL."""
    return kind in MAKERS


def missing(kind: str, inputs: Inputs, login: Address, *, password_is_set: bool = False) -> tuple[Address, Statements]:
    """Return the statements that the resource still needs, none where all is as declared, and the login to run them.

    `password_is_set`: the caller knows that an existing role has this password; it cannot be read from the server.
    Raises UnknownPropertyError.
    """
    maker, keys, per_database = MAKERS[kind]
    strange = sorted(key for key in inputs.keys() - keys - CONDUCT if not key.startswith("__"))
    if strange:
        raise UnknownPropertyError(f"{kind}: {', '.join(strange)} found, known over SQL are {', '.join(sorted(keys))}; "
                                   "install the Pulumi CLI for the rest")
    if per_database and inputs.get("database"):
        login = Address.from_dict({**login.to_dict(), "database": inputs["database"]})
    with login.connect() as connection:
        statements = maker(connection, inputs)
    if kind == ROLE and password_is_set:
        statements = [one for one in statements if " PASSWORD " not in one.as_string()]
    return login, statements


def make(login: Address, statements: Statements) -> None:
    """Run the statements over one connection."""
    with login.connect() as connection:
        for statement in statements:
            connection.execute(statement)


def _role(connection: Connection, inputs: Inputs) -> Statements:
    name = sql.Identifier(inputs["name"])
    live = _one(connection, sql.SQL("SELECT {} FROM pg_roles WHERE rolname = %s").format(
        sql.SQL(", ").join(sql.Identifier(column) for column, _ in ATTRIBUTES.values())), inputs["name"])
    statements = [] if live else [sql.SQL("CREATE ROLE {}").format(name)]
    wanted = [bool(inputs.get(key, False)) for key in ATTRIBUTES]
    if list(live or [False] * len(wanted)) != wanted:
        words = " ".join(word if on else f"NO{word}" for (_, word), on in zip(ATTRIBUTES.values(), wanted, strict=True))
        statements.append(sql.SQL("ALTER ROLE {} {}").format(name, sql.SQL(words)))
    if inputs.get("password"):
        # hashed here, so that no server log can show it
        secret = connection.pgconn.encrypt_password(
            inputs["password"].encode(), inputs["name"].encode(), b"scram-sha-256").decode()
        statements.append(sql.SQL("ALTER ROLE {} PASSWORD {}").format(name, sql.Literal(secret)))
    has = {row[0] for row in connection.execute(
        "SELECT pg_get_userbyid(roleid) FROM pg_auth_members WHERE pg_get_userbyid(member) = %s", (inputs["name"],))}
    wants = set(inputs.get("roles") or ())
    statements += [sql.SQL("GRANT {} TO {}").format(sql.Identifier(role), name) for role in sorted(wants - has)]
    statements += [sql.SQL("REVOKE {} FROM {}").format(sql.Identifier(role), name) for role in sorted(has - wants)]
    return statements


def _database(connection: Connection, inputs: Inputs) -> Statements:
    name, owner = sql.Identifier(inputs["name"]), inputs.get("owner")
    live = _one(connection, "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = %s", inputs["name"])
    if live is None:
        owned_by = sql.SQL(" OWNER {}").format(sql.Identifier(owner)) if owner else sql.SQL("")
        return [sql.SQL("CREATE DATABASE {}{}").format(name, owned_by)]
    if owner and live[0] != owner:
        return [sql.SQL("ALTER DATABASE {} OWNER TO {}").format(name, sql.Identifier(owner))]
    return []


def _schema(connection: Connection, inputs: Inputs) -> Statements:
    name, owner = sql.Identifier(inputs["name"]), inputs.get("owner")
    live = _one(connection, "SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = %s", inputs["name"])
    statements = [] if live else [sql.SQL("CREATE SCHEMA {}").format(name)]
    if owner and (live is None or live[0] != owner):
        statements.append(sql.SQL("ALTER SCHEMA {} OWNER TO {}").format(name, sql.Identifier(owner)))
    return statements


def _extension(connection: Connection, inputs: Inputs) -> Statements:
    if _one(connection, "SELECT 1 FROM pg_extension WHERE extname = %s", inputs["name"]):
        return []
    place = sql.SQL(" SCHEMA {}").format(sql.Identifier(inputs["schema"])) if inputs.get("schema") else sql.SQL("")
    return [sql.SQL("CREATE EXTENSION {}{} CASCADE").format(sql.Identifier(inputs["name"]), place)]


def _grant(connection: Connection, inputs: Inputs) -> Statements:
    kind = inputs["objectType"]
    if kind not in GRANTED:
        raise UnknownPropertyError(f"{GRANT}: objectType {kind} found, known over SQL are {', '.join(GRANTED)}; "
                                   "install the Pulumi CLI for the rest")
    query, on = GRANTED[kind]
    name = inputs["database"] if kind == "database" else inputs["schema"]
    wanted = sorted(inputs.get("privileges") or ())
    live = connection.execute(
        "SELECT o.name, (SELECT coalesce(array_agg(a.privilege_type ORDER BY 1), '{}') FROM aclexplode(o.acl) a "
        f"WHERE a.grantee = {_grantee(inputs)}) FROM ({query}) AS o(name, acl)",
        {"name": name, "role": inputs["role"]}).fetchall()
    if all(sorted(privileges) == wanted for _, privileges in live):
        return []
    objects = sql.SQL(on).format(name=sql.Identifier(name))
    return _regrant(wanted, objects, sql.SQL(""), inputs["role"])


def _default_privileges(connection: Connection, inputs: Inputs) -> Statements:
    letter, objects = DEFAULTS[inputs["objectType"]]
    wanted = sorted(inputs.get("privileges") or ())
    live = connection.execute(
        "SELECT a.privilege_type FROM pg_default_acl d, aclexplode(d.defaclacl) a "
        "WHERE d.defaclrole = to_regrole(%(owner)s) AND d.defaclobjtype = %(letter)s "
        "AND d.defaclnamespace = coalesce(to_regnamespace(%(schema)s)::oid, 0) "
        f"AND a.grantee = {_grantee(inputs)}",
        {"owner": inputs["owner"], "letter": letter, "schema": inputs.get("schema") or "", "role": inputs["role"]})
    if sorted(row[0] for row in live) == wanted:
        return []
    of = sql.SQL("ALTER DEFAULT PRIVILEGES FOR ROLE {}{} ").format(
        sql.Identifier(inputs["owner"]),
        sql.SQL(" IN SCHEMA {}").format(sql.Identifier(inputs["schema"])) if inputs.get("schema") else sql.SQL(""))
    return _regrant(wanted, sql.SQL(objects), of, inputs["role"])


def _regrant(privileges: list[str], objects: sql.Composable, before: sql.Composable, role: str) -> Statements:
    """Grant exactly these privileges: revoke all, then grant these."""
    to = sql.SQL("PUBLIC") if role == "public" else sql.Identifier(role)
    statements = [sql.SQL("{}REVOKE ALL ON {} FROM {}").format(before, objects, to)]
    if privileges:
        given = sql.SQL(", ").join(sql.SQL(privilege) for privilege in privileges)
        statements.append(sql.SQL("{}GRANT {} ON {} TO {}").format(before, given, objects, to))
    return statements


def _grant_role(connection: Connection, inputs: Inputs) -> Statements:
    live = _one(connection, "SELECT admin_option FROM pg_auth_members "
                "WHERE roleid = to_regrole(%s) AND member = to_regrole(%s)", inputs["grantRole"], inputs["role"])
    admin = bool(inputs.get("withAdminOption", False))
    if live and live[0] == admin:
        return []
    return [sql.SQL("GRANT {} TO {} WITH ADMIN {}").format(
        sql.Identifier(inputs["grantRole"]), sql.Identifier(inputs["role"]), sql.SQL("TRUE" if admin else "FALSE"))]


def _grantee(inputs: Inputs) -> str:
    return "0" if inputs["role"] == "public" else "(SELECT oid FROM pg_roles WHERE rolname = %(role)s)"


def _one(connection: Connection, query: str | sql.Composed, *values: str) -> tuple[Any, ...] | None:
    return connection.execute(query, values).fetchone()


ROLE, GRANT = "postgresql:index/role:Role", "postgresql:index/grant:Grant"
# type token: function, properties that it knows, whether the object is inside the database that it names
MAKERS: dict[str, tuple[Callable[[Connection, Inputs], Statements], frozenset[str], bool]] = {
    ROLE: (_role, frozenset({"name", "password", "roles", *ATTRIBUTES}), False),
    "postgresql:index/database:Database": (_database, frozenset({"name", "owner"}), False),
    "postgresql:index/schema:Schema": (_schema, frozenset({"name", "owner", "database"}), True),
    "postgresql:index/extension:Extension": (_extension, frozenset({"name", "database", "schema"}), True),
    GRANT: (_grant, frozenset({"database", "role", "objectType", "schema", "privileges"}), True),
    "postgresql:index/defaultPrivileges:DefaultPrivileges":
        (_default_privileges, frozenset({"database", "owner", "role", "schema", "objectType", "privileges"}), True),
    "postgresql:index/grantRole:GrantRole": (_grant_role, frozenset({"role", "grantRole", "withAdminOption"}), False),
}
