"""Functions and procedures on a real server: replaced where they can be, made again with their grants where not."""

from __future__ import annotations

from dataclasses import replace

import psycopg
import pytest

from schema import apply
from schema.errors import ApplyError, DeclarationError, UnsafeChangeError
from schema.export.adoption import adopt
from schema.model.objects import Column, ContinuousAggregate, Enum, Function, Hypertable, Index, Table, View
from tests.support.convergence import converge, require_agreement, require_recreated, survives_crashes
from tests.support.running.servers import Database

ADD = Function("add_up", "SELECT a + b", "a integer, b integer DEFAULT 2", "integer", language="sql",
               comment="Their sum")
TOUCH = Function("touch", "BEGIN NEW.at := now(); RETURN NEW; END", returns="trigger")
TIDY = Function("tidy", "BEGIN PERFORM 1; END", "job_id int, config jsonb", returns=None)
PEOPLE = Table("people", (Column("id", "int"), Column("name", "text")))


def called(database: Database, call: str = "add_up(1)") -> object:
    return database.execute(f"SELECT {call}")[0][0]


def granted(database: Database, name: str = "add_up") -> list[object]:
    return [row[0] for row in database.execute(
        f"SELECT grantee::regrole::text FROM pg_proc, aclexplode(proacl) WHERE proname = '{name}' "
        "AND grantee <> proowner ORDER BY 1")]


def test_functions_and_procedures_are_created_and_read_back(database: Database) -> None:
    one = replace(ADD, volatility="immutable", parallel="safe", strict=True, security_definer=True,
                  settings=("search_path = public, pg_temp", "work_mem = '8MB'"))
    rows = Function("people_called", "BEGIN RETURN QUERY SELECT p.id, p.name FROM people p WHERE p.name = called; END",
                    "called varchar(20)", "TABLE(id int, name text)", volatility="stable")
    everyone = Function("everyone", "SELECT * FROM people", returns="SETOF people", language="sql")
    odd = Function("Odd name", "SELECT '$$ and $body$'::text", returns="text", language="sql")
    converge(database, [one, TOUCH, TIDY, PEOPLE, rows, everyone, odd])
    assert (called(database), called(database, '"Odd name"()')) == (3, "$$ and $body$")


@pytest.mark.servers("official")
@pytest.mark.parametrize(("field", "value"), [
    ("body", "SELECT a + b + 0"), ("volatility", "immutable"), ("parallel", "restricted"), ("strict", True),
    ("security_definer", True), ("settings", ("search_path = public",)), ("language", "plpgsql"),
    ("arguments", "a integer, b integer DEFAULT 3")])
def test_what_can_be_replaced_is_replaced_and_keeps_its_identity(database: Database, field: str, value: object) -> None:
    converge(database, [ADD])
    before = called(database, "'add_up'::regproc::oid")
    more = {"body": "BEGIN RETURN a + b; END"} if field == "language" else {}
    steps = converge(database, [replace(ADD, **{field: value}, **more)])
    assert len(steps) == 1
    assert steps[0].startswith("CREATE OR REPLACE FUNCTION add_up(")
    assert called(database, "'add_up'::regproc::oid") == before
    assert len(converge(database, [ADD])) == (2 if field == "arguments" and "DEFAULT" not in str(value) else 1)


@pytest.mark.servers("official")
@pytest.mark.parametrize(("change", "hazard"), [
    ({"returns": "bigint"}, None), ({"arguments": "a integer, b integer"}, None),
    ({"arguments": "first integer, b integer DEFAULT 2", "body": "SELECT first + b"}, None),
    ({"arguments": "a bigint, b bigint DEFAULT 2", "returns": "bigint"}, "drops_function"),
    ({"returns": None, "language": "plpgsql", "body": "BEGIN END"}, "drops_function")])
