"""Materialized views on a real server: created again where their query changes, changed in place where not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schema import apply
from schema.errors import DeclarationError, UnsafeChangeError
from schema.export.adoption import adopt
from schema.export.plain_sql import dump
from schema.model.objects import Column, Index, MaterializedView, Object, Table, View, ViewColumn
from schema.model.refreshing import REFRESH, refresh_job
from tests.support.convergence import converge, require_agreement, require_recreated, survives_crashes
from tests.support.running.servers import Database

PEOPLE = Table("people", (Column("id", "int"), Column("name", "varchar(20)"), Column("age", "int")))
AGES = MaterializedView(
    "ages", "SELECT age, count(*) AS number FROM people GROUP BY age", comment="How many of each age",
    indexes=(Index("ages_age", ("age",), unique=True), Index("ages_many", ("number DESC",), where="number > 1")),
    columns=(ViewColumn("number", comment="People"),), options=("fillfactor=70",))
ALL: list[Object] = [PEOPLE, AGES]
ROWS = "INSERT INTO people VALUES (1, 'Ada', 36), (2, 'Bo', 3), (3, 'Cy', 3)"
KEPT = ("SELECT (SELECT array_agg(indexname::text ORDER BY 1) FROM pg_indexes WHERE tablename = 'ages'), "
        "(SELECT reloptions FROM pg_class WHERE relname = 'ages'), obj_description('ages'::regclass), "
        "(SELECT array_agg(grantee::regrole::text || privilege_type) FROM pg_class, aclexplode(relacl) "
        "WHERE relname = 'ages' AND grantee <> relowner)")


def test_a_materialized_view_is_made_with_its_indexes_and_read_back(database: Database) -> None:
    converge(database, [PEOPLE])
    database.execute(ROWS)
    converge(database, ALL)
    assert database.execute("SELECT * FROM ages ORDER BY 1") == [(3, 2), (36, 1)]
    assert converge(database, ALL) == []


@pytest.mark.servers("official")
def test_another_query_makes_it_again_with_all_that_it_had(database: Database) -> None:
    converge(database, ALL)
    above = View("above", "SELECT age FROM ages", security_barrier=True)
    converge(database, [*ALL, above])
    database.execute(ROWS, "GRANT SELECT ON ages TO pg_monitor", "CREATE INDEX mine ON ages (age, number)")
    before = database.execute(KEPT)
    changed = replace(AGES, query="SELECT age, count(*) + 1 AS number FROM people GROUP BY age")
    with pytest.raises(UnsafeChangeError, match="ages: rewrites_table is not allowed"):
        apply.ensure(database.owner, [PEOPLE, changed, above])
    steps = converge(database, [PEOPLE, changed, above], "rewrites_table")
    assert len(steps) == 2
    assert steps[0].startswith("DROP VIEW above; DROP MATERIALIZED VIEW ages; CREATE MATERIALIZED VIEW ages WITH ")
    assert database.execute(KEPT) == before
    assert database.execute("SELECT * FROM ages ORDER BY 1") == [(3, 3), (36, 2)]
    assert apply.plan(database.owner, [PEOPLE, changed, above]).warnings == (
        "ages.mine is not declared and was left in place; declare it, or allow drops_index to drop it",)


@pytest.mark.servers("official")
@pytest.mark.parametrize(("change", "sql"), [
    ({"options": ("fillfactor = 80",)}, ["ALTER MATERIALIZED VIEW ages SET (fillfactor = 80)"]),
    ({"options": ()}, ["ALTER MATERIALIZED VIEW ages RESET (fillfactor)"]),
    ({"columns": ()}, ["COMMENT ON COLUMN ages.number IS NULL"]),
    ({"comment": None}, ["COMMENT ON MATERIALIZED VIEW ages IS NULL"]),
    ({"indexes": (*AGES.indexes, Index("ages_both", ("age", "number"), comment="Both"))},
     ["CREATE INDEX ages_both ON ages (age, number)", "COMMENT ON INDEX ages_both IS 'Both'"]),
    ({"indexes": (AGES.indexes[0], Index("ages_many", ("number",)))},
     ["CREATE INDEX ages_many__new ON ages (number); DROP INDEX ages_many; ALTER INDEX ages_many__new RENAME TO "
      "ages_many"])])
def test_all_else_is_changed_in_place(database: Database, change: dict[str, object], sql: list[str]) -> None:
    converge(database, ALL)
    before = database.execute("SELECT 'ages'::regclass::oid")
    assert converge(database, [PEOPLE, replace(AGES, **change)]) == sql  # type: ignore[arg-type]
    assert database.execute("SELECT 'ages'::regclass::oid") == before


@pytest.mark.servers("official")
def test_one_without_data_is_left_so_until_data_is_declared(database: Database) -> None:
    empty = replace(AGES, with_data=False)
    converge(database, [PEOPLE, empty])
    database.execute(ROWS)
    assert converge(database, ALL) == ["REFRESH MATERIALIZED VIEW ages"]
    require_agreement(database, [PEOPLE, empty])


@pytest.mark.servers("official")
def test_a_type_beneath_and_settings_that_would_be_lost_are_named(database: Database) -> None:
    converge(database, ALL)
    wider = replace(PEOPLE, columns=(*PEOPLE.columns[:2], Column("age", "bigint")))
    with pytest.raises(UnsafeChangeError, match=r"people\.age: .*materialized view ages stands on it"):
        apply.plan(database.owner, [wider, AGES])
    database.execute("ALTER MATERIALIZED VIEW ages ALTER COLUMN age SET STATISTICS 500",
                     "CREATE STATISTICS ages_s ON age, number FROM ages")
    database.execute("ALTER MATERIALIZED VIEW ages CLUSTER ON ages_age")
    assert adopt(database.owner).remarks == (
        "ages: its mark for CLUSTER is on ages_age, which no declaration has; it stays as it is",
        "ages.age: its statistics target is 500, which no declaration has; it stays as it is")
    database.execute("ALTER MATERIALIZED VIEW ages SET WITHOUT CLUSTER")
    with pytest.raises(UnsafeChangeError, match=r"ages: its query changes, .* would lose statistics object ages_s, "
                                                "the settings of column age; reset that first"):
        apply.plan(database.owner, [PEOPLE, replace(AGES, query="SELECT age, 1::bigint AS number FROM people")])


@pytest.mark.servers("official")
def test_renamed_drifted_dropped_undeclared_and_adopted(database: Database) -> None:
    converge(database, ALL)
    adopted = next(value for value in adopt(database.owner).objects if isinstance(value, MaterializedView))
    assert (adopted.name, len(adopted.indexes)) == ("ages", 2)
    grown = replace(AGES, name="grown", renamed_from="ages")
    assert converge(database, [PEOPLE, grown]) == ["ALTER MATERIALIZED VIEW ages RENAME TO grown"]
    back = replace(AGES, renamed_from="grown")
    converge(database, [PEOPLE, back])
    database.execute("DROP INDEX ages_many", "COMMENT ON MATERIALIZED VIEW ages IS 'Other'")
    assert len(converge(database, ALL)) == 2
    require_recreated(database, ALL, AGES, "DROP MATERIALIZED VIEW ages")
    found = apply.plan(database.owner, [PEOPLE], options=apply.Options(whole_schema=True)).warnings
    assert "ages is a materialized view that is not declared" in found[0]
    assert converge(database, [PEOPLE], "drops_materialized_view", whole_schema=True) == [
        "DROP MATERIALIZED VIEW ages"]


@pytest.mark.servers("official")
def test_a_crash_after_any_step_leaves_what_the_next_run_finishes(database: Database) -> None:
    def again() -> None:
        database.execute("SET client_min_messages = error", "DROP TABLE IF EXISTS people CASCADE")

    converge(database, ALL)
    after = replace(AGES, query="SELECT age, max(id)::bigint AS number FROM people GROUP BY age", comment="Other",
                    indexes=(AGES.indexes[0], Index("ages_number", ("number",))))
    survives_crashes(database, ALL, [PEOPLE, after], "rewrites_table", "drops_index", reset=again)


@pytest.mark.servers("official")
def test_a_job_computes_it_again(database: Database) -> None:
    declared = [*ALL, REFRESH, refresh_job(AGES, "1 hour", concurrently=True)]
    converge(database, declared)
    database.execute(ROWS)
    number = database.execute("SELECT job_id FROM timescaledb_information.jobs "
                              "WHERE proc_name = 'refresh_materialized_view'")[0][0]
    database.execute(f"CALL run_job({number})")
    assert database.execute("SELECT * FROM ages ORDER BY 1") == [(3, 2), (36, 1)]
    assert converge(database, declared) == []


@pytest.mark.servers("official")
def test_what_cannot_be_is_said_before_any_server_is_asked(database: Database) -> None:
    for wrong, text in ((replace(AGES, options=("fillfactor",)), "ages: option 'fillfactor' has no value"),
                        (replace(AGES, columns=(ViewColumn("age", "1"),)), r"ages\.age: a column of a materialized"),
                        (replace(AGES, indexes=AGES.indexes * 2), r"ages\.ages_age: declared twice")):
        with pytest.raises(DeclarationError, match=text):
            apply.plan(database.owner, [PEOPLE, wrong])


@pytest.mark.servers("official")
def test_one_that_was_computed_over_one_without_rows_is_adopted_without_rows(database: Database) -> None:
    database.execute("CREATE TABLE people (id int, name varchar(20), age int)", ROWS,
                     "CREATE MATERIALIZED VIEW a AS SELECT count(*) AS n FROM people",
                     "CREATE VIEW b AS SELECT n FROM a", "CREATE MATERIALIZED VIEW c AS SELECT n FROM b",
                     "CREATE MATERIALIZED VIEW d AS SELECT n FROM c", "REFRESH MATERIALIZED VIEW a WITH NO DATA")
    adopted = adopt(database.owner)
    assert adopted.remarks == tuple(
        f"{name}: it has rows, but is declared WITH NO DATA, as it reads a, which has none; compute both where it is "
        "created" for name in "cd")
    assert apply.plan(database.owner, adopted.objects).steps == ()
    database.execute("SET client_min_messages = error", "DROP TABLE people CASCADE", dump(adopted.objects))
    require_agreement(database, adopted.objects)
