"""Domains on real servers: altered in place with rows checked, made again only while nothing uses them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schema import apply
from schema.errors import ApplyError, UnsafeChangeError, UnsupportedError
from schema.export.adoption import adopt
from schema.model.objects import Check, Column, Compression, Domain, Enum, Function, Hypertable, Index, Object, Table
from tests.support.convergence import converge, require_agreement, require_recreated, survives_crashes
from tests.support.running.servers import Database

pytestmark = pytest.mark.servers("official")
SHARE = Domain("share", type="numeric(5,2)", default="0", comment="Per cent",
               checks=(Check("share_low", "VALUE >= 0", "None below"), Check("share_high", "VALUE <= 100")))
ROOMS = Table("rooms", (Column("id", "integer"), Column("damp", "share")))


@pytest.mark.servers("official", "debian", "embedded")
def test_a_domain_is_created_read_back_and_checks_its_values(database: Database) -> None:
    assert converge(database, [SHARE, ROOMS])[:3] == [
        "CREATE DOMAIN share AS numeric(5,2) DEFAULT 0 CONSTRAINT share_low CHECK (VALUE >= 0) CONSTRAINT share_high "
        "CHECK (VALUE <= 100)", "COMMENT ON DOMAIN share IS 'Per cent'",
        "COMMENT ON CONSTRAINT share_low ON DOMAIN share IS 'None below'"]
    database.execute("INSERT INTO rooms (id) VALUES (1)")
    assert database.execute("SELECT damp::text FROM rooms") == [("0.00",)]
    require_agreement(database, [replace(SHARE, type="decimal(5, 2)"), ROOMS])


@pytest.mark.parametrize(("wanted", "made"), [
    (replace(SHARE, default="1 + 1"), ["ALTER DOMAIN share SET DEFAULT 1 + 1"]),
    (replace(SHARE, default=None), ["ALTER DOMAIN share DROP DEFAULT"]),
    (replace(SHARE, null=False), ["ALTER DOMAIN share SET NOT NULL"]),
    (replace(SHARE, checks=(*SHARE.checks, Check("whole", "VALUE = trunc(VALUE)", "No cents"))),
     ["ALTER DOMAIN share ADD CONSTRAINT whole CHECK (VALUE = trunc(VALUE))",
      "COMMENT ON CONSTRAINT whole ON DOMAIN share IS 'No cents'"]),
    (replace(SHARE, checks=(SHARE.checks[0], Check("share_high", "VALUE <= 99"))),
     ["ALTER DOMAIN share DROP CONSTRAINT share_high; ALTER DOMAIN share ADD CONSTRAINT share_high CHECK "
      "(VALUE <= 99)"])])
def test_it_is_altered_in_place(database: Database, wanted: Domain, made: list[str]) -> None:
    converge(database, [SHARE, ROOMS])
    assert converge(database, [wanted, ROOMS]) == made


def test_a_check_over_rows_is_validated_while_writers_wait_and_says_so(database: Database) -> None:
    converge(database, [SHARE, ROOMS])
    database.execute("INSERT INTO rooms VALUES (1, 50)")
    whole = replace(SHARE, checks=(*SHARE.checks, Check("half", "VALUE = 50")))
    with pytest.raises(UnsafeChangeError, match=r"blocks_writes is not allowed .*SHARE while rooms.damp is read"):
        apply.ensure(database.owner, [whole, ROOMS])
    assert converge(database, [whole, ROOMS], "blocks_writes") == [
        "ALTER DOMAIN share ADD CONSTRAINT half CHECK (VALUE = 50) NOT VALID",
        "ALTER DOMAIN share VALIDATE CONSTRAINT half"]
    database.execute("ALTER DOMAIN share DROP CONSTRAINT half", "INSERT INTO rooms VALUES (2, 10)")
    with pytest.raises(ApplyError, match='share: column "damp" of table "rooms" contains values that'):
        apply.ensure(database.owner, [whole, ROOMS], options=apply.Options(allow=frozenset({"blocks_writes"})))
    assert adopt(database.owner).remarks == ("share.half: not validated yet; `apply` will validate it",)


def test_rows_in_the_columnstore_are_checked_too(database: Database) -> None:
    series = Table("series", (Column("at", "timestamptz", null=False), Column("damp", "share")),
                   hypertable=Hypertable("at", "7 days"), indexes=(Index("series_at", ("at",)),),
                   compression=Compression())
    converge(database, [SHARE, series])
    database.execute("INSERT INTO series SELECT '2026-01-01'::timestamptz + n * interval '1 min', NULLIF(n, 7) "
                     "FROM generate_series(1, 90) n", "SELECT compress_chunk(c) FROM show_chunks('series') c")
    for wrong, message in ((replace(SHARE, null=False), "domain share does not allow null values"),
                           (replace(SHARE, checks=(*SHARE.checks, Check("less", "VALUE < 80"))),
                            'value for domain share violates check constraint "less"')):
        with pytest.raises(ApplyError, match=message):
            apply.ensure(database.owner, [wrong, series], options=apply.Options(allow=frozenset({"blocks_writes"})))
    assert database.execute("SELECT typnotnull FROM pg_type WHERE typname = 'share'") == [(False,)]


def test_another_base_type_makes_it_again_where_nothing_uses_it_and_is_refused_else(database: Database) -> None:
    with database.admin.connect() as connection:
        connection.execute("DROP ROLE IF EXISTS share_user")
        connection.execute("CREATE ROLE share_user")
    converge(database, [SHARE])
    database.execute("REVOKE USAGE ON DOMAIN share FROM PUBLIC", "GRANT USAGE ON DOMAIN share TO share_user")
    wide = replace(SHARE, type="numeric(9,3)")
    made = converge(database, [wide])
    assert made[0].startswith("DROP DOMAIN share; CREATE DOMAIN share AS numeric(9,3) DEFAULT 0")
    assert database.execute("SELECT has_type_privilege('share_user', 'share', 'USAGE'), "
                            "has_type_privilege('pg_monitor', 'share', 'USAGE')") == [(True, False)]
    converge(database, [wide, ROOMS])
    with pytest.raises(UnsupportedError, match=r"share: its base type is numeric\(9,3\), which PostgreSQL cannot "
                                               "change in place, and column damp of table rooms stands on it; declare"):
        apply.plan(database.owner, [SHARE, ROOMS])
    database.execute("DROP TABLE rooms", "DROP DOMAIN share")
    with database.admin.connect() as connection:
        connection.execute("DROP ROLE share_user")


def test_domains_stand_on_domains_enums_arrays_and_functions_in_any_schema(database: Database) -> None:
    colour = Enum("colour", ("red", "green"), schema="Other Place")
    is_ok = Function("is_ok", schema="app", arguments="v numeric", returns="boolean", language="sql",
                     volatility="immutable", body="SELECT v < 1e6")
    amount = Domain("amount", schema="app", type="numeric(12,2)", default="0", null=False,
                    checks=(Check("ok", "app.is_ok(VALUE)"),))
    price = Domain("price", type="app.amount", checks=(Check("low", "VALUE < 5000"),))
    colours = Domain("colours", type='"Other Place".colour[]', default="'{red}'",
                     checks=(Check("few", "array_length(VALUE, 1) < 3"),))
    posix = Domain("Posix", type="text", collation='"POSIX"')
    goods = Table("goods", (Column("price", "price", default="3"), Column("all", "colours"),
                            Column("amounts", "app.amount[]"), Column("p", '"Posix"')), schema="app",
                  checks=(Check("cheap", "price::app.amount < 100"),), indexes=(Index("g", ("(price::numeric)",)),))
    objects: list[Object] = [colour, is_ok, amount, price, colours, posix, goods]
    converge(database, objects)
    found = adopt(database.owner)
    assert [each.full_name for each in found.objects] == [each.full_name for each in objects]
    assert found.remarks == ()
    require_agreement(database, found.objects)
    later = replace(amount, default="7")
    assert converge(database, [colour, is_ok, later, price, colours, posix, goods]) == [
        "ALTER DOMAIN app.amount SET DEFAULT 7", "ALTER DOMAIN price SET DEFAULT 7"]


def test_words_in_a_list_are_compared_by_what_they_mean(database: Database) -> None:
    word = Domain("word", type="varchar(20)", checks=(Check("known", "VALUE IN ('a', 'b')"),))
    converge(database, [word])
    found = adopt(database.owner).objects
    require_agreement(database, found)
    assert apply.plan(database.owner, [replace(word, checks=(Check("known", "VALUE IN ('a', 'c')"),))]).steps


def test_it_is_renamed_and_what_uses_it_follows(database: Database) -> None:
    over = Domain("half", type="share", checks=(Check("halves", "VALUE < 51"),))
    converge(database, [SHARE, over, ROOMS])
    ratio = replace(SHARE, name="ratio", renamed_from="share")
    rooms = replace(ROOMS, columns=(ROOMS.columns[0], Column("damp", "ratio")))
    assert converge(database, [ratio, replace(over, type="ratio"), rooms]) == ["ALTER DOMAIN share RENAME TO ratio"]


def test_an_undeclared_check_is_reported_and_dropped_where_that_is_allowed(database: Database) -> None:
    converge(database, [SHARE])
    less = replace(SHARE, checks=SHARE.checks[:1])
    assert apply.plan(database.owner, [less]).warnings == (
        "share.share_high is not declared and was left in place; declare it, or allow drops_constraint to drop it",)
    assert converge(database, [less], "drops_constraint") == ["ALTER DOMAIN share DROP CONSTRAINT share_high"]


def test_drift_is_repaired_and_a_dropped_domain_is_made_again(database: Database) -> None:
    converge(database, [SHARE])
    database.execute("COMMENT ON DOMAIN share IS 'other'", "ALTER DOMAIN share SET NOT NULL",
                     "COMMENT ON CONSTRAINT share_low ON DOMAIN share IS NULL")
    assert converge(database, [SHARE]) == [
        "ALTER DOMAIN share DROP NOT NULL", "COMMENT ON DOMAIN share IS 'Per cent'",
        "COMMENT ON CONSTRAINT share_low ON DOMAIN share IS 'None below'"]
    require_recreated(database, [SHARE], SHARE, "DROP DOMAIN share")


def test_undeclared_types_are_reported_and_dropped_newest_first_where_that_is_allowed(database: Database) -> None:
    converge(database, [SHARE])
    database.execute("CREATE DOMAIN other AS int", "CREATE FUNCTION f(a other) RETURNS int LANGUAGE sql AS 'SELECT 1'",
                     "CREATE DOMAIN more AS other CHECK (f(VALUE) > 0)")
    options = apply.Options(whole_schema=True)
    warnings = apply.plan(database.owner, [SHARE], options=options).warnings
    assert "other is a domain that is not declared and was left in place; declare it, or allow drops_domain to drop " \
           "it" in warnings
    assert converge(database, [SHARE], "drops_domain", "drops_function", whole_schema=True) == [
        "DROP DOMAIN more", "DROP FUNCTION f(a other)", "DROP DOMAIN other"]


def test_a_crash_after_any_step_leaves_what_the_next_run_finishes(database: Database) -> None:
    converge(database, [SHARE, ROOMS])
    database.execute("INSERT INTO rooms VALUES (1, 50)")
    after = replace(SHARE, default="5", null=False, comment="Other", checks=(SHARE.checks[0], Check("h", "VALUE < 60")))
    survives_crashes(database, [SHARE, ROOMS], [after, ROOMS], "blocks_writes", "drops_constraint",
                     reset=lambda: database.execute("ALTER DOMAIN share DROP CONSTRAINT h"))