def test_a_function_that_cannot_be_replaced_is_recreated_with_its_grants(
        database: Database, change: dict[str, str], hazard: str | None) -> None:
    converge(database, [ADD])
    database.execute("REVOKE ALL ON FUNCTION add_up FROM PUBLIC", "GRANT EXECUTE ON FUNCTION add_up TO pg_monitor",
                     "ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO pg_read_all_stats")
    changed = replace(ADD, **change)
    if hazard:
        with pytest.raises(UnsafeChangeError, match=f"add_up: {hazard} is not allowed"):
            apply.ensure(database.owner, [changed])
    steps = converge(database, [changed], *([hazard] if hazard else []))
    assert steps[0].startswith("DROP FUNCTION add_up(a integer, b integer); CREATE ")
    assert granted(database) == ["pg_monitor"]


@pytest.mark.servers("official")
def test_a_function_with_dependants_is_not_dropped_and_they_are_named(database: Database) -> None:
    view = View("sums", "SELECT add_up(1, 2) AS sum")
    converge(database, [ADD, view])
    with pytest.raises(UnsafeChangeError, match=r"it has result \(integer\), so it has to be dropped and made again, "
                                                r"and rule _RETURN on view sums depends on it"):
        apply.plan(database.owner, [replace(ADD, returns="bigint"), view])
    converge(database, [replace(ADD, body="SELECT a * b"), view])
    assert database.execute("SELECT sum FROM sums") == [(2,)]


@pytest.mark.servers("official")
def test_overloads_that_nobody_declares_are_left_alone(database: Database) -> None:
    database.execute("CREATE FUNCTION add_up(text, text) RETURNS text LANGUAGE sql AS 'SELECT $1 || $2'",
                     "CREATE FUNCTION add_up(date) RETURNS date LANGUAGE sql AS 'SELECT $1'")
    converge(database, [ADD])
    converge(database, [replace(ADD, returns="bigint")])
    options = apply.Options(whole_schema=True, allow=frozenset({"drops_function"}))
    assert apply.plan(database.owner, [replace(ADD, returns="bigint")], options=options).steps == ()
    assert apply.drop(database.owner, replace(ADD, returns="bigint"), options=options)
    assert (called(database, "add_up('a', 'b')"), called(database, "count(*) FROM pg_proc WHERE proname = 'add_up'")
            ) == ("ab", 2)
    with pytest.raises(psycopg.errors.UndefinedFunction):
        called(database, "add_up(1, 2)")


PLENTY = Function("plenty", "SELECT generate_series(1, many)", "many integer", "SETOF integer", language="sql",
                  volatility="stable", cost=0.5, rows=3)
REFUSED = r"plenty: .*superuser"
ATTRIBUTES = ("SELECT proleakproof, procost, prorows, prosupport::regproc::text, prosecdef FROM pg_proc "
              "WHERE proname = '{}'")


@pytest.mark.servers("official")
def test_what_the_planner_is_told_is_read_changed_and_kept_when_the_body_is_replaced(database: Database) -> None:
    converge(database, [PLENTY])
    assert database.execute(ATTRIBUTES.format("plenty")) == [(False, 0.5, 3.0, "-", False)]
    changed = replace(PLENTY, body="SELECT generate_series(1, many + 0)")
    assert len(converge(database, [changed])) == 1
    assert database.execute(ATTRIBUTES.format("plenty")) == [(False, 0.5, 3.0, "-", False)]
    plan = apply.plan(database.owner, [replace(changed, cost=None, rows=None)])
    assert [step.why for step in plan.steps] == ["it has cost (0.5), it has rows (3)"]
    converge(database, [replace(changed, cost=None, rows=None)])
    assert database.execute(ATTRIBUTES.format("plenty")) == [(False, 100.0, 1000.0, "-", False)]
    database.execute("ALTER FUNCTION plenty COST 7")
    assert len(converge(database, [replace(changed, cost=7)])) == 1


