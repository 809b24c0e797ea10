"""Options of keys, foreign keys, checks and triggers: read, changed alone, kept where something else is changed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schema.export.adoption import adopt
from schema.model.objects import Check, Column, ForeignKey, Function, Key, Table, Trigger
from tests.support.convergence import converge, require_agreement
from tests.support.running.servers import Database

pytestmark = pytest.mark.servers("official")

PARENT = Table("par", (Column("a", "int"), Column("b", "int"), Column("c", "text")),
               keys=(Key("par_pkey", ("a", "b"), primary=True, include=("c",), options=("fillfactor = 70",)),
                     Key("par_c", ("c",), nulls_distinct=False, deferrable=True, initially_deferred=True)))
CHILD = Table(
    "chi", (Column("a", "int"), Column("b", "int"), Column("c", "varchar(9)")),
    foreign_keys=(ForeignKey("chi_full", ("a", "b"), "par", ("a", "b"), match="full"),
                  ForeignKey("chi_null", ("a", "b"), "par", ("a", "b"), "set null", set_columns=("b",),
                             deferrable=True),
                  ForeignKey("chi_old", ("a", "b"), "par", ("a", "b"), valid=False)),
    checks=(Check("chi_c", "c IN ('x', 'y')", no_inherit=True), Check("chi_old_a", "a > 0", valid=False)))
ROWS = ("INSERT INTO par VALUES (1, 1, 'x'), (2, 2, NULL)", "INSERT INTO chi VALUES (1, 1, 'x')")
FIRES = Function("fires", returns="trigger", body="BEGIN RETURN NEW; END")
LATE = Trigger("late", "AFTER INSERT", "fires()", constraint=True, deferrable=True, initially_deferred=True,
               from_table="par")
ODD = Trigger("odd", "BEFORE INSERT", r"fires(' EXECUTE FUNCTION g()', 'x)', '', E'b\\s''q')",
              when="NEW.c IN ('x', 'y')", role="always")


def test_every_option_is_created_adopted_and_kept_when_columns_change(database: Database) -> None:
    converge(database, [PARENT, CHILD])
    adopted = adopt(database.owner)
    assert adopted.remarks == ()
    require_agreement(database, adopted.objects)
    database.execute(*ROWS)
    wider = replace(PARENT.keys[1], columns=("c", "a"))
    steps = converge(database, [replace(PARENT, keys=(PARENT.keys[0], wider)), CHILD])
    assert steps == ["CREATE UNIQUE INDEX CONCURRENTLY par_c__new ON par (c, a) NULLS NOT DISTINCT",
                     "ALTER TABLE par DROP CONSTRAINT par_c, ADD CONSTRAINT par_c UNIQUE USING INDEX par_c__new "
                     "DEFERRABLE INITIALLY DEFERRED"]


def test_each_option_changes_alone_and_only_what_need_be_valid_is_validated(database: Database) -> None:
    converge(database, [PARENT, CHILD])
    database.execute(*ROWS)
    full, null, old = CHILD.foreign_keys
    for changed, count in ((replace(CHILD, foreign_keys=(replace(full, match="simple"), null, old)), 2),
                           (replace(CHILD, foreign_keys=(full, replace(null, set_columns=()), old)), 2),
                           (replace(CHILD, foreign_keys=(full, replace(null, initially_deferred=True), old)), 1),
                           (replace(CHILD, foreign_keys=(full, null, replace(old, valid=True))), 1),
                           (replace(CHILD, checks=(replace(CHILD.checks[0], no_inherit=False), CHILD.checks[1])), 2)):
        assert len(converge(database, [PARENT, changed])) == count
        back = converge(database, [PARENT, CHILD])
        assert len(back) == (0 if changed.foreign_keys[2].valid else count)


def test_constraint_triggers_roles_and_odd_arguments_stay_as_they_are(database: Database) -> None:
    child = replace(CHILD, triggers=(LATE, ODD))
    converge(database, [FIRES, PARENT, child])
    adopted = adopt(database.owner)
    require_agreement(database, adopted.objects)
    database.execute(*ROWS)
    wider = replace(child, columns=(*child.columns[:2], Column("c", "varchar(99)")))
    converge(database, [FIRES, PARENT, wider])
    assert converge(database, [FIRES, PARENT, replace(wider, triggers=(replace(LATE, initially_deferred=False),
                                                                       replace(ODD, role="replica")))]) == [
        "DROP TRIGGER late ON chi; CREATE CONSTRAINT TRIGGER late AFTER INSERT ON chi FROM par DEFERRABLE FOR EACH ROW "
        "EXECUTE FUNCTION fires()", "ALTER TABLE chi ENABLE REPLICA TRIGGER odd"]


def test_a_check_that_holds_for_no_old_row_is_adopted_and_exported_as_it_is(database: Database) -> None:
    table = Table("old", (Column("a", "integer"),))
    converge(database, [table])
    database.execute("INSERT INTO old VALUES (-1)")
    checked = replace(table, checks=(Check("old_a", "a > 0", valid=False),))
    assert converge(database, [checked]) == ["ALTER TABLE old ADD CONSTRAINT old_a CHECK (a > 0) NOT VALID"]
    assert adopt(database.owner).objects == (checked,)
