"""Exclusion constraints on a real server: every property, created, changed, named alike, dropped."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schema import apply
from schema.export.adoption import adopt
from schema.model.objects import Column, Exclusion, Table
from tests.support.convergence import converge, require_agreement
from tests.support.running.servers import Database

pytestmark = pytest.mark.servers("official")

ONE = Exclusion("stays_once", ("during WITH &&", "(room + 0) WITH ="), where="note <> 'x'", deferrable=True,
                initially_deferred=True, options=("fillfactor = 70",), comment="One at a time")
TABLE = Table("stays", (Column("room", "int"), Column("during", "tstzrange"), Column("note", "varchar(9)")),
              exclusions=(replace(ONE, elements=ONE.elements[:1]),
                          Exclusion("stays_note", ("lower(note) WITH =",), method="btree", where="note IN ('a', 'b')")))


def test_an_exclusion_constraint_is_created_adopted_and_changed(database: Database) -> None:
    converge(database, [TABLE])
    adopted = adopt(database.owner)
    assert adopted.remarks == ()
    require_agreement(database, adopted.objects)
    database.execute("INSERT INTO stays VALUES (1, '[2026-01-01,2026-01-02)', 'c')")
    changed = replace(TABLE, exclusions=(replace(TABLE.exclusions[0], where=None, deferrable=False,
                                                 initially_deferred=False), TABLE.exclusions[1]))
    assert converge(database, [changed], "blocks_writes") == [
        "ALTER TABLE stays DROP CONSTRAINT stays_once, ADD CONSTRAINT stays_once EXCLUDE USING gist (during WITH &&) "
        "WITH (fillfactor = 70)", "COMMENT ON CONSTRAINT stays_once ON stays IS 'One at a time'"]


def test_one_under_another_name_is_renamed_and_an_undeclared_one_reported(database: Database) -> None:
    converge(database, [TABLE])
    database.execute("ALTER TABLE stays RENAME CONSTRAINT stays_note TO other")
    assert converge(database, [TABLE]) == ["ALTER TABLE stays RENAME CONSTRAINT other TO stays_note"]
    without = replace(TABLE, exclusions=())
    assert [warning.split()[0] for warning in apply.plan(database.owner, [without]).warnings] == [
        "stays.stays_note", "stays.stays_once"]
    assert len(converge(database, [without], "drops_constraint")) == 2