@pytest.mark.servers("official")
def test_leakproof_and_support_survive_a_replacement_by_a_superuser_and_stop_any_other(database: Database) -> None:
    told = replace(PLENTY, leakproof=True, support="pg_catalog.generate_series_int4_support", cost=None, rows=None)
    with pytest.raises(ApplyError, match=REFUSED):
        apply.ensure(database.owner, [told])
    apply.ensure(database.admin, [told])
    apply.ensure(database.admin, [replace(told, body="SELECT generate_series(2, many)")])
    assert database.execute(ATTRIBUTES.format("plenty")) == [
        (True, 100.0, 1000.0, "generate_series_int4_support", False)]
    with database.admin.connect() as connection:
        connection.execute("ALTER FUNCTION plenty OWNER TO test_owner")
    require_agreement(database, [replace(told, body="SELECT generate_series(2, many)")])
    with pytest.raises(ApplyError, match=REFUSED):
        apply.ensure(database.owner, [told])
    assert database.execute(ATTRIBUTES.format("plenty"))[0][0] is True


@pytest.mark.servers("official")
def test_parsed_bodies_are_read_compared_and_kept_whole(database: Database) -> None:
    total = Function("people_count", "BEGIN ATOMIC SELECT count(*) FROM people; END", returns="bigint", language="sql",
                     volatility="stable")
    after = Function("after_it", "RETURN x + 1", "x integer", "integer", language="sql")
    fill = Function("fill", "BEGIN ATOMIC INSERT INTO people (id) VALUES (n); INSERT INTO people VALUES (n, 'x'); END",
                    "n integer", returns=None, language="sql")
    declared = [PEOPLE, total, after, fill]
    converge(database, declared)
    database.execute("CALL fill(1)")
    assert (called(database, "people_count()"), called(database, "after_it(2)")) == (2, 3)
    steps = converge(database, [PEOPLE, total, after, replace(fill, security_definer=True)])
    assert len(steps) == 1
    database.execute("CALL fill(2)")
    assert called(database, "people_count()") == 4
    changed = replace(after, body="RETURN x + 2")
    assert converge(database, [PEOPLE, total, changed, fill])[0].endswith("LANGUAGE sql RETURN x + 2")
    plain = replace(after, body="SELECT x + 2")
    assert len(converge(database, [PEOPLE, total, plain, fill])) == 1
    require_recreated(database, [PEOPLE, total, plain, fill], total, "DROP FUNCTION people_count")


@pytest.mark.servers("official")
def test_a_parsed_body_follows_a_renamed_table_and_is_named_where_it_is_in_the_way(database: Database) -> None:
    total = Function("names", "BEGIN ATOMIC SELECT string_agg(name, ',') FROM people; END", returns="text",
                     language="sql")
    converge(database, [PEOPLE, total])
    wider = replace(PEOPLE, columns=(PEOPLE.columns[0], Column("name", "varchar(9)")))
    with pytest.raises(UnsafeChangeError, match=r"people\.name: .*function names\(\) stands on it"):
        apply.plan(database.owner, [wider, total])
    renamed = replace(PEOPLE, name="persons", renamed_from="people")
    assert converge(database, [renamed, replace(total, body=total.body.replace("people", "persons"))]) == [
        "ALTER TABLE people RENAME TO persons"]


@pytest.mark.servers("official")
def test_an_empty_body_is_refused_before_any_server_is_asked(database: Database) -> None:
    with pytest.raises(DeclarationError, match="tidy: the body is empty, and whatever calls it would do nothing"):
        apply.plan(database.owner, [replace(TIDY, body=" ")])


OVERLOADS = [Function("shown", f"SELECT '{type_}'", f"x {type_}", "text", language="sql", comment=f"Of {type_}")
             for type_ in ("int", "text", "numeric(4,1)")]


