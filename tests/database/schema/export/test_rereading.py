"""What a dump and a restore have put into other words is still as declared."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schema import apply
from schema.lifecompanion import tables
from schema.model.objects import Check, Column, Index, Table
from tests.support.running.servers import Database

SKIP = apply.Options(on_unsupported="skip")
TABLE = Table("words", (Column("state", "varchar(9)", default="'new'"), Column("n", "integer"),
                        Column("late", "boolean", generated="state IN ('old', 'gone')")),
              checks=(Check("words_state", "state IN ('new', 'old', 'gone')"), Check("words_n", "n BETWEEN 1 AND 9")),
              indexes=(Index("words_i", ("lower(state)",), where="state NOT IN ('gone', 'old')"),))


def reread(database: Database, *names: str) -> None:
    """Make checks and indexes again from the server's own words, as pg_restore does."""
    checks = database.execute(
        "SELECT conrelid::regclass, quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint "
        f"WHERE contype = 'c' AND conrelid::regclass::text IN ({', '.join(map(repr, names))})")
    for table, name, words in checks:
        database.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}",
                         f"ALTER TABLE {table} ADD CONSTRAINT {name} {words}")


@pytest.mark.servers("official", "debian")
def test_the_specification_read_once_more_plans_nothing(database: Database) -> None:
    apply.ensure(database.owner, tables(), options=SKIP)
    reread(database, "users", "devices", "notifications")
    assert apply.plan(database.owner, tables(), options=SKIP).render() == []
    assert apply.read(database.owner, tables(), options=SKIP) == list(tables())


@pytest.mark.servers("official", "debian")
def test_expressions_of_every_kind_stay_equal_after_a_dump_and_restore(database: Database) -> None:
    apply.ensure(database.owner, [TABLE])
    reread(database, "words")
    ((words,),) = database.execute("SELECT pg_get_indexdef('words_i'::regclass)")
    database.execute("DROP INDEX words_i", str(words))
    assert apply.plan(database.owner, [TABLE]).render() == []


@pytest.mark.servers("official", "debian")
def test_a_changed_check_still_differs_after_a_dump_and_restore(database: Database) -> None:
    apply.ensure(database.owner, [TABLE])
    reread(database, "words")
    other = replace(TABLE, checks=(Check("words_state", "state IN ('new', 'old')"), TABLE.checks[1]))
    assert [step.object for step in apply.plan(database.owner, [other]).steps] == ["words.words_state"]
