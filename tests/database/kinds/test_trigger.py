"""Triggers on a real server, on tables and on hypertables with all their chunks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schema import apply
from schema.errors import DeclarationError, UnsupportedError
from schema.model.objects import Column, Function, Hypertable, Object, Table, Trigger
from tests.support.convergence import converge, require_agreement, survives_crashes
from tests.support.running.servers import Database

TOUCH = Function("touch", "BEGIN NEW.note := coalesce(TG_ARGV[0], 'seen'); RETURN NEW; END", returns="trigger")
COUNT = Function("count_up", "BEGIN PERFORM set_config('my.count', (SELECT count(*)::text FROM added), false); "
                             "RETURN NULL; END", returns="trigger")
SEEN = Trigger("seen", "BEFORE INSERT OR UPDATE OF v", "touch()", when="NEW.v > 1", comment="Notes what was seen")
PLAIN = Table("readings", (Column("t", "timestamptz", null=False), Column("v", "int"), Column("note", "text")),
              triggers=(SEEN,))
HYPER = replace(PLAIN, hypertable=Hypertable("t", "1 day"))
TABLES = pytest.mark.parametrize("table", [PLAIN, HYPER], ids=["plain", "hypertable"])
ROWS = "INSERT INTO readings (t, v) SELECT now() - n * interval '1 day', n FROM generate_series(1, 3) n"


def notes(database: Database) -> list[object]:
    return [row[0] for row in database.execute("SELECT note FROM readings ORDER BY v")]


def states(database: Database, name: str = "seen") -> set[object]:
    return {row[0] for row in database.execute(f"SELECT tgenabled::text FROM pg_trigger WHERE tgname = '{name}'")}


def changed(table: Table, **change: object) -> list[Object]:
    return [TOUCH, replace(table, triggers=(replace(SEEN, **change),))]  # type: ignore[arg-type]


def test_a_trigger_is_created_and_fires(database: Database) -> None:
    converge(database, [TOUCH, PLAIN])
    database.execute(ROWS)
    assert notes(database) == [None, "seen", "seen"]


@pytest.mark.repeats("debian")
@pytest.mark.servers("official", "debian")
@TABLES
def test_each_property_is_changed_while_the_trigger_goes_on_firing(database: Database, table: Table) -> None:
    converge(database, [TOUCH, table])
    database.execute(ROWS)
    for change in ({"fires": "BEFORE INSERT"}, {"fires": "AFTER DELETE OR UPDATE", "when": "OLD.v > 1"},
                   {"when": None}, {"calls": "touch('it''s', 'more')"}, {"each": "statement", "when": None}):
        steps = converge(database, changed(table, **change))
        assert len(steps) == 1
        assert steps[0].startswith("CREATE OR REPLACE TRIGGER seen ")
        assert len(converge(database, [TOUCH, table])) == 1
    assert converge(database, changed(table, comment="Other")) == [
        "COMMENT ON TRIGGER seen ON readings IS 'Other'"]
    database.execute("UPDATE readings SET v = v + 10")
    assert notes(database) == ["seen"] * 3


@pytest.mark.repeats("debian")
@pytest.mark.servers("official", "debian")
@TABLES
def test_a_trigger_is_disabled_and_enabled_on_every_chunk(database: Database, table: Table) -> None:
    converge(database, [TOUCH, table])
    database.execute(ROWS)
    if table.hypertable and database.server.kind == "debian":
        with pytest.raises(UnsupportedError, match=r"readings\.seen: .* from TimescaleDB 2\.27 on, found 2\.19"):
            apply.plan(database.owner, changed(table, disabled=True))
        return
    assert converge(database, changed(table, disabled=True)) == ["ALTER TABLE readings DISABLE TRIGGER seen"]
    assert states(database) == {"D"}
    database.execute("INSERT INTO readings (t, v) VALUES (now() + interval '9 days', 9)")
    # The server enables it on the new chunk; a hand may have done so as well.
    expected = 1 if table.hypertable else 0
    assert len(converge(database, changed(table, disabled=True))) == expected
    assert states(database) == {"D"}
    assert converge(database, [TOUCH, table]) == ["ALTER TABLE readings ENABLE TRIGGER seen"]
    database.execute("ALTER TABLE readings DISABLE TRIGGER seen")
    assert converge(database, [TOUCH, table]) == ["ALTER TABLE readings ENABLE TRIGGER seen"]
    assert states(database) == {"O"}


@pytest.mark.servers("official")
def test_a_statement_trigger_sees_the_rows_in_a_transition_table(database: Database) -> None:
    trigger = Trigger("counted", "AFTER INSERT", "count_up()", each="statement", referencing="NEW TABLE AS added")
    table = replace(PLAIN, triggers=(trigger,))
    converge(database, [COUNT, table])
    assert database.execute(ROWS, "SELECT current_setting('my.count')") == [("3",)]
    both = replace(trigger, fires="AFTER UPDATE", referencing="OLD TABLE AS gone NEW TABLE AS added")
    converge(database, [COUNT, replace(table, triggers=(both,))])


@pytest.mark.servers("official")
def test_a_trigger_that_the_server_cannot_make_is_named_before_anything_is_done(database: Database) -> None:
    row = Trigger("counted", "AFTER INSERT", "count_up()", referencing="NEW TABLE AS added")
    with pytest.raises(DeclarationError, match=r"readings\.counted: the server cannot create it: .*transition tables"):
        apply.plan(database.owner, [COUNT, replace(HYPER, triggers=(row,))])


@pytest.mark.servers("official")
@TABLES
def test_an_undeclared_trigger_is_reported_and_dropped_where_that_is_allowed(database: Database, table: Table) -> None:
    converge(database, [TOUCH, table])
    database.execute("CREATE TRIGGER mine BEFORE DELETE ON readings FOR EACH ROW EXECUTE FUNCTION touch()")
    plan = apply.plan(database.owner, [TOUCH, table])
    assert (plan.steps, plan.warnings) == ((), (
        "readings.mine is not declared and was left in place; declare it, or allow drops_trigger to drop it",))
    assert converge(database, [TOUCH, table], "drops_trigger") == ["DROP TRIGGER mine ON readings"]


@pytest.mark.servers("official")
@TABLES
def test_a_trigger_changed_or_dropped_by_hand_is_repaired(database: Database, table: Table) -> None:
    converge(database, [TOUCH, table])
    database.execute(ROWS, "CREATE OR REPLACE TRIGGER seen BEFORE DELETE ON readings EXECUTE FUNCTION touch()")
    assert len(converge(database, [TOUCH, table])) == 1
    database.execute("DROP TRIGGER seen ON readings")
    assert [step.split(" ON ")[0] for step in converge(database, [TOUCH, table])] == [
        "CREATE TRIGGER seen BEFORE INSERT OR UPDATE OF v", "COMMENT"]


@pytest.mark.servers("official")
def test_a_columns_type_and_name_change_under_a_trigger(database: Database) -> None:
    converge(database, [TOUCH, PLAIN])
    database.execute(ROWS)
    wide = replace(PLAIN, columns=(PLAIN.columns[0], replace(PLAIN.columns[1], type="bigint"), PLAIN.columns[2]))
    converge(database, [TOUCH, wide], "rewrites_table")
    named = replace(wide, columns=(wide.columns[0], replace(wide.columns[1], name="value", renamed_from="v"),
                                   wide.columns[2]),
                    triggers=(replace(SEEN, fires="BEFORE INSERT OR UPDATE OF value", when="NEW.value > 1"),))
    assert converge(database, [TOUCH, named]) == ["ALTER TABLE readings RENAME COLUMN v TO value"]


@pytest.mark.servers("official")
def test_triggers_of_timescaledb_are_never_seen(database: Database) -> None:
    converge(database, [TOUCH, HYPER])
    database.execute("CREATE MATERIALIZED VIEW daily WITH (timescaledb.continuous) AS SELECT time_bucket('1 day', t) "
                     "AS day, max(v) AS v FROM readings GROUP BY 1 WITH NO DATA")
    require_agreement(database, [TOUCH, HYPER])
    assert apply.plan(database.owner, [TOUCH, HYPER]).warnings == ()


@pytest.mark.servers("official")
def test_a_crash_after_any_step_leaves_what_the_next_run_finishes(database: Database) -> None:
    def again() -> None:
        database.execute("DROP TABLE readings")

    converge(database, [TOUCH, HYPER])
    database.execute(ROWS)
    more = Trigger("more", "AFTER DELETE", "touch('x')", disabled=True)
    after: list[Object] = [TOUCH, replace(HYPER, triggers=(replace(SEEN, when=None, disabled=True), more))]
    survives_crashes(database, [TOUCH, HYPER], after, reset=again)