@pytest.mark.servers("official")
def test_several_functions_of_one_name_are_declared_changed_and_adopted_each(database: Database) -> None:
    converge(database, OVERLOADS)
    assert [called(database, f"shown({value})") for value in ("1", "'a'::text", "1.5")] == [
        "int", "text", "numeric(4,1)"]
    changed = [OVERLOADS[0], replace(OVERLOADS[1], body="SELECT 'other'"), OVERLOADS[2]]
    assert len(converge(database, changed)) == 1
    assert [called(database, f"shown({value})") for value in ("1", "'a'::text", "1.5")] == [
        "int", "other", "numeric(4,1)"]
    found = adopt(database.owner)
    assert (sorted(each.arguments for each in found.objects if isinstance(each, Function)), found.remarks) == (
        ["x integer", "x numeric", "x text"], ())
    require_agreement(database, changed)
    require_recreated(database, changed, changed[1], "DROP FUNCTION shown(text)")


@pytest.mark.servers("official")
def test_a_new_overload_never_takes_the_place_of_a_declared_one(database: Database) -> None:
    one, other, third = OVERLOADS
    converge(database, [one])
    for order in ([other], [third, other]):
        assert all(step.sql.startswith(("CREATE FUNCTION", "COMMENT")) for step in apply.plan(
            database.owner, order, context=[one, other, third]).steps)
    steps = converge(database, [one, other])
    assert [step.split("(")[0] for step in steps] == ["CREATE FUNCTION shown", "COMMENT ON FUNCTION shown"]
    date = replace(other, arguments="x date")
    assert converge(database, [one, date], "drops_function")[0].startswith("DROP FUNCTION shown(x text); CREATE ")
    options = apply.Options(allow=frozenset({"drops_function"}))
    assert not apply.drop(database.owner, third, options=options)
    assert apply.drop(database.owner, date, options=options)
    assert called(database, "count(*) FROM pg_proc WHERE proname = 'shown'") == 1
    with pytest.raises(DeclarationError, match=r"shown\(x int\): declared twice"):
        apply.plan(database.owner, [one, one])


@pytest.mark.servers("official")
def test_a_function_is_renamed_and_what_calls_it_follows(database: Database) -> None:
    view = View("sums", "SELECT add_up(1, 2) AS sum")
    converge(database, [ADD, view])
    plus = replace(ADD, name="plus", renamed_from="add_up")
    assert converge(database, [plus, replace(view, query="SELECT plus(1, 2) AS sum")]) == [
        "ALTER FUNCTION add_up(a integer, b integer) RENAME TO plus"]


@pytest.mark.servers("official")
def test_drift_is_repaired_and_a_dropped_function_is_recreated(database: Database) -> None:
    converge(database, [ADD, TIDY])
    database.execute("CREATE OR REPLACE FUNCTION add_up(a integer, b integer DEFAULT 2) RETURNS integer LANGUAGE sql "
                     "AS 'SELECT 0'", "ALTER PROCEDURE tidy(integer, jsonb) SECURITY DEFINER",
                     "COMMENT ON FUNCTION add_up IS NULL")
    plan = apply.plan(database.owner, [ADD, TIDY])
    assert [step.why for step in plan.steps] == [
        "its body differs", "there is no comment yet", "it has security definer on"]
    converge(database, [ADD, TIDY])
    assert called(database) == 3
    require_recreated(database, [ADD, TIDY], TIDY, "DROP PROCEDURE tidy")


@pytest.mark.servers("official")
def test_a_body_that_the_server_refuses_is_a_one_line_error_and_changes_nothing(database: Database) -> None:
    converge(database, [ADD])
    with pytest.raises(ApplyError, match=r"add_up: column \"c\" does not exist"):
        apply.ensure(database.owner, [replace(ADD, body="SELECT a + c")])
    require_agreement(database, [ADD])


