"""What no kind declares is left out of an adoption with all that stands on it, by name, and the rest is whole."""

from __future__ import annotations

import pytest

from schema import apply
from schema.export.adoption import Adopted, adopt
from schema.export.plain_sql import dump
from tests.support.convergence import require_agreement
from tests.support.running.servers import Database, create_database, drop_database

pytestmark = [pytest.mark.servers("official", "debian"), pytest.mark.repeats("debian")]
PARTITIONED = ("CREATE TABLE orders (id int PRIMARY KEY) PARTITION BY RANGE (id)",
               "CREATE TABLE orders_1 PARTITION OF orders FOR VALUES FROM (1) TO (10)")
NO_KIND = ", which no kind of object declares"
CAST = f"(public.spans AS public.spans_multirange): a cast{NO_KIND}"
STANDS = ", which is left out (so it was left out)"


def require_whole(database: Database, adopted: Adopted) -> None:
    """The plan is empty; what was exported can be loaded into an empty database, and be planned there."""
    require_agreement(database, list(adopted.objects))
    other = create_database(database.server, "t_left_out_copy")
    try:
        other.execute(dump(adopted.objects))
        require_agreement(other, list(adopted.objects))
    finally:
        drop_database(other)


def remarks(database: Database, kept: set[str], *statements: str) -> set[str]:
    database.execute(*statements)
    adopted = adopt(database.owner)
    require_whole(database, adopted)
    assert {value.full_name for value in adopted.objects} == kept
    return set(adopted.remarks)


def test_views_functions_and_defaults_on_a_partitioned_table_are_left_out_and_a_foreign_key_alone(
        database: Database) -> None:
    assert remarks(
        database, {"lines", "lines_seen"}, *PARTITIONED,
        "CREATE TABLE lines (id int, order_id int REFERENCES orders, n int CHECK (n > 0))",
        "CREATE VIEW recent AS SELECT * FROM orders", "CREATE VIEW of_recent AS SELECT id FROM recent",
        "CREATE FUNCTION first() RETURNS SETOF orders LANGUAGE sql AS 'SELECT * FROM orders'",
        "CREATE VIEW called AS SELECT count(*) AS n FROM first()", "CREATE VIEW lines_seen AS SELECT n FROM lines",
    ) == {f"orders: a partitioned table{NO_KIND}", "orders_1: a partition of orders, which is left out",
          *(f"{name}: stands on orders{STANDS}" for name in ("first", "called", "recent", "of_recent")),
          f"lines.lines_order_id_fkey: a foreign key to orders{STANDS}"}


def test_a_table_with_a_column_of_a_range_type_is_left_out_and_what_stands_on_it(database: Database) -> None:
    assert remarks(
        database, {"others"}, "CREATE TYPE spans AS RANGE (subtype = int)",
        "CREATE DOMAIN short AS spans CHECK (upper(value) < 9)",
        "CREATE TYPE pair AS (a spans, b int)", "CREATE TABLE readings (id int PRIMARY KEY, s spans)",
        "CREATE TABLE notes (reading int REFERENCES readings, words short[])",
        "CREATE TABLE others (id int PRIMARY KEY, reading int REFERENCES readings)",
        "CREATE FUNCTION width(spans) RETURNS int LANGUAGE sql AS 'SELECT upper($1) - lower($1)'",
        "CREATE STATISTICS together ON id, s FROM readings",
    ) == {f"spans: a range type{NO_KIND}", CAST, *(f"{name}: stands on spans{STANDS}" for name in (
        "pair", "short", "width", "notes", "readings", "together")),
        f"others.others_reading_fkey: a foreign key to readings{STANDS}"}


def test_what_stands_on_a_table_that_is_refused_for_its_name_is_left_out(database: Database) -> None:
    assert remarks(
        database, {"child"}, 'CREATE TABLE "a.b" (id int PRIMARY KEY)', 'CREATE VIEW seen AS SELECT * FROM "a.b"',
        'CREATE TABLE child (id int REFERENCES "a.b")') == {
        *(f"a.b: name '{name}' has a dot, which stands between schema and name; use another character (so it was left "
          "out)" for name in ("a.b", "a.b_pkey")),
        f"seen: stands on a.b{STANDS}", f"child.child_id_fkey: a foreign key to a.b{STANDS}"}


@pytest.mark.servers("official")
def test_an_aggregate_on_a_hypertable_that_is_left_out_is_left_out(database: Database) -> None:
    assert remarks(
        database, set(), "CREATE TYPE spans AS RANGE (subtype = int)",
        "CREATE TABLE r (at timestamptz NOT NULL, v float8, s spans)", "SELECT create_hypertable('r', by_range('at'))",
        "CREATE MATERIALIZED VIEW hourly WITH (timescaledb.continuous) AS SELECT time_bucket('1 hour', at) AS b, "
        "avg(v) AS v FROM r GROUP BY 1 WITH NO DATA",
        "SELECT add_retention_policy('r', INTERVAL '1 year')") == {
        f"spans: a range type{NO_KIND}", CAST, f"r: stands on spans{STANDS}",
        "hourly: stands on r, which was left out (so it was left out, too)"}


def test_what_is_left_out_is_neither_changed_nor_dropped(database: Database) -> None:
    database.execute(*PARTITIONED, "CREATE VIEW recent AS SELECT * FROM orders", "CREATE TABLE plain (id int)")
    options = apply.Options(whole_schema=True)
    plan = apply.plan(database.owner, list(adopt(database.owner).objects), options=options)
    assert plan.steps == ()
    assert [line for line in plan.warnings if line.startswith(("recent is ", "orders is "))]


def test_a_view_on_an_overload_stays_and_so_does_what_has_a_column_named_like_a_thing_that_is_left_out(
        database: Database) -> None:
    assert remarks(
        database, {"f", "seen", "totals"}, "CREATE TYPE spans AS RANGE (subtype = int)",
        "CREATE FUNCTION f(spans) RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'SELECT $1'", "CREATE VIEW seen AS SELECT f(1) AS n",
        "CREATE TABLE extent (s spans)", "CREATE TABLE totals (extent int CHECK (extent > 0))") == {
            f"spans: a range type{NO_KIND}", CAST, f"f: stands on spans{STANDS}", f"extent: stands on spans{STANDS}"}


@pytest.mark.servers("official")
def test_what_stands_on_a_hypertable_or_an_aggregate_that_is_refused_for_its_name_is_left_out(
        database: Database) -> None:
    database.execute('CREATE TABLE "a.b" (at timestamptz NOT NULL)', "CREATE TABLE r (at timestamptz NOT NULL)",
                     """SELECT create_hypertable('"a.b"', by_range('at'))""",
                     "SELECT create_hypertable('r', by_range('at'))")
    found = remarks(database, {"r", "weekly"}, *(
        f"CREATE MATERIALIZED VIEW {name} WITH (timescaledb.continuous) AS SELECT time_bucket('{width}', {time}) AS b, "
        f"count(*) AS n FROM {source} GROUP BY 1 WITH NO DATA" for name, width, time, source in (
            ("hourly", "1 hour", "at", '"a.b"'), ('"h.r"', "1 hour", "at", "r"), ("daily", "1 day", "b", '"h.r"'),
            ("weekly", "7 days", "at", "r"))), "CREATE VIEW seen AS SELECT n FROM daily")
    reasons = (line.partition(": ") for line in found if "stands on" in line)
    assert {name: reason.partition(",")[0] for name, _, reason in reasons} == {
        "hourly": "stands on a.b", "daily": "stands on h.r", "seen": "stands on daily"}
