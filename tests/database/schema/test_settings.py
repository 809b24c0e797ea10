"""What a database or role sets for its sessions changes neither what is read nor what is planned and applied."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest

from schema import apply, session
from schema.catalog.queries import read_capabilities
from schema.connection import UNLIMITED
from schema.export.adoption import adopt
from schema.model.objects import Check, Column, Function, Hypertable, Index, Retention, Table, View
from schema.session import prepare
from tests.support.convergence import converge
from tests.support.running.servers import Database

pytestmark = pytest.mark.servers("official")
WORDS = Table(
    "words", (
        Column("at", "timestamptz", null=False, default="'2026-02-01 10:00:00+00'"),
        Column("span", "interval", default="'1 year 2 mons -3 days 04:05:06'"),
        Column("kept", "bytea", default=r"'\x0102'"), Column("path", "text", default=r"E'a\\b'"),
        Column("paid", "money", default="'$1,234.50'"),
        Column("part", "double precision", default="0.1::double precision"),
        Column("doc", "xml", default="'<a/>'"), Column("tags", "text[]", default="'{NULL,x}'"),
        Column("day", "date", default="'2026-02-01'"), Column("order", "integer")),
    checks=(Check("words_path", r"path <> E'\\' AND at > '2020-01-01 00:00:00+00' AND span < '1 day'::interval"),
            Check("words_order", '("order" = NULL) IS NULL')),
    indexes=(Index("words_at", ("at DESC",)), Index("words_day", ("at", "(day + '1 mon'::interval)"))),
    hypertable=Hypertable("at", "1 day"), retention=Retention("1 month"))
LATE = View("late", query="SELECT at, span + '3 days'::interval AS s FROM words WHERE at > '2026-01-02 03:04:05+00'")
COUNTED = Function("counted", "SELECT count(*) FROM words", returns="bigint", language="sql")
DECLARED = (WORDS, LATE, COUNTED)
MORE = Table("more", WORDS.columns, checks=WORDS.checks)
SETTINGS = {
    "IntervalStyle": "sql_standard", "DateStyle": "'SQL, DMY'", "TimeZone": "'Asia/Tokyo'",
    "quote_all_identifiers": "on", "standard_conforming_strings": "off", "backslash_quote": "off",
    "extra_float_digits": "-10", "bytea_output": "escape", "xmloption": "document", "xmlbinary": "hex",
    "array_nulls": "off", "transform_null_equals": "on", "search_path": "nowhere", "row_security": "off",
    "default_transaction_isolation": "serializable", "default_transaction_deferrable": "on", "exit_on_error": "on",
    "check_function_bodies": "on", "statement_timeout": "'1ms'", "lock_timeout": "'1ms'",
    "idle_in_transaction_session_timeout": "'1ms'", "lc_monetary": "'en_US.utf8'",
    "client_min_messages": "debug1", "plan_cache_mode": "force_custom_plan"}
# These would end whatever sets them, too.
OF_SESSIONS = {"idle_session_timeout": "'1h'", "transaction_timeout": "'1h'"}


@pytest.fixture
def as_superuser(database: Database) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    with database.admin.connect(options=UNLIMITED) as connection:
        yield connection


def read(database: Database) -> tuple[object, ...]:
    plan = apply.plan(database.owner, DECLARED, options=apply.Options(whole_schema=True))
    return plan.render(), adopt(database.owner), apply.read(database.owner, DECLARED)


def test_no_setting_of_the_database_changes_what_is_read_planned_and_applied(
        database: Database, as_superuser: psycopg.Connection[tuple[object, ...]]) -> None:
    converge(database, DECLARED)
    plain = read(database)
    assert plain[0] == []
    for name, value in SETTINGS.items():
        as_superuser.execute(f"ALTER DATABASE {database.owner.database} SET {name} = {value}".encode())
    assert read(database) == plain
    converge(database, [replace(LATE, comment="Late"), MORE, replace(COUNTED, body="SELECT count(*) + 1 FROM words")])
    apply.drop(database.owner, MORE, options=apply.Options(allow=frozenset({"drops_table"})))
    converge(database, DECLARED)
    as_superuser.execute(f"ALTER DATABASE {database.owner.database} RESET ALL".encode())
    assert read(database) == plain


def test_every_setting_is_the_sessions_own(database: Database,
                                           as_superuser: psycopg.Connection[tuple[object, ...]]) -> None:
    for name, value in {**SETTINGS, **OF_SESSIONS}.items():
        as_superuser.execute(f"ALTER ROLE {database.owner.user} IN DATABASE {database.owner.database} "
                             f"SET {name} = {value}".encode())
    with database.owner.connect(options=UNLIMITED) as connection:
        prepare(connection, read_capabilities(connection), "3s", "5min")
        own = connection.execute("SELECT name, current_setting(name) FROM pg_settings WHERE name = ANY(%s)",
                                 [list(session.SETTINGS)]).fetchall()
    assert dict(own) == session.SETTINGS
    assert session.SETTINGS.keys() | {"search_path", "lock_timeout", "statement_timeout"} == {
        *SETTINGS, *OF_SESSIONS, "escape_string_warning"}
