"""Extensions on real servers: created first, kept where they are, never dropped unless that is allowed; one that nobody
declares and something needs is named."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schema import apply
from schema.errors import DeclarationError, UnsupportedError
from schema.export.adoption import adopt
from schema.export.plain_sql import dump
from schema.model.objects import Check, Column, Extension, Index, Key, Object, Table, View
from tests.support.convergence import converge, require_agreement, require_recreated, survives_crashes
from tests.support.running.servers import Database

pytestmark = [pytest.mark.servers("official", "debian"), pytest.mark.repeats("debian")]
CITEXT = Extension("citext", comment="Words of either case")
LTREE = Extension("ltree", schema="paths")
PEOPLE = Table("people", (Column("name", "citext", default="'Nobody'"), Column("path", "paths.ltree")),
               checks=(Check("not_nobody", "name <> 'NOBODY'"),),
               indexes=(Index("people_path", ("path",), method="gist"),))
UPPER = View("upper_people", "SELECT name, paths.nlevel(path) AS depth FROM people WHERE name = 'ADA'")
WORDS = Table("words", (Column("id", "integer", null=False), Column("word", "text")),
              keys=(Key("words_pkey", ("id",), primary=True),),
              indexes=(Index("words_like", ("word gin_trgm_ops",), method="gin"),))


def test_extensions_are_created_first_in_their_schemas_with_what_needs_them(database: Database) -> None:
    made = converge(database, [CITEXT, LTREE, PEOPLE, UPPER])
    assert made[:4] == ["CREATE SCHEMA paths", "CREATE EXTENSION IF NOT EXISTS citext SCHEMA public",
                        "COMMENT ON EXTENSION citext IS 'Words of either case'",
                        "CREATE EXTENSION IF NOT EXISTS ltree SCHEMA paths"]
    database.execute("INSERT INTO people VALUES ('ada', 'a.b')")
    assert database.execute("SELECT depth FROM upper_people") == [(2,)]


def test_planning_leaves_no_extension_and_no_schema_behind(database: Database) -> None:
    assert len(apply.plan(database.owner, [CITEXT, LTREE, PEOPLE, UPPER]).steps) == 7
    assert database.execute("SELECT extname FROM pg_extension WHERE extname IN ('citext', 'ltree')") == []
    assert database.execute("SELECT to_regnamespace('paths')") == [(None,)]


def test_an_extension_that_the_program_declares_elsewhere_serves_one_object_alone(database: Database) -> None:
    found = apply.plan(database.owner, [WORDS], context=[Extension("pg_trgm"), WORDS])
    assert [step.object for step in found.steps] == ["words", "words.words_like"]


@pytest.mark.parametrize(("table", "extension"), [
    (WORDS, "pg_trgm"), (Table("t", (Column("a", "citext"),)), "citext"),
    (Table("t", (Column("a", "ltree[]"),)), "ltree"), (Table("t", (Column("a", "ext.hstore"),)), "hstore"),
    (View("v", "SELECT calls FROM pg_stat_statements"), "pg_stat_statements"),
    (Table("t", (Column("a", "uuid", default="uuid_generate_v4()"),)), "uuid-ossp"),
    (Table("t", (Column("a", "text"),), checks=(Check("c", "digest(a, 'sha1') IS NOT NULL"),)), "pgcrypto"),
    (Table("t", (Column("a", "integer"),), indexes=(Index("i", ("a",), method="gist"),)), "btree_gist")])
def test_what_needs_an_extension_that_is_neither_declared_nor_there_names_it(
        database: Database, table: Object, extension: str) -> None:
    with pytest.raises((DeclarationError, UnsupportedError)) as refused:
        apply.plan(database.owner, [table])
    assert f"declare Extension({extension!r}) before" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_type_that_no_extension_brings_is_named(database: Database) -> None:
    with pytest.raises(DeclarationError, match=r't\.a: the server cannot create it: type "nothing" does not exist; '
                                               "declare it, or the Extension that brings it, or"):
        apply.plan(database.owner, [Table("t", (Column("a", "nothing"),))])


def test_what_the_server_has_not_or_this_login_may_not_create_is_one_line(database: Database) -> None:
    with pytest.raises(UnsupportedError, match="no_such: the server has no extension no_such; install its package"):
        apply.plan(database.owner, [Extension("no_such")])
    with pytest.raises(UnsupportedError, match=r"pg_buffercache: only a superuser may create this extension, "
                       r"and test_owner is none; have one run CREATE EXTENSION IF NOT EXISTS pg_buffercache SCHEMA "
                       r"public, then apply again"):
        apply.plan(database.owner, [Extension("pg_buffercache")])
    with pytest.raises(UnsupportedError, match="citext: extension version 99 is declared, and the server has 1"):
        apply.plan(database.owner, [Extension("citext", version="99")])
    with database.admin.connect() as connection:
        connection.execute("CREATE EXTENSION pg_buffercache")
    require_agreement(database, [Extension("pg_buffercache")])


def test_a_version_is_created_and_updated_where_one_is_declared(database: Database) -> None:
    old = Extension("ltree", version="1.2")
    assert converge(database, [old]) == ["CREATE EXTENSION IF NOT EXISTS ltree SCHEMA public VERSION '1.2'"]
    require_agreement(database, [replace(old, version=None)])
    (newest,), = database.execute("SELECT default_version FROM pg_available_extensions WHERE name = 'ltree'")
    assert converge(database, [replace(old, version=str(newest))]) == [f"ALTER EXTENSION ltree UPDATE TO '{newest}'"]


def test_one_that_is_elsewhere_is_not_moved(database: Database) -> None:
    database.execute("CREATE SCHEMA other", "CREATE EXTENSION citext SCHEMA other")
    with pytest.raises(UnsupportedError, match="citext: the extension is in schema other, declared in public; declare "
                                               "schema='other', or move it by hand"):
        apply.plan(database.owner, [CITEXT])


def test_drift_is_repaired_and_a_dropped_extension_is_made_again(database: Database) -> None:
    converge(database, [CITEXT, LTREE])
    database.execute("COMMENT ON EXTENSION citext IS 'other'")
    assert converge(database, [CITEXT, LTREE]) == ["COMMENT ON EXTENSION citext IS 'Words of either case'"]
    require_recreated(database, [CITEXT, LTREE], CITEXT, "DROP EXTENSION citext")


def test_an_undeclared_extension_is_reported_and_dropped_where_that_is_allowed(database: Database) -> None:
    objects: list[Object] = [Table("t", (Column("a", "integer"),))]
    database.execute("CREATE SCHEMA ext", "CREATE EXTENSION citext", "CREATE EXTENSION ltree SCHEMA ext")
    converge(database, objects)
    warnings = apply.plan(database.owner, objects, options=apply.Options(whole_schema=True)).warnings
    assert warnings == ("citext is an extension that is not declared and was left in place; declare it, or allow "
                        "drops_extension to drop it",)
    assert converge(database, objects, "drops_extension", whole_schema=True) == ["DROP EXTENSION citext"]
    assert not apply.drop(database.owner, CITEXT, options=apply.Options(allow=frozenset({"drops_extension"})))
    with pytest.raises(apply.UnsafeChangeError, match="drops_extension is not allowed"):
        apply.drop(database.owner, replace(LTREE, schema="ext"))
    assert apply.drop(database.owner, replace(LTREE, schema="ext"),
                      options=apply.Options(allow=frozenset({"drops_extension"})))


def test_what_another_role_owns_is_adopted_and_not_reported(database: Database) -> None:
    with database.admin.connect() as connection:
        connection.execute("CREATE EXTENSION pg_buffercache")
    objects: list[Object] = [Table("t", (Column("a", "integer"),))]
    converge(database, objects)
    assert apply.plan(database.owner, objects, options=apply.Options(whole_schema=True)).warnings == ()
    assert adopt(database.owner).objects == (Extension("pg_buffercache"), *objects)


def test_extensions_are_adopted_and_exported_first_and_what_they_brought_is_no_object_of_its_own(
        database: Database) -> None:
    with database.admin.connect() as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS plpgsql")
    converge(database, [CITEXT, LTREE, PEOPLE, UPPER])
    found = adopt(database.owner)
    assert found.remarks == ()
    assert [each.full_name for each in found.objects] == ["citext", "paths.ltree", "people", "upper_people"]
    assert found.objects[:2] == (CITEXT, LTREE)
    require_agreement(database, found.objects)
    statements = [line for line in dump(found.objects).splitlines() if line.startswith("CREATE ")]
    assert statements[:3] == ["CREATE SCHEMA paths;", "CREATE EXTENSION IF NOT EXISTS citext SCHEMA public;",
                              "CREATE EXTENSION IF NOT EXISTS ltree SCHEMA paths;"]


def test_an_extension_of_the_servers_own_schema_needs_no_schema_made(database: Database) -> None:
    plpgsql = Extension("plpgsql", schema="pg_catalog")
    assert converge(database, [plpgsql]) == []
    assert "CREATE SCHEMA" not in dump([plpgsql])
    assert adopt(database.owner).objects == ()


def test_timescaledb_and_other_names_are_refused(database: Database) -> None:
    with pytest.raises(DeclarationError, match="timescaledb: this extension has to exist before"):
        apply.plan(database.owner, [Extension("timescaledb")])
    with pytest.raises(DeclarationError, match="b: an extension cannot be renamed"):
        apply.plan(database.owner, [Extension("b", renamed_from="a")])


def test_a_crash_after_any_step_leaves_what_the_next_run_finishes(database: Database) -> None:
    survives_crashes(database, [], [Extension("ltree", version="1.2", comment="Paths")],
                     reset=lambda: database.execute("DROP EXTENSION ltree"))
