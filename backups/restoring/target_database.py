"""The target of a restore: whether the backup fits it, the new database, its roles, and the final swap of names."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from psycopg import Connection, sql
from psycopg import Error as ServerError
from psycopg.errors import DuplicateDatabase, ObjectInUse

from backups.errors import RestoreError
from backups.logical.manifest import Manifest, Role, Server
from backups.logical.source.snapshot import answers_alone
from backups.restoring.settings import set_settings
from schema.connection import UNFINISHED, Address

# pg_database's letters for where a locale's rules come from, and the words that name the locale then.
PROVIDERS = {"i": ("icu", "ICU_LOCALE"), "b": ("builtin", "BUILTIN_LOCALE")}
SWAP_TRIES = 4


def require_fit(manifest: Manifest, connection: Connection[Any]) -> None:
    """Raise RestoreError, before any change, unless this server can hold what the manifest describes."""
    wanted, where = manifest.server, f"backup {manifest.id}"
    row = connection.execute(
        "SELECT current_setting('server_version_num')::int, current_setting('shared_preload_libraries'),"
        " pg_is_in_recovery(),"
        " (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)").fetchone()
    assert row
    version, libraries, standby, superuser = row
    if standby:
        raise RestoreError(f"{where}: the server is a standby and takes no changes; give the primary's address")
    if not superuser:
        raise RestoreError(f"{where}: login {connection.info.user} is no superuser, which TimescaleDB's restore needs; "
                           "give the administrator's login")
    if version // 10000 < wanted.server_version // 10000:
        least = wanted.server_version // 10000
        raise RestoreError(f"{where}: PostgreSQL found {version // 10000}, required {least} or later; restore into a "
                           "newer server")
    if wanted.timescaledb is not None:
        # The embedded server loads it by itself.
        if "timescaledb" not in libraries and not answers_alone(connection):
            raise RestoreError(f"{where}: shared_preload_libraries found '{libraries}', required timescaledb; set it "
                               "and restart the server")
        edition = _edition(connection, wanted.timescaledb) if wanted.edition == "timescale" else None
        if edition not in (None, "timescale"):
            raise RestoreError(f"{where}: TimescaleDB edition found {edition}, required timescale, whose compression "
                               "and policies it holds; restore into a server of the Community edition")
    _require_extensions(manifest, connection)


def _edition(connection: Connection[Any], version: str) -> str | None:
    """What the server would run this version of TimescaleDB as; None where it does not have that version at all.

    The setting is known only where the extension is there, or the configuration file names it; without it, what the
    Community edition has beside the library says so.
    """
    row = connection.execute("""
        SELECT coalesce(nullif(current_setting('timescaledb.license', true), ''), CASE
                   WHEN (pg_stat_file(setting || %(community)s, true)).size IS NOT NULL THEN 'timescale'
                   WHEN (pg_stat_file(setting || %(library)s, true)).size IS NOT NULL THEN 'apache' END)
          FROM pg_config() WHERE name = 'PKGLIBDIR'""", {
        "community": f"/timescaledb-tsl-{version}.so", "library": f"/timescaledb-{version}.so"}).fetchone()
    return str(row[0]) if row and row[0] else None


def _require_extensions(manifest: Manifest, connection: Connection[Any]) -> None:
    available = {(name, version) for name, version in connection.execute(
        "SELECT name::text, version FROM pg_available_extension_versions")}
    for name, version in manifest.server.extensions.items():
        versions = sorted(offered for extension, offered in available if extension == name)
        if name == "timescaledb" and version not in versions:
            # No release bears this mark: such a version is the embedded server's own.
            way = "a stack of target embedded: no other server has it" if version.endswith("-dev") else \
                "a server with it, and update the extension after"
            raise RestoreError(f"backup {manifest.id}: TimescaleDB found {', '.join(versions) or 'none'}, required "
                               f"exactly {version}; restore into {way}")
        if not versions:
            raise RestoreError(f"backup {manifest.id}: extension {name} found none, required {version} or later; "
                               "install its package on the server")


def create_database(admin: Connection[Any], manifest: Manifest, name: str) -> None:
    """Create the empty database, marked as unfinished; one that a killed restore left under this name goes first.

    Raises RestoreError where another database of this name exists, or the server lacks the locale.
    """
    row = admin.execute("SELECT EXISTS (SELECT FROM pg_db_role_setting s, unnest(setconfig) AS c WHERE s.setdatabase"
                        " = d.oid AND c LIKE %s) FROM pg_database d WHERE datname = %s",
                        [f"{UNFINISHED}=%", name]).fetchone()
    if row and not row[0]:
        raise RestoreError(f"database {name}: is there already, and a restore overwrites nothing; give another name "
                           "with --into, or swap names with --replace")
    if row:
        drop_database(admin, name)
    # Under another name until it has its mark: a server goes on creating after its client was killed.
    unmarked = f"lcdb_unmarked_{hashlib.sha256(name.encode()).hexdigest()[:12]}"
    identifier = sql.Identifier(unmarked)
    statement = sql.SQL("CREATE DATABASE {} TEMPLATE template0 {}").format(identifier, _locale(manifest.server))
    drop_database(admin, unmarked)
    try:
        try:
            admin.execute(statement)
        except DuplicateDatabase:  # by a server that was still at it
            drop_database(admin, unmarked)
            admin.execute(statement)
    except ServerError as error:
        raise RestoreError(f"database {name}: cannot be made as backup {manifest.id} needs it: "
                           f"{error.diag.message_primary or error}; nothing was touched") from None
    admin.execute(sql.SQL("ALTER DATABASE {} SET {} = {}").format(
        identifier, sql.SQL(UNFINISHED), sql.Literal(manifest.id)))
    admin.execute(sql.SQL("REVOKE CONNECT ON DATABASE {} FROM PUBLIC").format(identifier))
    admin.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(identifier, sql.Identifier(name)))


def _locale(server: Server) -> sql.Composable:
    """What a new database takes to sort and compare text as the one that was backed up."""
    words = {"ENCODING": server.encoding, "LC_COLLATE": server.collate, "LC_CTYPE": server.ctype}
    if server.locale_provider in PROVIDERS:
        provider, locale = PROVIDERS[server.locale_provider]
        words |= {"LOCALE_PROVIDER": provider, locale: str(server.locale)}
        words |= {"ICU_RULES": server.icu_rules} if server.icu_rules else {}
    return sql.SQL(" ").join(sql.SQL(word + " {}").format(sql.Literal(value)) for word, value in words.items())


def drop_database(admin: Connection[Any], name: str) -> None:
    """Drop the database and end all its sessions; nothing to do where it does not exist."""
    admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def create_roles(admin: Connection[Any], roles: Sequence[Role]) -> list[str]:
    """Create the missing roles, without passwords and never as superusers; returns their names."""
    present = {row[0] for row in admin.execute("SELECT rolname::text FROM pg_roles")}
    missing = [role for role in roles if role.name not in present]
    for role in missing:
        words = " ".join(word if on else f"NO{word}" for word, on in (
            ("INHERIT", role.inherit), ("CREATEROLE", role.createrole), ("CREATEDB", role.createdb),
            ("LOGIN", role.login), ("REPLICATION", role.replication), ("BYPASSRLS", role.bypassrls)))
        admin.execute(sql.SQL("CREATE ROLE {} NOSUPERUSER {} CONNECTION LIMIT {}").format(
            sql.Identifier(role.name), sql.SQL(words), sql.Literal(role.connections)))
    for role in missing:
        for group in role.member_of:
            admin.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(group), sql.Identifier(role.name)))
    return [role.name for role in missing]


def finish_database(admin: Connection[Any], manifest: Manifest, name: str) -> None:
    """Set the database's owner, settings and grants, and remove the mark of an unfinished restore."""
    server, identifier = manifest.server, sql.Identifier(name)
    roles = {row[0] for row in admin.execute("SELECT rolname::text FROM pg_roles")}
    if server.owner in roles:
        admin.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(identifier, sql.Identifier(server.owner)))
    set_settings(admin, name, server.settings, {
        role: own for role, own in (server.role_settings or {}).items() if role in roles})
    everybody = [{"role": None, "privilege": privilege} for privilege in ("CONNECT", "TEMPORARY")]
    for grant in everybody if server.grants is None else server.grants:
        role = grant["role"]
        if role is None or role in roles:
            grantee = sql.SQL("PUBLIC") if role is None else sql.Identifier(role)
            admin.execute(sql.SQL("GRANT {} ON DATABASE {} TO {}").format(
                sql.SQL(str(grant["privilege"])), identifier, grantee))
    admin.execute(sql.SQL("ALTER DATABASE {} RESET {}").format(identifier, sql.SQL(UNFINISHED)))


