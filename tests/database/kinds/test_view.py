"""Views on a real server: replaced where their columns allow it, moved out of the way and back where not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schema import apply
from schema.errors import ApplyError, DeclarationError, UnsafeChangeError
from schema.model.objects import Column, Function, Hypertable, Index, Object, Table, Trigger, View, ViewColumn
from tests.support.convergence import converge, require_agreement, require_recreated, survives_crashes
from tests.support.running.servers import Database

PEOPLE = Table("people", (Column("id", "int"), Column("name", "varchar(20)"), Column("age", "int")))
ADULTS = View("adults", "SELECT id, name FROM people WHERE age >= 18", comment="Those who may")
NAMES = View("names", "SELECT name FROM adults")
ALL: list[Object] = [PEOPLE, ADULTS, NAMES]
ROWS = "INSERT INTO people VALUES (1, 'Ada', 36), (2, 'Bo', 3)"


def with_column(name: str, **change: str) -> Table:
    return replace(PEOPLE, columns=tuple(replace(column, **change) if column.name == name else column
                                         for column in PEOPLE.columns))


def grants(database: Database, view: str) -> list[tuple[object, ...]]:
    return database.execute("SELECT grantee::regrole::text, privilege_type FROM pg_class, aclexplode(relacl) "
                            f"WHERE relname = '{view}' AND grantee <> relowner ORDER BY 1, 2")


def test_a_view_on_a_view_is_created_and_read_back(database: Database) -> None:
    converge(database, ALL)
    database.execute(ROWS)
    assert database.execute("SELECT name FROM names") == [("Ada",)]


@pytest.mark.servers("official")
@pytest.mark.parametrize("query", ["SELECT id, name FROM people WHERE age >= 21",
                                   "SELECT id, name, age FROM people WHERE age >= 18"])
def test_a_view_that_keeps_its_columns_is_replaced_in_place(database: Database, query: str) -> None:
    converge(database, ALL)
    steps = converge(database, [PEOPLE, replace(ADULTS, query=query), NAMES])
    assert steps == [f"CREATE OR REPLACE VIEW adults AS {query}"]


@pytest.mark.servers("official")
def test_security_invoker_is_switched_in_place(database: Database) -> None:
    converge(database, ALL)
    invoker = replace(ADULTS, security_invoker=True)
    assert converge(database, [PEOPLE, invoker, NAMES]) == ["ALTER VIEW adults SET (security_invoker = true)"]
    changed = replace(invoker, query="SELECT id, name FROM people WHERE age > 20")
    assert converge(database, [PEOPLE, changed, NAMES]) == [
        "CREATE OR REPLACE VIEW adults WITH (security_invoker) AS SELECT id, name FROM people WHERE age > 20"]
    assert len(converge(database, [PEOPLE, replace(changed, security_invoker=False), NAMES])) == 1


@pytest.mark.servers("official")
def test_a_view_whose_columns_change_is_recreated_with_its_grants_and_dependants(database: Database) -> None:
    converge(database, ALL)
    database.execute("GRANT SELECT, INSERT ON adults TO pg_monitor", "GRANT SELECT (name), UPDATE (id) ON adults "
                     "TO pg_read_all_stats", "GRANT SELECT ON names TO pg_monitor WITH GRANT OPTION",
                     "ALTER DEFAULT PRIVILEGES GRANT DELETE ON TABLES TO pg_read_all_settings")
    before = grants(database, "adults"), grants(database, "names")
    columns = "SELECT attacl::text FROM pg_attribute WHERE attrelid = 'adults'::regclass AND attname = 'name'"
    on_name = database.execute(columns)
    steps = converge(database, [PEOPLE, replace(ADULTS, query="SELECT name, age FROM people"), NAMES])
    assert steps[0].startswith("DROP VIEW names; DROP VIEW adults; CREATE VIEW adults AS SELECT name, age FROM people;")
    assert len(steps) == 2
    assert (grants(database, "adults"), grants(database, "names")) == before
    assert database.execute(columns) == on_name
    assert database.execute("SELECT obj_description('adults'::regclass)") == [("Those who may",)]


@pytest.mark.servers("official")
def test_a_single_planned_view_is_recreated_with_its_declared_dependants(database: Database) -> None:
    converge(database, ALL)
    changed = replace(ADULTS, query="SELECT name, age FROM people")
    steps = apply.ensure(database.owner, [changed], context=[PEOPLE, changed, NAMES]).steps
    assert len(steps) == 1
    require_agreement(database, [PEOPLE, changed, NAMES])


@pytest.mark.servers("official")
def test_an_undeclared_dependant_is_named_before_anything_is_changed(database: Database) -> None:
    converge(database, ALL)
    database.execute("CREATE VIEW mine AS SELECT * FROM names", "CREATE MATERIALIZED VIEW kept AS SELECT * FROM adults")
    changed = [replace(PEOPLE, comment="People"), replace(ADULTS, query="SELECT name, age FROM people"), NAMES]
    with pytest.raises(UnsafeChangeError, match=r"adults: it has to be dropped .*, and materialized view kept, mine "
                                                "stands on it and is not declared as a view"):
        apply.ensure(database.owner, changed)
    with pytest.raises(UnsafeChangeError, match=r"people\.name: its type is going to be changed, and .*mine"):
        apply.ensure(database.owner, [with_column("name", type="text"), ADULTS, NAMES])
    require_agreement(database, ALL)


@pytest.mark.servers("official")
@pytest.mark.parametrize("context", [False, True], ids=["together", "alone"])
def test_a_columns_type_changes_and_its_views_are_recreated_with_their_grants(
        database: Database, context: bool) -> None:
    converge(database, ALL)
    database.execute(ROWS, "GRANT SELECT ON names TO pg_monitor")
    wanted: list[Object] = [with_column("name", type="varchar(30)"), ADULTS, NAMES]
    steps = apply.ensure(database.owner, wanted[:1] if context else wanted, context=wanted).steps
    assert [" ".join(step.sql.split()).split(" AS ")[0] for step in steps] == [
        "DROP VIEW names; DROP VIEW adults; ALTER TABLE people ALTER COLUMN name TYPE varchar(30) USING "
        "name::varchar(30); CREATE VIEW adults"]
    require_agreement(database, wanted)
    assert grants(database, "names") == [("pg_monitor", "SELECT")]
    assert database.execute("SELECT name FROM names") == [("Ada",)]


@pytest.mark.servers("official")
def test_a_view_that_changes_with_the_column_comes_back_in_the_same_transaction(database: Database) -> None:
    converge(database, ALL)
    database.execute(ROWS)
    wanted: list[Object] = [with_column("age", type="text"), replace(
        ADULTS, query="SELECT id, name FROM people WHERE age::int >= 18", comment="Others"), NAMES]
    options = apply.Options(allow=frozenset({"rewrites_table"}))
    plan = apply.plan(database.owner, wanted, options=options)
    begin = next(n for n, step in enumerate(plan.steps) if "DROP VIEW" in step.sql)
    assert {step.transaction for step in plan.steps[begin:]} == {apply.Transaction.SHARED}
    converge(database, wanted, "rewrites_table")
    assert database.execute("SELECT name FROM names") == [("Ada",)]


@pytest.mark.servers("official")
@pytest.mark.parametrize("context", [False, True], ids=["together", "alone"])
def test_a_column_is_dropped_once_no_view_depends_on_it(database: Database, context: bool) -> None:
    converge(database, ALL)
    database.execute("GRANT SELECT ON adults TO pg_monitor")
    wanted: list[Object] = [replace(PEOPLE, columns=PEOPLE.columns[:2]), replace(
        ADULTS, query="SELECT id, name FROM people"), NAMES]
    options = apply.Options(allow=frozenset({"drops_column"}))
    apply.ensure(database.owner, wanted[:1] if context else wanted, context=wanted, options=options)
    require_agreement(database, wanted)
    assert grants(database, "adults") == [("pg_monitor", "SELECT")]
    assert database.execute("SELECT count(*) FROM pg_attribute WHERE attrelid = 'people'::regclass AND attnum > 0 "
                            "AND NOT attisdropped") == [(2,)]


@pytest.mark.servers("official")
def test_views_tables_and_columns_are_renamed_together(database: Database) -> None:
    converge(database, ALL)
    persons = replace(PEOPLE, name="persons", renamed_from="people")
    grown = replace(ADULTS, name="grown", renamed_from="adults", query="SELECT id, name FROM persons WHERE age >= 18")
    names = replace(NAMES, query="SELECT name FROM grown")
    assert converge(database, [persons, grown, names]) == [
        "ALTER TABLE people RENAME TO persons", "ALTER VIEW adults RENAME TO grown"]
    titled = replace(persons, columns=(persons.columns[0], Column("title", "varchar(20)", renamed_from="name"),
                                       persons.columns[2]))
    converge(database, [titled, replace(grown, query="SELECT id, title FROM persons WHERE age >= 18"),
                        replace(names, query="SELECT title FROM grown")])


WRITE = Function("write_it", "BEGIN RETURN NEW; END", returns="trigger")
GUARDED = View("guarded", "SELECT id, name FROM people WHERE age >= 18", security_barrier=True, security_invoker=True,
               check_option="local", columns=(ViewColumn("name", "'nobody'", "Who it is"), ViewColumn("id", "7")))
BOTH = View("paired", "SELECT p.id, q.name FROM people p JOIN people q USING (id)", triggers=(
    Trigger("both_write", "INSTEAD OF INSERT OR UPDATE", "write_it()", comment="Writes"),))
RULE = "CREATE RULE both_kept AS ON DELETE TO paired DO INSTEAD NOTHING"
KEPT = ("SELECT (SELECT reloptions FROM pg_class WHERE relname = 'guarded'), "
        "(SELECT array_agg(pg_get_expr(adbin, adrelid) ORDER BY adnum) FROM pg_attrdef "
        "WHERE adrelid = 'guarded'::regclass), (SELECT col_description('guarded'::regclass, attnum) FROM pg_attribute "
        "WHERE attrelid = 'guarded'::regclass AND attname = 'name'), "
        "(SELECT array_agg(tgname::text || ':' || obj_description(oid, 'pg_trigger')) FROM pg_trigger "
        "WHERE tgrelid = 'paired'::regclass), (SELECT array_agg(rulename::text || ':' || ev_enabled::text || ':' || "
        "obj_description(oid, 'pg_rewrite') ORDER BY 1) FROM pg_rewrite "
        "WHERE ev_class = 'paired'::regclass AND rulename <> '_RETURN')")
WHOLE: list[Object] = [PEOPLE, WRITE, GUARDED, BOTH]


def with_rule(database: Database) -> list[tuple[object, ...]]:
    database.execute(RULE, "COMMENT ON RULE both_kept ON paired IS 'Kept'")
    return database.execute(KEPT)


@pytest.mark.servers("official")
def test_options_defaults_comments_and_triggers_of_views_are_made_and_read_back(database: Database) -> None:
    converge(database, WHOLE)
    assert database.execute(KEPT) == [(
        ["security_barrier=true", "security_invoker=true", "check_option=local"], ["7", "'nobody'::character varying"],
        "Who it is", ["both_write:Writes"], None)]
    require_recreated(database, WHOLE, GUARDED, "DROP VIEW guarded")
    require_recreated(database, WHOLE, BOTH, "DROP VIEW paired")


@pytest.mark.servers("official")
@pytest.mark.parametrize(("change", "sql"), [
    ({"security_barrier": False}, "ALTER VIEW guarded RESET (security_barrier)"),
    ({"check_option": "cascaded"}, "ALTER VIEW guarded SET (check_option = cascaded)"),
    ({"check_option": None}, "ALTER VIEW guarded RESET (check_option)"),
    ({"columns": (ViewColumn("name", "'some'", "Who it is"), ViewColumn("id", "7"))},
     "ALTER VIEW guarded ALTER COLUMN name SET DEFAULT 'some'"),
    ({"columns": (ViewColumn("name", "'nobody'", "Who it is"),)}, "ALTER VIEW guarded ALTER COLUMN id DROP DEFAULT"),
    ({"columns": (ViewColumn("name", "'nobody'"), ViewColumn("id", "7"))}, "COMMENT ON COLUMN guarded.name IS NULL")])
def test_what_hangs_on_a_view_is_changed_in_place(database: Database, change: dict[str, object], sql: str) -> None:
    converge(database, WHOLE)
    assert converge(database, [PEOPLE, WRITE, replace(GUARDED, **change), BOTH]) == [sql]  # type: ignore[arg-type]
    assert len(converge(database, WHOLE)) == 1


@pytest.mark.servers("official")
def test_triggers_of_views_are_replaced_and_undeclared_ones_are_said_and_dropped_where_allowed(
        database: Database) -> None:
    converge(database, WHOLE)
    wider = replace(BOTH, triggers=(replace(BOTH.triggers[0], fires="INSTEAD OF INSERT OR DELETE OR UPDATE"),))
    assert converge(database, [PEOPLE, WRITE, GUARDED, wider]) == [
        "CREATE OR REPLACE TRIGGER both_write INSTEAD OF INSERT OR DELETE OR UPDATE ON paired FOR EACH ROW EXECUTE "
        "FUNCTION write_it()"]
    bare: list[Object] = [PEOPLE, WRITE, GUARDED, replace(BOTH, triggers=())]
    assert apply.plan(database.owner, bare).warnings == (
        "paired.both_write is not declared and was left in place; declare it, or allow drops_trigger to drop it",)
    assert converge(database, bare, "drops_trigger") == ["DROP TRIGGER both_write ON paired"]


@pytest.mark.servers("official")
def test_a_replaced_view_keeps_all_that_the_change_does_not_name(database: Database) -> None:
    converge(database, WHOLE)
    before = with_rule(database)
    changed: list[Object] = [
        PEOPLE, WRITE, replace(GUARDED, query="SELECT id, name, age FROM people WHERE age >= 18"),
        replace(BOTH, query="SELECT p.id, q.name FROM people p JOIN people q USING (id) WHERE p.age > 1")]
    assert len(converge(database, changed)) == 2
    assert database.execute(KEPT) == before


@pytest.mark.servers("official")
def test_a_view_that_is_made_again_keeps_all_that_the_change_does_not_name(database: Database) -> None:
    converge(database, WHOLE)
    before = with_rule(database)
    above = View("above", "SELECT name FROM guarded", security_barrier=True, columns=(ViewColumn("name", "'x'", "y"),))
    converge(database, [*WHOLE, above])
    changed: list[Object] = [PEOPLE, WRITE, replace(GUARDED, query="SELECT name, id FROM people WHERE age >= 18"),
                             replace(BOTH, query="SELECT q.name, p.id FROM people p JOIN people q USING (id)"), above]
    assert len(converge(database, changed)) == 3
    kept = database.execute(KEPT)
    assert kept == [(before[0][0], ["'nobody'::character varying", "7"], *before[0][2:])]
    require_agreement(database, changed)


@pytest.mark.servers("official")
@pytest.mark.parametrize("context", [False, True], ids=["together", "alone"])
def test_a_columns_type_changes_under_views_that_keep_all_they_have(database: Database, context: bool) -> None:
    converge(database, WHOLE)
    before = with_rule(database)
    wanted: list[Object] = [with_column("name", type="text"), WRITE, GUARDED, BOTH]
    options = apply.Options(allow=frozenset({"rewrites_table"}))
    apply.ensure(database.owner, wanted[:1] if context else wanted, context=wanted, options=options)
    kept = database.execute(KEPT)
    assert kept == [(before[0][0], ["7", kept[0][1][1]], *before[0][2:])]  # type: ignore[index]
    assert kept[0][1][1].startswith("'nobody'::")  # type: ignore[index]
    if not context:
        require_agreement(database, wanted)


@pytest.mark.servers("official")
def test_what_a_view_cannot_have_is_said_before_any_server_is_asked(database: Database) -> None:
    for wrong, text in ((replace(GUARDED, check_option="global"), "guarded: check_option 'global' is not known"),
                        (replace(BOTH, triggers=(replace(BOTH.triggers[0], disabled=True),)),
                         r"paired\.both_write: a trigger of a view cannot be disabled")):
        with pytest.raises(DeclarationError, match=text):
            apply.plan(database.owner, [PEOPLE, WRITE, wrong])


@pytest.mark.servers("official")
def test_drift_is_repaired_and_a_dropped_view_is_recreated(database: Database) -> None:
    converge(database, ALL)
    database.execute("CREATE OR REPLACE VIEW adults AS SELECT id, name FROM people", "COMMENT ON VIEW adults IS NULL")
    assert len(converge(database, ALL)) == 2
    require_recreated(database, ALL, NAMES, "DROP VIEW names")


@pytest.mark.servers("official")
def test_an_undeclared_view_is_reported_and_dropped_where_that_is_allowed(database: Database) -> None:
    converge(database, ALL)
    database.execute("CREATE VIEW mine AS SELECT age FROM people")
    warnings = apply.plan(database.owner, ALL, options=apply.Options(whole_schema=True)).warnings
    assert "mine is a view that is not declared" in warnings[0]
    assert converge(database, ALL, "drops_view", whole_schema=True) == ["DROP VIEW mine"]


@pytest.mark.servers("official")
def test_a_crash_after_any_step_leaves_what_the_next_run_finishes(database: Database) -> None:
    def again() -> None:
        database.execute("SET client_min_messages = error", "DROP TABLE IF EXISTS people CASCADE")

    converge(database, ALL)
    after: list[Object] = [
        replace(with_column("age", type="text"), indexes=(Index("by_age", ("age",)),)),
        replace(ADULTS, query="SELECT name, age, id FROM people", comment="Other"), NAMES]
    survives_crashes(database, ALL, after, reset=again)


@pytest.mark.servers("official")
def test_continuous_aggregates_are_not_read_as_views_and_are_named_as_dependants(database: Database) -> None:
    converge(database, [PEOPLE])
    database.execute(
        "CREATE TABLE h (t timestamptz NOT NULL, v int)", "SELECT create_hypertable('h', 't')",
        "CREATE MATERIALIZED VIEW hourly WITH (timescaledb.continuous) AS SELECT time_bucket('1 hour', t) AS b, "
        "max(v) AS v FROM h GROUP BY 1 WITH NO DATA")
    h = Table("h", (Column("t", "timestamptz", null=False), Column("v", "bigint")))
    hyper = replace(h, hypertable=Hypertable("t", "7 days"))
    with pytest.raises(UnsafeChangeError, match=r"h\.v: its type is going to be changed, and continuous aggregate "
                                                "hourly stands on it"):
        apply.plan(database.owner, [hyper])
    with pytest.raises(ApplyError, match="hourly"):
        apply.ensure(database.owner, [View("hourly", "SELECT 1 AS one")])
