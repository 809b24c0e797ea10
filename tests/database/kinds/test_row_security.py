"""Row-level security on a real server: nobody sees more than the policies say at any step."""

from __future__ import annotations

from dataclasses import replace

import psycopg
import pytest

from schema import apply
from schema.errors import DeclarationError, UnsupportedError
from schema.model.objects import Column, Compression, Hypertable, Policy, RowSecurity, Table
from tests.support.convergence import converge, require_agreement, survives_crashes
from tests.support.running.servers import Database

OWN = Policy("own", using="owner = CURRENT_USER", comment="To each their own")
WRITES = Policy("writes", check="id > 0", command="insert", roles=("pg_read_all_data", "pg_monitor"))
SECURE = RowSecurity((OWN, WRITES))
NOTES = Table("notes", (Column("id", "int"), Column("owner", "text")), row_security=SECURE)
HYPER = Table("readings", (Column("t", "timestamptz", null=False), Column("owner", "text")),
              hypertable=Hypertable("t", "1 day"), row_security=RowSecurity((OWN,)))
ROWS = "INSERT INTO notes VALUES (1, CURRENT_USER), (2, 'somebody else')"


def secured(*policies: Policy, forced: bool = False, table: Table = NOTES) -> list[Table]:
    return [replace(table, row_security=RowSecurity(policies, forced))]


def seen(database: Database) -> object:
    return database.execute("SELECT count(*) FROM notes")[0][0]


@pytest.mark.parametrize("table", [NOTES, HYPER], ids=["plain", "hypertable"])
def test_policies_are_created_before_row_security_is_enabled(database: Database, table: Table) -> None:
    steps = converge(database, [table])
    place = [next(n for n, step in enumerate(steps) if begin in step) for begin in (
        "CREATE TABLE", "CREATE POLICY", "ENABLE ROW LEVEL SECURITY", "COMMENT ON POLICY own")]
    assert place == sorted(place)


@pytest.mark.servers("official")
def test_forced_row_security_applies_to_the_owner_and_can_be_removed(database: Database) -> None:
    converge(database, [NOTES])
    database.execute(ROWS)
    assert seen(database) == 2
    assert converge(database, secured(OWN, WRITES, forced=True)) == ["ALTER TABLE notes FORCE ROW LEVEL SECURITY"]
    assert seen(database) == 1
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        database.execute("INSERT INTO notes VALUES (3, 'somebody else')")
    assert converge(database, [NOTES]) == ["ALTER TABLE notes NO FORCE ROW LEVEL SECURITY"]


@pytest.mark.servers("official")
@pytest.mark.parametrize(("policy", "begins"), [
    (replace(OWN, using="owner = 'x'"), "ALTER POLICY own ON notes TO PUBLIC USING (owner = 'x')"),
    (replace(OWN, check="id > 1"), "ALTER POLICY own ON notes TO PUBLIC USING (owner = CURRENT_USER) WITH CHECK ("),
    (replace(OWN, roles=("pg_monitor",)), "ALTER POLICY own ON notes TO pg_monitor"),
    (replace(OWN, using=None, check="id > 1"), "DROP POLICY own ON notes; CREATE POLICY own ON notes TO PUBLIC WITH"),
    (replace(OWN, command="select"), "DROP POLICY own ON notes; CREATE POLICY own ON notes FOR SELECT"),
    (replace(OWN, permissive=False), "DROP POLICY own ON notes; CREATE POLICY own ON notes AS RESTRICTIVE")])
def test_a_policy_is_altered_in_place_where_the_server_can(database: Database, policy: Policy, begins: str) -> None:
    converge(database, [NOTES])
    database.execute(ROWS)
    (step,) = converge(database, secured(policy, WRITES))
    assert step.startswith(begins)
    assert len(converge(database, [NOTES])) == 1