def swap_names(address: Address, restored: str, live: str, aside: str) -> None:
    """Rename `live` to `aside` and `restored` to `live`, both or neither; sessions in either database are ended.

    It is one transaction, so a killed process leaves nothing behind. New sessions wait for its end; each attempt waits
    up to 5 s for the old ones to end. Raises RestoreError where they do not.
    """
    server, over = replace(address, database="postgres"), threading.Event()
    with server.connect() as admin:
        if answers_alone(admin):
            # Nobody else is in.
            _rename(admin, restored, live, aside)
            return
        with server.connect() as other, ThreadPoolExecutor(1) as pool:
            ending = pool.submit(_end_sessions, other, (restored, live), over)
            try:
                for _ in range(SWAP_TRIES):
                    try:
                        _rename(admin, restored, live, aside)
                        return
                    except ObjectInUse:
                        continue
                raise RestoreError(f"database {live}: sessions in it do not end; stop what connects and swap again")
            finally:
                over.set()
                ending.result()


def _rename(admin: Connection[Any], restored: str, live: str, aside: str) -> None:
    with admin.transaction():
        for old, new in ((live, aside), (restored, live)):
            admin.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(old), sql.Identifier(new)))


def _end_sessions(connection: Connection[Any], databases: Sequence[str], over: threading.Event) -> None:
    while not over.is_set():
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ANY(%s)",
                           [list(databases)])
        over.wait(0.1)
