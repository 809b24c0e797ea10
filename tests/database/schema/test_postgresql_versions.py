"""The engine on PostgreSQL without TimescaleDB, from the oldest version that is supported to the newest."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from schema import apply
from schema.connection import Address
from schema.errors import UnsupportedError
from schema.export.adoption import adopt
from schema.model.objects import Column, Function, Grant, Index, Key, Object, Table, View, ViewColumn
from tests.support.running.plain_postgresql import VERSIONS, PlainServer, create_plain_database, running_postgresql
from tests.support.schemas.rich import DECLARED

WHOLE = apply.Options(on_unsupported="skip", whole_schema=True)


@pytest.fixture(scope="module", params=VERSIONS)
def plain_server(request: pytest.FixtureRequest) -> Iterator[PlainServer]:
    with running_postgresql(request.param) as server:
        yield server


@pytest.fixture
def login(plain_server: PlainServer, request: pytest.FixtureRequest) -> Address:
    return create_plain_database(plain_server, re.sub(r"\W+", "_", request.node.name).strip("_").lower()[:50])


def known_to(version: int) -> tuple[Object, ...]:
    """The rich declaration as this version can have it; an invoker's view came with 15."""
    return tuple(replace(declared, security_invoker=False) if isinstance(declared, View) and version < 15 else declared
                 for declared in DECLARED)


def test_a_rich_declaration_is_applied_adopted_and_planned_empty(plain_server: PlainServer, login: Address) -> None:
    declared = known_to(plain_server.version)
    apply.ensure(login, declared, options=WHOLE)
    assert apply.plan(login, declared, options=WHOLE).render() == []
    adopted = adopt(login)
    assert adopted.remarks == ()
    assert len(adopted.objects) == 20
    assert apply.plan(login, adopted.objects, options=WHOLE).render() == []


def test_the_servers_first_role_may_have_any_name(plain_server: PlainServer, login: Address) -> None:
    first = plain_server.admin.user
    with plain_server.admin.connect() as connection:
        connection.execute("CREATE ROLE another_first SUPERUSER LOGIN PASSWORD 'of-a-test'")
    another = replace(plain_server.admin, user="another_first", password="of-a-test")
    with another.connect() as connection:
        connection.execute(f"ALTER ROLE {first} RENAME TO renamed_first".encode())
    try:
        rooms = Table("rooms", columns=(Column("id", "bigint"),), grants=(Grant("pg_monitor", ("select",)),))
        apply.ensure(login, (rooms,), options=WHOLE)
        assert adopt(login).objects == (rooms,)
    finally:
        with another.connect() as connection:
            connection.execute(f"ALTER ROLE renamed_first RENAME TO {first}".encode())
        with plain_server.admin.connect() as connection:
            connection.execute("DROP ROLE another_first")


def test_an_adopted_declaration_makes_the_same_database_again(plain_server: PlainServer, login: Address) -> None:
    apply.ensure(login, known_to(plain_server.version), options=WHOLE)
    adopted = adopt(login).objects
    again = create_plain_database(plain_server, "again")
    apply.ensure(again, adopted, options=WHOLE)
    assert adopt(again).objects == adopted


def test_a_drift_is_seen_and_repaired(login: Address) -> None:
    table = Table("rooms", columns=(Column("id", "bigint", null=False), Column("name", "text", null=False)),
                  keys=(Key("rooms_pkey", ("id",), primary=True),), indexes=(Index("rooms_name_idx", ("name",)),))
    apply.ensure(login, (table,))
    with login.connect() as connection:
        connection.execute("DROP INDEX rooms_name_idx")
        connection.execute("ALTER TABLE rooms ALTER name DROP NOT NULL")
    assert [step.object for step in apply.plan(login, (table,)).steps] == ["rooms.name", "rooms.rooms_name_idx"]
    apply.ensure(login, (table,))
    assert apply.plan(login, (table,)).render() == []


def test_what_came_with_a_later_version_is_refused_by_name(plain_server: PlainServer, login: Address) -> None:
    views = (Table("rooms", columns=(Column("id", "bigint"),)),
             View("own_rooms", query="SELECT id FROM rooms", security_invoker=True))
    if plain_server.version >= 15:
        apply.ensure(login, views)
        assert apply.plan(login, views).render() == []
        return
    with pytest.raises(UnsupportedError) as refused:
        apply.plan(login, views)
    assert str(refused.value) == ("own_rooms: security_invoker needs PostgreSQL 15 or later, found 13; declare it "
                                  "without, or upgrade the server")


def test_functions_views_and_grants_are_whole_on_every_version(plain_server: PlainServer, login: Address) -> None:
    table = Table("rooms", columns=(Column("id", "bigint"), Column("name", "text")),
                  grants=(Grant("pg_monitor", ("select",)), Grant("public", ("update",), columns=("name",))))
    view = View("named", query="SELECT id, name FROM rooms WHERE id > 0", security_barrier=True, check_option="local",
                columns=(ViewColumn("name", "'none'::text", "What it is called"),), owner=login.user)
    several = tuple(Function("plenty", "SELECT generate_series(1, 2)", f"many {type_}", "SETOF integer", language="sql",
                             cost=7, rows=2) for type_ in ("bigint", "text"))
    count = Function("rooms_count", "RETURN (SELECT count(*) FROM rooms)", returns="bigint", language="sql")
    declared = (table, view, *several)
    apply.ensure(login, declared)
    assert apply.read(login, declared) == list(declared)
    found = adopt(login)
    assert found.remarks == ()
    assert apply.plan(login, found.objects).render() == []
    if plain_server.version >= 14:
        apply.ensure(login, (table, count))
        assert apply.plan(login, adopt(login).objects).render() == []
    else:
        with pytest.raises(UnsupportedError, match="rooms_count: body needs PostgreSQL 14 or later, found 13"):
            apply.plan(login, (table, count))