@pytest.mark.servers("official")
def test_what_is_undeclared_is_reported_and_dropped_where_that_is_allowed(database: Database) -> None:
    converge(database, [NOTES])
    database.execute("CREATE POLICY mine ON notes USING (true)")
    assert apply.plan(database.owner, [NOTES]).warnings == (
        "notes.mine is not declared and was left in place; declare it, or allow drops_policy to drop it",)
    assert converge(database, [NOTES], "drops_policy") == ["DROP POLICY mine ON notes"]
    bare = replace(NOTES, row_security=None)
    plan = apply.plan(database.owner, [bare])
    assert plan.steps == ()
    assert [warning.split(" ")[0] for warning in plan.warnings] == ["notes.own", "notes.writes", "notes.row_security"]
    assert converge(database, [bare], "drops_policy") == [
        "DROP POLICY own ON notes", "DROP POLICY writes ON notes", "ALTER TABLE notes DISABLE ROW LEVEL SECURITY"]


@pytest.mark.servers("official")
def test_drift_made_by_hand_is_repaired(database: Database) -> None:
    converge(database, [NOTES])
    database.execute("ALTER TABLE notes DISABLE ROW LEVEL SECURITY", "ALTER POLICY writes ON notes WITH CHECK (true)",
                     "COMMENT ON POLICY own ON notes IS NULL")
    assert len(converge(database, [NOTES])) == 3
    database.execute("DROP POLICY own ON notes")
    assert [step.split(" USING")[0] for step in converge(database, [NOTES])] == [
        "CREATE POLICY own ON notes TO PUBLIC", "COMMENT ON POLICY own ON notes IS 'To each their own'"]


@pytest.mark.servers("official")
def test_a_column_is_renamed_and_retyped_under_a_policy(database: Database) -> None:
    converge(database, [NOTES])
    long = replace(NOTES, columns=(replace(NOTES.columns[0], type="bigint"), NOTES.columns[1]))
    converge(database, [long])
    person = replace(long, columns=(long.columns[0], replace(long.columns[1], name="person", renamed_from="owner")),
                     row_security=RowSecurity((replace(OWN, using="person = CURRENT_USER"), WRITES)))
    assert converge(database, [person]) == ["ALTER TABLE notes RENAME COLUMN owner TO person"]


@pytest.mark.servers("official")
def test_a_policy_may_query_another_table(database: Database) -> None:
    teams = Table("teams", (Column("member", "text"),))
    shared = Policy("shared", using="owner IN (SELECT member FROM teams)")
    converge(database, [teams, *secured(shared)])
    converge(database, [teams, *secured(replace(shared, using="EXISTS (SELECT FROM teams WHERE member = owner)"))])


@pytest.mark.servers("official")
def test_a_missing_role_is_named_before_any_change(database: Database) -> None:
    message = r'notes\.own: the server cannot create it: role "nobody" does not exist'
    with pytest.raises(DeclarationError, match=message):
        apply.ensure(database.owner, secured(replace(OWN, roles=("nobody",))))


@pytest.mark.servers("official")
def test_row_security_with_the_columnstore_is_refused_before_any_change(database: Database) -> None:
    both = replace(HYPER, compression=Compression("7 days", order_by=("t",)))
    with pytest.raises(DeclarationError, match=r"readings: .*row-level security"):
        apply.plan(database.owner, [both])
    compressed = replace(both, row_security=None)
    converge(database, [HYPER])
    with pytest.raises(UnsupportedError, match=r"readings\.compression: row-level security is on, .* allow "
                                               "drops_policy"):
        apply.plan(database.owner, [compressed])
    require_agreement(database, [HYPER])
    converge(database, [compressed], "drops_policy")
    converge(database, [HYPER])


@pytest.mark.servers("official")
def test_a_crash_after_any_step_leaves_what_the_next_run_finishes(database: Database) -> None:
    def again() -> None:
        database.execute("DROP TABLE notes", "CREATE TABLE notes (id int, owner text)")

    again_with = replace(NOTES, row_security=None)
    converge(database, [again_with])
    survives_crashes(database, [again_with], secured(OWN, WRITES, forced=True), reset=again)
