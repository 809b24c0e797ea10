"""What only PostgreSQL 18 has on tables, and what every version has: declared, adopted and made again on each."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schema import apply
from schema.connection import Address
from schema.errors import UnsupportedError
from schema.export.adoption import adopt
from schema.model.objects import Check, Column, ForeignKey, Key, Numbers, Table, Trigger
from tests.database.schema.test_postgresql_versions import login, plain_server
from tests.support.running.plain_postgresql import PlainServer, create_plain_database

__all__ = ["login", "plain_server"]

ROOMS = Table(
    "rooms", columns=(Column("id", "integer", null=False, identity="always", numbers=Numbers(1000, 10, cache=5)),
                      Column("name", "text", collation='"C"', storage="external", statistics=300),
                      Column("Floor", "integer"), Column("code", "varchar(9)")),
    keys=(Key("rooms_pkey", ("id",), primary=True, options=("fillfactor = 80",)),
          Key("rooms_name_key", ("name",), include=("code",), deferrable=True, initially_deferred=True)),
    checks=(Check("rooms_code", "code IN ('a', 'b')", no_inherit=True),
            Check("rooms_floor", '"Floor" > 0', valid=False)),
    foreign_keys=(ForeignKey("rooms_up", ("Floor",), "rooms", match="full", deferrable=True),),
    triggers=(Trigger("rooms_late", "AFTER INSERT", "suppress_redundant_updates_trigger('a)', E'\\\\')",
                      constraint=True, deferrable=True, role="always"),),
    options=("fillfactor = 70", "toast.autovacuum_enabled = off"), replica_identity="rooms_pkey", cluster="rooms_pkey",
    unlogged=True)
NEWER = Table(
    "stays", columns=(Column("room", "integer", null=False), Column("during", "daterange", null=False),
                      Column("twice", "integer", generated="room * 2", virtual=True)),
    keys=(Key("stays_pkey", ("room", "during"), primary=True, without_overlaps=True),),
    foreign_keys=(ForeignKey("stays_again", ("room", "during"), "stays", ("room", "during"), period=True),),
    checks=(Check("stays_room", "room > 0", enforced=False),))


def prepare(address: Address, server: PlainServer) -> None:
    if server.version >= 18:
        with address.connect() as connection:
            connection.execute("CREATE EXTENSION btree_gist")


def require_same_again(server: PlainServer, address: Address, *tables: Table) -> None:
    prepare(address, server)
    apply.ensure(address, tables)
    assert apply.plan(address, tables).render() == []
    assert apply.read(address, tables) == list(tables)
    adopted = adopt(address)
    assert adopted.remarks == ()
    again = create_plain_database(server, f"{address.database[:40]}_again")
    prepare(again, server)
    apply.ensure(again, adopted.objects)
    assert adopt(again).objects == adopted.objects


def test_options_of_keys_columns_triggers_and_tables_are_the_same_on_every_version(
        plain_server: PlainServer, login: Address) -> None:
    require_same_again(plain_server, login, replace(ROOMS, replica_identity="default"))


def test_virtual_columns_temporal_keys_and_unenforced_checks_are_postgresql_18s(
        plain_server: PlainServer, login: Address) -> None:
    if plain_server.version >= 18:
        require_same_again(plain_server, login, NEWER)
        with login.connect() as connection:
            connection.execute("INSERT INTO stays VALUES (-1, '[2026-01-01,2026-02-01)')")
        other = replace(NEWER, checks=(replace(NEWER.checks[0], enforced=False, expression="room > 1"),))
        (step,) = apply.ensure(login, [other]).steps
        assert step.sql.endswith("CHECK (room > 1) NOT ENFORCED")
        return
    with pytest.raises(UnsupportedError, match=r"stays\.\w+: \w+ needs PostgreSQL 18 or later, found"):
        apply.plan(login, [NEWER])
