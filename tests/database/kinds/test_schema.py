"""Schemas on real servers: their comments, owners, grants and default privileges, and nothing of what is in them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schema import apply
from schema.apply import Options
from schema.errors import ApplyError, DeclarationError, UnsafeChangeError, UnsupportedError
from schema.export.adoption import adopt
from schema.export.plain_sql import dump
from schema.model.objects import Column, DefaultGrant, Grant, Schema, Table
from tests.support.convergence import converge, require_recreated, survives_crashes
from tests.support.running.servers import Database, create_login

pytestmark = [pytest.mark.servers("official", "debian"), pytest.mark.repeats("debian")]
READER, WRITER = "schema_reader", "schema_writer"
ROOMS = Table("rooms", (Column("id", "integer"),), schema="app")
APP = Schema("app", comment="What the application has", grants=(Grant(READER, ("usage",)),),
             default_grants=(DefaultGrant(READER, ("select",)),
                             DefaultGrant(WRITER, ("usage", "update"), on="sequences", grantable=True)))


@pytest.fixture(autouse=True)
def roles(database: Database) -> None:
    for name in (READER, WRITER):
        create_login(database, name)


def defaults(database: Database) -> list[tuple[object, ...]]:
    return database.execute("SELECT defaclobjtype, a.grantee::regrole::text, a.privilege_type, a.is_grantable "
                            "FROM pg_default_acl, aclexplode(defaclacl) a WHERE defaclnamespace = 'app'::regnamespace "
                            "ORDER BY 1, 2, 3")


def test_default_privileges_do_not_touch_what_the_plan_creates(database: Database) -> None:
    plain = replace(ROOMS, grants=())
    made = converge(database, [APP, plain])
    assert made == [
        "CREATE SCHEMA app", "COMMENT ON SCHEMA app IS 'What the application has'",
        f"GRANT USAGE ON SCHEMA app TO {READER}", "CREATE TABLE app.rooms ( id integer )",
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO {READER}; "
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT USAGE, UPDATE ON SEQUENCES TO {WRITER} WITH GRANT OPTION"]
    with database.owner.connect() as connection:
        connection.execute("CREATE TABLE app.later (id integer)")
    assert database.execute(f"SELECT has_table_privilege('{READER}', 'app.later', 'select'), "
                            f"has_table_privilege('{READER}', 'app.rooms', 'select')") == [(True, False)]


def test_each_change_alters_what_it_names(database: Database) -> None:
    converge(database, [APP, ROOMS])
    assert converge(database, [replace(APP, comment=None), ROOMS]) == ["COMMENT ON SCHEMA app IS NULL"]
    assert converge(database, [replace(APP, comment=None, grants=()), ROOMS]) == [
        f"REVOKE USAGE ON SCHEMA app FROM {READER}"]
    fewer = replace(APP, comment=None, grants=(), default_grants=(
        DefaultGrant(READER, ("insert",)), DefaultGrant(WRITER, ("usage",), on="sequences")))
    assert converge(database, [fewer, ROOMS])[0].split("; ") == [
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA app REVOKE UPDATE ON SEQUENCES FROM {WRITER}",
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA app REVOKE GRANT OPTION FOR USAGE ON SEQUENCES FROM {WRITER}",
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA app REVOKE SELECT ON TABLES FROM {READER}",
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT INSERT ON TABLES TO {READER}"]
    assert [row[1:] for row in defaults(database)] == [(WRITER, "USAGE", False), (READER, "INSERT", False)]
    assert converge(database, [Schema("app"), ROOMS]) == []
    assert len(defaults(database)) == 2
    converge(database, [Schema("app", default_grants=()), ROOMS])
    assert defaults(database) == []


def test_drift_is_repaired(database: Database) -> None:
    converge(database, [APP, ROOMS])
    with database.owner.connect() as connection:
        connection.execute(f"REVOKE ALL ON SCHEMA app FROM {READER}; GRANT CREATE ON SCHEMA app TO {WRITER};"
                           f"ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT EXECUTE ON FUNCTIONS TO {WRITER}".encode())
    assert converge(database, [APP, ROOMS]) == [
        f"REVOKE CREATE ON SCHEMA app FROM {WRITER}; GRANT USAGE ON SCHEMA app TO {READER}",
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA app REVOKE EXECUTE ON FUNCTIONS FROM {WRITER}"]


def test_default_privileges_of_another_role_are_for_what_that_role_creates(database: Database) -> None:
    with database.admin.connect() as connection:
        connection.execute(f"GRANT {WRITER} TO {database.owner.user}".encode())
    declared = Schema("app", grants=(Grant(WRITER, ("usage", "create")),),
                      default_grants=(DefaultGrant("public", ("select",), by=WRITER),))
    converge(database, [declared])
    with create_login(database, WRITER).connect() as connection:
        connection.execute("CREATE TABLE app.theirs (id integer)")
    with database.owner.connect() as connection:
        connection.execute("CREATE TABLE app.ours (id integer)")
    assert database.execute(f"SELECT has_table_privilege('{READER}', 'app.theirs', 'select'), "
                            f"has_table_privilege('{READER}', 'app.ours', 'select')") == [(True, False)]
    assert next(value for value in adopt(database.owner).objects if isinstance(value, Schema)) == declared


def test_public_keeps_what_every_database_has_and_takes_more(database: Database) -> None:
    assert [value for value in adopt(database.owner).objects if isinstance(value, Schema)] == []
    with pytest.raises(UnsupportedError, match=r"public: it belongs to \w+, so that this login may neither give nor"):
        apply.plan(database.owner, [Schema("public", grants=(Grant(READER, ("create",)),))])
    with database.admin.connect() as connection:
        connection.execute(f"ALTER SCHEMA public OWNER TO {database.owner.user}".encode())
    assert [value for value in adopt(database.owner).objects if isinstance(value, Schema)] == []
    declared = Schema("public", grants=(Grant("public", ("usage",)), Grant(READER, ("create",))))
    assert converge(database, [declared]) == [f"GRANT CREATE ON SCHEMA public TO {READER}"]
    assert [value for value in adopt(database.owner).objects if isinstance(value, Schema)] == [declared]


def test_adopted_it_is_what_it_was_and_an_export_makes_it_again(database: Database) -> None:
    converge(database, [APP, ROOMS])
    adopted = adopt(database.owner)
    schema, = (value for value in adopted.objects if isinstance(value, Schema))
    assert replace(schema, default_grants=()) == replace(APP, default_grants=())
    assert apply.plan(database.owner, [schema, ROOMS]).steps == apply.plan(database.owner, adopted.objects).steps == ()
    assert not [remark for remark in adopted.remarks if remark.startswith(("app", "DEFAULT"))]
    script = dump(adopted.objects)
    assert f"GRANT USAGE ON SCHEMA app TO {READER};" in script
    require_recreated(database, [APP], APP, "DROP SCHEMA app CASCADE")


def test_a_schema_is_dropped_only_by_name_when_it_is_empty_and_where_that_is_allowed(database: Database) -> None:
    converge(database, [APP, ROOMS])
    assert apply.plan(database.owner, [ROOMS], options=Options(allow=frozenset({"drops_schema"}))).steps == ()
    with pytest.raises(UnsafeChangeError, match="drops_schema"):
        apply.drop(database.owner, APP)
    allowed = Options(allow=frozenset({"drops_schema", "drops_table", "without_backup"}))
    with pytest.raises(ApplyError, match=r"cannot drop schema app because other objects depend on it"):
        apply.drop(database.owner, APP, options=allowed)
    assert apply.drop(database.owner, ROOMS, options=allowed)
    assert apply.drop(database.owner, APP, options=allowed)
    assert database.execute("SELECT to_regnamespace('app')") == [(None,)]
    assert not apply.drop(database.owner, APP, options=allowed)


def test_what_cannot_be_is_refused_by_name(database: Database) -> None:
    for declared, words in (
            (replace(APP, renamed_from="old"), "a schema is renamed by hand"),
            (Schema("app", default_grants=(DefaultGrant(READER, ("select",), on="rooms"),)), "is none of tables"),
            (Schema("app", default_grants=(DefaultGrant(READER, ("execute",)),)), "execute on tables"),
            (Schema("app", default_grants=(DefaultGrant("nobody_here", ("select",)),)), "role nobody_here"),
            (Schema("app", default_grants=(DefaultGrant(READER, ("select",), by="nobody_here"),)), "role nobody_here")):
        with pytest.raises(DeclarationError, match=words):
            apply.plan(database.owner, [declared])
    with pytest.raises(DeclarationError, match="a schema is in no schema"):
        Schema("app", schema="other")


def test_a_crash_after_any_step_is_gone_on_from(database: Database) -> None:
    survives_crashes(database, [], [APP, ROOMS],
                     reset=lambda: database.execute("DROP SCHEMA IF EXISTS app CASCADE"))
    converge(database, [APP, ROOMS])
