"""Names of keys and indexes that a table has which nobody declares: freed where it is dropped, else refused by name."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schema import apply
from schema.errors import UnsafeChangeError
from schema.model.objects import Column, Index, Key, Object, Table
from tests.support.convergence import converge
from tests.support.running.servers import Database

pytestmark = [pytest.mark.servers("official", "debian"), pytest.mark.repeats("debian")]
TAGS = Table("tags", (Column("id", "bigint", null=False), Column("name", "text")),
             (Key("tags_pkey", ("id",), primary=True), Key("tags_name_key", ("name",))),
             indexes=(Index("tags by name", ("name", "id")),))
LABELS = replace(TAGS, name="labels")
HAZARDS = ("drops_table", "without_backup")


@pytest.mark.parametrize("schema", ["public", "Other one"])
def test_the_indexes_of_a_table_that_is_dropped_in_the_same_plan_make_way(database: Database, schema: str) -> None:
    converge(database, [replace(TAGS, schema=schema)])
    steps = converge(database, [replace(LABELS, schema=schema)], *HAZARDS, whole_schema=True)
    prefix = "" if schema == "public" else '"Other one".'
    assert steps[:3] == [f'ALTER INDEX {prefix}"tags by name" RENAME TO "tags by name__gone"',
                         f"ALTER INDEX {prefix}tags_name_key RENAME TO tags_name_key__gone",
                         f"ALTER INDEX {prefix}tags_pkey RENAME TO tags_pkey__gone"]
    assert steps[-1] == f"DROP TABLE {prefix}tags"


def test_the_sequence_of_a_table_that_is_dropped_makes_way_for_an_index(database: Database) -> None:
    database.execute("CREATE TABLE old (id serial)")
    wanted = replace(LABELS, indexes=(Index("old_id_seq", ("name",)),))
    assert "ALTER SEQUENCE old_id_seq RENAME TO old_id_seq__gone" in converge(
        database, [wanted], *HAZARDS, whole_schema=True)


@pytest.mark.parametrize("options", [apply.Options(whole_schema=True), apply.Options()])
@pytest.mark.parametrize("declared", [LABELS, Table("labels", TAGS.columns, indexes=(Index("tags_pkey", ("name",)),))])
def test_a_name_of_a_table_that_stays_is_refused_before_anything_is_done(
        database: Database, declared: Table, options: apply.Options) -> None:
    converge(database, [TAGS])
    with pytest.raises(UnsafeChangeError, match=r"labels: found .* in use as the name of an index of tags, required"):
        apply.ensure(database.owner, [declared], options=options)
    assert database.execute("SELECT to_regclass('labels')") == [(None,)]


def test_a_renamed_table_keeps_the_names_of_its_indexes(database: Database) -> None:
    converge(database, [TAGS])
    wanted: list[Object] = [replace(LABELS, renamed_from="tags", indexes=(*TAGS.indexes, Index("more", ("name",))))]
    assert [step for step in converge(database, wanted) if "gone" in step] == []