@pytest.mark.servers("official")
def test_a_body_may_name_what_is_created_after_it(database: Database) -> None:
    counted = Function("counted", "SELECT coalesce(max(n), 0) FROM public.blocks", returns="bigint", language="sql",
                       volatility="stable")
    first = Function("first_of", "SELECT counted()", returns="bigint", language="sql")
    blocks = Table("blocks", (Column("n", "bigint", null=False),), indexes=(Index("blocks_n_idx", ("n DESC",)),),
                   hypertable=Hypertable("n", "1000", now="counted"))
    hours = ContinuousAggregate("by_ten", query="SELECT time_bucket(10, n) AS b, count(*) AS c FROM blocks GROUP BY 1")
    above = Function("above", "SELECT count(*) FROM by_ten", returns="bigint", language="sql")
    converge(database, [first, above, counted, blocks, hours])
    assert called(database, "first_of()") == 0


@pytest.mark.servers("official")
def test_a_body_is_checked_under_the_search_path_of_its_callers(database: Database) -> None:
    mood = Enum("q", values=("x", "y"), schema="app")
    plain = Function("f", "SELECT CASE p WHEN 'x' THEN 'x'::q ELSE 'y'::q END", "p app.q", "app.q", language="sql",
                     volatility="immutable", schema="app")
    pinned = Function("g", "SELECT count(*) FROM app.t", returns="bigint", language="sql",
                      settings=("search_path = ''",))
    converge(database, [mood, plain, pinned, Table("t", (Column("id", "int"),), schema="app")])
    assert called(database, "g()") == 0


@pytest.mark.servers("official")
def test_all_bodies_that_are_refused_are_named_together_and_nothing_is_done(database: Database) -> None:
    faulty = [Function(name, f"SELECT count(*) FROM {table}", returns="bigint", language="sql")
              for name, table in (("one", "nothing_a"), ("two", "nothing_b"))]
    with pytest.raises(ApplyError, match=r'one: relation "nothing_a" does not exist; .*\ntwo: relation "nothing_b"'):
        apply.ensure(database.owner, [*faulty, PEOPLE])
    assert apply.read(database.owner, [*faulty, PEOPLE]) == [None, None, None]
    converge(database, [replace(faulty[0], allow=("unchecked_body",))])
    converge(database, [faulty[1]], "unchecked_body")


@pytest.mark.servers("official")
def test_a_body_may_lack_what_another_run_of_the_program_creates(database: Database) -> None:
    names = Function("names", "SELECT count(*) FROM people", returns="bigint", language="sql")
    with pytest.raises(ApplyError, match='names: relation "people" does not exist'):
        apply.ensure(database.owner, [names])
    apply.ensure(database.owner, [names], context=[names, PEOPLE])
    converge(database, [names, PEOPLE])


@pytest.mark.servers("official")
def test_an_undeclared_function_is_reported_and_dropped_where_that_is_allowed(database: Database) -> None:
    converge(database, [ADD])
    database.execute("CREATE PROCEDURE other(a int) LANGUAGE sql AS ''")
    warnings = apply.plan(database.owner, [ADD], options=apply.Options(whole_schema=True)).warnings
    assert "other is a procedure that is not declared" in warnings[0]
    assert converge(database, [ADD], "drops_function", whole_schema=True) == ["DROP PROCEDURE other(IN a integer)"]


@pytest.mark.servers("official")
def test_a_crash_after_any_step_leaves_what_the_next_run_finishes(database: Database) -> None:
    converge(database, [ADD, TOUCH])
    after = [replace(ADD, returns="bigint", comment="Other"), replace(TOUCH, body="BEGIN RETURN NEW; END")]
    survives_crashes(database, [ADD, TOUCH], after,
                     reset=lambda: database.execute("DROP FUNCTION add_up", "DROP FUNCTION touch"))


@pytest.mark.servers("official")
def test_functions_of_timescaledb_are_never_seen(database: Database) -> None:
    plan = apply.plan(database.owner, [ADD], options=apply.Options(whole_schema=True))
    assert plan.warnings == ()
