"""How tables and columns are stored: every option is read, changed alone, and kept by changes of other things."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from schema.export.adoption import adopt
from schema.model.objects import Column, Hypertable, Index, Key, Numbers, Table
from tests.support.convergence import converge, require_agreement
from tests.support.running.servers import Database

pytestmark = pytest.mark.servers("official")

PLAIN = Table("parts", (Column("id", "integer", null=False, identity="by default"), Column("n", "bigint", serial=True),
                        Column("Name", "text"), Column("t", "timestamptz", null=False)),
              keys=(Key("parts_pkey", ("id",), primary=True),), indexes=(Index("parts_t", ("t", "id"), unique=True),))
FULL = replace(
    PLAIN, columns=(replace(PLAIN.columns[0], numbers=Numbers(start=1000, increment=10, cache=5)),
                    replace(PLAIN.columns[1], numbers=Numbers(increment=3, maximum=900, cycle=True)),
                    replace(PLAIN.columns[2], collation='"C"', storage="external", compression="lz4", statistics=500),
                    PLAIN.columns[3]),
    options=("fillfactor = 80", "toast.autovacuum_enabled = off", "autovacuum_vacuum_scale_factor = 0.01"),
    replica_identity="full", cluster="parts_t")
HYPER = Table("hyper", (Column("t", "timestamptz", null=False), Column("name", "text")),
              hypertable=Hypertable("t", "1 day"))
ROW = """INSERT INTO {} ("{}", t) VALUES ('a', '2026-01-01')"""


def column(table: Table, name: str, **changes: Any) -> Table:
    return replace(table, columns=tuple(replace(column, **changes) if column.name == name else column
                                        for column in table.columns))


def test_every_option_is_created_adopted_and_changed_there_and_back(database: Database) -> None:
    converge(database, [FULL])
    adopted = adopt(database.owner)
    assert adopted.remarks == ()
    require_agreement(database, adopted.objects)
    database.execute(ROW.format("parts", "Name"))
    assert len(converge(database, [PLAIN], "blocks_writes")) == 7
    assert len(converge(database, [FULL], "blocks_writes")) == 9


def test_a_change_of_type_keeps_collation_storage_compression_and_target(database: Database) -> None:
    converge(database, [FULL])
    database.execute(ROW.format("parts", "Name"))
    steps = converge(database, [column(column(FULL, "Name", type="varchar(9000)"), "id", type="bigint")],
                     "rewrites_table")
    assert steps[1] == 'ALTER TABLE parts ALTER COLUMN "Name" TYPE varchar(9000) COLLATE "C"'
    assert steps[2:] == ['ALTER TABLE parts ALTER COLUMN "Name" SET STORAGE external',
                         'ALTER TABLE parts ALTER COLUMN "Name" SET COMPRESSION lz4']


def test_a_collation_within_the_type_is_seen_too(database: Database) -> None:
    table = column(PLAIN, "Name", type='text COLLATE "POSIX"')
    converge(database, [PLAIN])
    assert len(converge(database, [table])) == 1
    require_agreement(database, [table])
    assert len(converge(database, [PLAIN])) == 1


def test_marks_for_cluster_and_replication_stay_on_an_index_that_is_built_anew(database: Database) -> None:
    table = replace(FULL, replica_identity="parts_t")
    converge(database, [table])
    database.execute(ROW.format("parts", "Name"))
    steps = converge(database, [replace(table, indexes=(replace(table.indexes[0], columns=("id", "t DESC")),))])
    assert steps[2:] == ["ALTER TABLE parts REPLICA IDENTITY USING INDEX parts_t",
                         "ALTER TABLE parts CLUSTER ON parts_t"]


def test_an_unlogged_table_becomes_a_logged_one_where_a_rewrite_is_allowed(database: Database) -> None:
    converge(database, [replace(PLAIN, unlogged=True)])
    database.execute(ROW.format("parts", "Name"))
    assert converge(database, [PLAIN], "rewrites_table") == ["ALTER TABLE parts SET LOGGED"]


def test_options_of_a_hypertables_column_reach_its_chunks(database: Database) -> None:
    converge(database, [HYPER])
    database.execute(ROW.format("hyper", "name"))
    converge(database, [replace(column(HYPER, "name", statistics=200, storage="external"),
                                options=("fillfactor = 70",))])
    assert database.execute("SELECT attstattarget, attstorage FROM pg_attribute WHERE attname = 'name' AND attrelid IN "
                            "(SELECT show_chunks('hyper'))") == [(200, "e")]


def test_what_no_declaration_has_is_named_and_left_as_it_is(database: Database) -> None:
    converge(database, [PLAIN])
    database.execute("ALTER TABLE parts ALTER id SET (n_distinct = 5)", "CREATE STATISTICS parts_s ON id, n FROM parts",
                     "ALTER STATISTICS parts_s SET STATISTICS 77")
    adopted = adopt(database.owner)
    assert adopted.remarks == (
        "parts.id: its column options are n_distinct=5, which no declaration has; it stays as it is",
        "parts_s: its statistics target is 77, which no declaration has; it stays as it is")
    require_agreement(database, adopted.objects)
