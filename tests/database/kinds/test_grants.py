"""Grants and owners on a real server: declared they are made exact, not declared they are left alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from schema import apply
from schema.errors import DeclarationError
from schema.export.adoption import adopt
from schema.export.plain_sql import dump
from schema.model.objects import (
    Aggregate,
    Attribute,
    Column,
    CompositeType,
    DefaultGrant,
    Domain,
    Enum,
    Function,
    Grant,
    Job,
    MaterializedView,
    Object,
    Schema,
    Sequence,
    Statistics,
    Table,
    View,
)
from tests.support.convergence import converge, require_agreement
from tests.support.running.servers import OWNER, Database

READ = Grant("pg_monitor", ("select",))
PEOPLE = Table("people", (Column("id", "int"), Column("name", "text")), grants=(
    Grant("pg_monitor", ("select", "insert")), Grant("pg_read_all_stats", ("update",), columns=("id", "name")),
    Grant("public", ("delete",)), Grant("pg_read_all_settings", ("select",), grantable=True)))
CALLED = Function("called", "SELECT x", "x int DEFAULT 7", "int", language="sql",
                  grants=(Grant("pg_monitor", ("execute",)),))
TEXTS = Function("called", "SELECT 1", "x text", "int", language="sql")
TOTAL = Aggregate("total", "integer", sfunc="int4pl", stype="integer", grants=(Grant("pg_monitor", ("execute",)),))
ALL: list[Object] = [
    PEOPLE, View("names", "SELECT name FROM people", grants=(READ,)),
    MaterializedView("kept", "SELECT id FROM people", grants=(READ,)), CALLED, TEXTS, TOTAL,
    Enum("mood", ("calm",), grants=()), Domain("share", "integer", grants=(Grant("pg_monitor", ("usage",)),)),
    CompositeType("span", (Attribute("a", "integer"),), grants=()),
    Sequence("numbers", grants=(Grant("pg_monitor", ("usage", "select")),))]


def held(database: Database, name: str = "people") -> list[object]:
    return [row[0] for row in database.execute(
        "SELECT format('%s %s %s', grantee::regrole, lower(privilege_type), is_grantable) FROM pg_class, "
        f"aclexplode(relacl) WHERE relname = '{name}' AND grantee <> relowner AND grantee <> 0 ORDER BY 1")]


@pytest.fixture
def other(database: Database) -> Iterator[str]:
    """A role that the owner is a member of."""
    name = f"{database.owner.database[:50]}_other"
    with database.admin.connect() as connection:
        connection.execute(f'CREATE ROLE "{name}"'.encode())
        connection.execute(f'GRANT "{name}" TO {OWNER}'.encode())
        connection.execute(f'GRANT CREATE ON SCHEMA public TO "{name}"'.encode())
    yield name
    with database.admin.connect() as connection:
        connection.execute(f'DROP OWNED BY "{name}" CASCADE'.encode())
        connection.execute(f'DROP ROLE "{name}"'.encode())


def test_grants_of_every_kind_are_made_read_back_and_adopted(database: Database) -> None:
    converge(database, ALL)
    assert held(database) == ["pg_monitor insert f", "pg_monitor select f", "pg_read_all_settings select t"]
    found = {(type(each), each.identity): each.grants for each in adopt(database.owner).objects}
    assert found[Enum, "mood"] == ()
    assert found[Function, "called(x text)"] is None
    assert found[Function, "called(x integer DEFAULT 7)"] == CALLED.grants
    assert found[Table, "people"] == (
        Grant("pg_monitor", ("insert", "select")), Grant("public", ("delete",)),
        Grant("pg_read_all_settings", ("select",), grantable=True),
        Grant("pg_read_all_stats", ("update",), columns=("id", "name")))
    assert converge(database, ALL) == []


@pytest.mark.servers("official")
def test_what_differs_is_given_and_revoked_and_nothing_else(database: Database) -> None:
    converge(database, ALL)
    changed = replace(PEOPLE, grants=(Grant("pg_monitor", ("select", "truncate")), Grant("public", ("delete",)),
                                      Grant("pg_read_all_stats", ("update",), columns=("id",)),
                                      Grant("pg_read_all_settings", ("select",))))
    assert converge(database, [changed, *ALL[1:]]) == [
        "REVOKE INSERT ON TABLE people FROM pg_monitor; "
        "REVOKE GRANT OPTION FOR SELECT ON TABLE people FROM pg_read_all_settings; "
        "REVOKE UPDATE (name) ON TABLE people FROM pg_read_all_stats; "
        "GRANT SELECT, TRUNCATE ON TABLE people TO pg_monitor"]
    database.execute("GRANT EXECUTE ON FUNCTION called(int) TO PUBLIC", "GRANT EXECUTE ON FUNCTION called(text) "
                     "TO pg_monitor")
    plan = apply.plan(database.owner, [changed, *ALL[1:]])
    assert [step.sql for step in plan.steps] == ["REVOKE EXECUTE ON FUNCTION called(x integer) FROM PUBLIC"]
    drifted = apply.read(database.owner, [CALLED, TEXTS])[0]
    assert drifted
    assert {grant.to for grant in drifted.grants or ()} == {"public", "pg_monitor"}


@pytest.mark.servers("official")
def test_grants_that_nobody_declares_are_left_alone(database: Database) -> None:
    bare = [replace(each, grants=None) for each in ALL]
    converge(database, ALL)
    before = held(database)
    require_agreement(database, bare)
    converge(database, [replace(PEOPLE, grants=None, comment="All of them"), *bare[1:]])
    assert held(database) == before


@pytest.mark.servers("official")
def test_a_new_object_has_just_the_declared_grants_whatever_default_privileges_give(database: Database) -> None:
    database.execute("ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO pg_signal_backend",
                     "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT UPDATE ON TABLES TO pg_signal_backend",
                     "ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC")
    converge(database, ALL)
    assert "pg_signal_backend" not in " ".join(map(str, held(database)))
    open_ = Function("open_one", "SELECT 1", returns="int", language="sql", grants=(Grant("public", ("execute",)),))
    converge(database, [*ALL, open_])
    assert database.execute("SELECT has_function_privilege('pg_monitor', 'open_one()', 'EXECUTE')") == [(True,)]
    alter, none = f"ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER}", "which no kind of object declares"
    assert [remark for remark in adopt(database.owner).remarks if remark.startswith("DEFAULT")] == [
        f"DEFAULT PRIVILEGES FOR FUNCTIONS: {alter} REVOKE ALL ON FUNCTIONS FROM PUBLIC, {none}",
        f"DEFAULT PRIVILEGES FOR TABLES: {alter} GRANT SELECT ON TABLES TO pg_signal_backend, {none}"]
    assert [value for value in adopt(database.owner).objects if isinstance(value, Schema)] == [
        Schema("public", default_grants=(DefaultGrant("pg_signal_backend", ("update",)),))]


@pytest.mark.servers("official")
def test_what_schemas_themselves_have_is_declared(database: Database) -> None:
    database.execute('CREATE SCHEMA "Odd one"', 'GRANT USAGE ON SCHEMA "Odd one" TO pg_monitor WITH GRANT OPTION',
                     """COMMENT ON SCHEMA "Odd one" IS 'It''s\nodd'""", 'CREATE TABLE "Odd one".t (id int)')
    adopted = adopt(database.owner, ["Odd one"])
    assert adopted.remarks == ()
    assert adopted.objects[0] == Schema(
        "Odd one", comment="It's\nodd", grants=(Grant("pg_monitor", ("usage",), grantable=True),))


def test_what_the_sequences_of_columns_give_is_named(database: Database) -> None:
    database.execute('CREATE TABLE "Parts" (id serial, n int GENERATED ALWAYS AS IDENTITY, own int)',
                     "CREATE SEQUENCE own OWNED BY \"Parts\".own",
                     "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO pg_monitor",
                     'GRANT UPDATE ON SEQUENCE "Parts_n_seq" TO PUBLIC')
    adopted = adopt(database.owner)
    assert adopted.remarks == tuple(f"{line}, which no kind of object declares" for line in (
        'Parts_id_seq: GRANT SELECT, USAGE ON SEQUENCE public."Parts_id_seq" TO pg_monitor',
        'Parts_n_seq: GRANT SELECT, USAGE ON SEQUENCE public."Parts_n_seq" TO pg_monitor',
        'Parts_n_seq: GRANT UPDATE ON SEQUENCE public."Parts_n_seq" TO PUBLIC'))
    require_agreement(database, list(adopted.objects))


@pytest.mark.servers("official")
def test_an_owner_is_declared_changed_and_adopted(database: Database, other: str) -> None:
    table = Table("owned", (Column("id", "integer"),), owner=other)
    assert len(converge(database, [table])) == 2
    public = Schema("public", grants=(Grant("public", ("usage",)), Grant(other, ("create",))))
    assert adopt(database.owner).objects == (public, table)
    assert converge(database, [replace(table, owner=OWNER)]) == [f"ALTER TABLE owned OWNER TO {OWNER}"]
    require_agreement(database, [replace(table, owner=None)])


@pytest.mark.servers("official")
def test_an_export_gives_the_same_grants_and_names_the_roles(database: Database) -> None:
    text = dump(ALL)
    assert "-- These roles have to be there: pg_monitor, pg_read_all_settings, pg_read_all_stats\n" in text
    database.execute(*[line for line in text.split(";\n") if line.strip()])
    require_agreement(database, ALL)


@pytest.mark.servers("official")
def test_a_role_that_is_not_there_and_what_has_no_grants_are_said_by_name(database: Database) -> None:
    lost = replace(PEOPLE, grants=(Grant("nobody_at_all", ("select",)),))
    with pytest.raises(DeclarationError, match="people: role nobody_at_all is declared to have rights, and is not"):
        apply.plan(database.owner, [lost])
    for wrong, text in (
            (Statistics("s", "people", ("id", "name"), grants=(READ,)), "s: a Statistics has no grants and no owner"),
            (Job("j", "called", "1 day", owner="x"), "j: a Job has no grants and no owner"),
            (replace(PEOPLE, grants=(Grant("a", ()),)), "people: a grant to a names no privilege"),
            (replace(PEOPLE, grants=(Grant("public", ("select",), grantable=True),)), "people: what everybody may do")):
        with pytest.raises(DeclarationError, match=text):
            apply.plan(database.owner, [wrong])
