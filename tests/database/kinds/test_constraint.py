"""Keys, foreign keys and checks on a real server: every property, beside writers where the server can."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schema.model.objects import Check, Column, ForeignKey, Hypertable, Key, Table
from tests.support.convergence import converge, survives_crashes
from tests.support.running.servers import Database

PEOPLE = Table("people", (Column("id", "int"), Column("team", "int"), Column("name", "text")),
               keys=(Key("people_pkey", ("id",), primary=True), Key("people_key", ("team", "name"), comment="Once")))
VISITS = Table("visits", (Column("t", "timestamptz", null=False), Column("who", "int"), Column("team", "int"),
                          Column("name", "text")),
               foreign_keys=(ForeignKey("visits_who_fkey", ("who",), "people", comment="Who came"),),
               checks=(Check("visits_team", "team > 0", comment="Teams are counted from 1"),))
HYPER = replace(VISITS, keys=(Key("visits_key", ("t", "who")),), hypertable=Hypertable("t", "1 day"))
ROWS = ("INSERT INTO people SELECT n, n, 'n' FROM generate_series(1, 3) n",
        "INSERT INTO visits SELECT now() - n * interval '1 day', n, n, 'n' FROM generate_series(1, 3) n")
TABLES = pytest.mark.parametrize("visits", [VISITS, HYPER], ids=["plain", "hypertable"])


def filled(database: Database, visits: Table) -> None:
    converge(database, [PEOPLE, visits])
    database.execute(*ROWS)


def test_constraints_with_comments_are_created_and_read_back(database: Database) -> None:
    pair = ForeignKey("visits_pair_fkey", ("team", "name"), "people", ("team", "name"), "set null", "cascade")
    converge(database, [PEOPLE, replace(HYPER, foreign_keys=(*HYPER.foreign_keys, pair))])


@pytest.mark.repeats("debian")
@pytest.mark.servers("official", "debian")
@TABLES
def test_each_property_of_a_foreign_key_and_a_check_changes_without_blocking_writers(
        database: Database, visits: Table) -> None:
    filled(database, visits)
    key, check = visits.foreign_keys[0], visits.checks[0]
    pair = replace(key, columns=("team", "name"), references=("team", "name"))
    actions = (replace(key, on_delete="cascade", on_update="set null"),
               replace(key, on_delete="restrict", on_update="set default"), pair)
    for changed in (*(replace(visits, foreign_keys=(altered,)) for altered in actions),
                    replace(visits, checks=(replace(check, expression="team BETWEEN 1 AND 9"),))):
        steps = converge(database, [PEOPLE, changed])
        assert ["NOT VALID" in step for step in steps[:2]] == [True, False]
        assert steps[1].startswith("ALTER TABLE visits VALIDATE CONSTRAINT")
        converge(database, [PEOPLE, visits])
    silent = replace(visits, checks=(replace(check, comment=None),), foreign_keys=(replace(key, comment="Other"),))
    assert len(converge(database, [PEOPLE, silent])) == 2


@pytest.mark.servers("official")
@pytest.mark.parametrize("keys", [("team",), ("name", "team"), ("name", "id")])
def test_a_key_is_replaced_without_blocking_writers_and_keeps_its_comment(
        database: Database, keys: tuple[str, ...]) -> None:
    filled(database, VISITS)
    changed = replace(PEOPLE, keys=(PEOPLE.keys[0], replace(PEOPLE.keys[1], columns=keys)))
    steps = converge(database, [changed, VISITS])
    assert steps[0] == f"CREATE UNIQUE INDEX CONCURRENTLY people_key__new ON people ({', '.join(keys)})"
    assert steps[1] == ("ALTER TABLE people DROP CONSTRAINT people_key, ADD CONSTRAINT people_key UNIQUE USING INDEX "
                        "people_key__new")
    assert database.execute("SELECT count(*) FROM pg_indexes WHERE indexname LIKE '%__new'") == [(0,)]


@pytest.mark.servers("official")
def test_a_key_of_a_hypertable_is_replaced_only_where_blocking_is_allowed(database: Database) -> None:
    filled(database, HYPER)
    changed = replace(HYPER, keys=(Key("visits_key", ("t", "team")),))
    assert converge(database, [PEOPLE, changed], "blocks_writes")[0] == \
        "ALTER TABLE visits DROP CONSTRAINT visits_key, ADD CONSTRAINT visits_key UNIQUE (t, team)"


@pytest.mark.servers("official")
def test_constraints_of_a_table_in_another_schema_are_changed(database: Database) -> None:
    table = replace(PEOPLE, schema="other")
    converge(database, [table])
    database.execute("INSERT INTO other.people VALUES (1, 1, 'n')")
    converge(database, [replace(table, keys=(table.keys[0], replace(table.keys[1], columns=("name",))))])
    converge(database, [replace(table, keys=(*table.keys, Key("third", ("name",))))])


@pytest.mark.servers("official")
def test_a_crash_after_any_step_leaves_what_the_next_run_finishes(database: Database) -> None:
    def again() -> None:
        database.execute("DROP TABLE people")
        filled(database)

    def filled(database: Database) -> None:
        converge(database, [PEOPLE])
        database.execute(ROWS[0])

    filled(database)
    people = replace(PEOPLE, keys=(PEOPLE.keys[0], replace(PEOPLE.keys[1], columns=("name", "team"))),
                     checks=(Check("more", "id > 0"),))
    survives_crashes(database, [PEOPLE], [people], reset=again)
