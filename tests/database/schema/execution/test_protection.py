"""Rows are dropped only where that is allowed and a verified backup holds them, or where that, too, is allowed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from schema import apply
from schema.errors import UnsafeChangeError
from schema.model.objects import Column, Compression, Hypertable, Table
from tests.support.running.servers import Database

pytestmark = pytest.mark.servers("official")

KEPT = Table("kept", (Column("id", "integer"),))
OTHER = Table("other", (Column("id", "integer"),))
WHOLE = apply.Options(whole_schema=True)


def allowing(*hazards: str, **more: object) -> apply.Options:
    return replace(WHOLE, allow=frozenset(hazards), **more)  # type: ignore[arg-type]


def exists(database: Database) -> bool:
    return database.execute("SELECT to_regclass('other') IS NOT NULL") == [(True,)]


def filled(database: Database) -> None:
    apply.ensure(database.owner, [KEPT, OTHER])
    database.execute("INSERT INTO other VALUES (1)")


def compressed(database: Database) -> None:
    """Nothing but compressed rows."""
    table = Table("other", (Column("at", "timestamptz", null=False),), hypertable=Hypertable("at", "1 day"),
                  compression=Compression(None))
    apply.ensure(database.owner, [KEPT, table])
    database.execute("INSERT INTO other VALUES (now())", "SELECT compress_chunk(c) FROM show_chunks('other') c")


@pytest.mark.parametrize("make", [filled, compressed])
def test_an_undeclared_table_with_rows_needs_its_hazard_and_a_backup(
        database: Database, make: Callable[[Database], None]) -> None:
    make(database)
    for options, missing in ((WHOLE, "drops_table and without_backup"), (allowing("drops_table"), "without_backup"),
                             (allowing("drops_table", "without_backup", protect=frozenset({"other"})), "protected"),
                             (allowing("drops_table", protect=frozenset({"other"}), backed_up=True), "protected")):
        applied = apply.ensure(database.owner, [KEPT], options=options)
        assert applied.steps == ()
        (warning,) = applied.warnings
        assert warning.startswith("other is a table that is not declared")
        assert missing in warning
    (step,) = apply.ensure(database.owner, [KEPT], options=allowing("drops_table", backed_up=True)).steps
    assert step.hazards == ("drops_table",)
    assert not exists(database)


def test_a_second_explicit_allowance_stands_in_for_the_backup(database: Database) -> None:
    filled(database)
    (step,) = apply.ensure(database.owner, [KEPT], options=allowing("drops_table", "without_backup")).steps
    assert step.hazards == ("drops_table", "without_backup")
    assert not exists(database)


def test_an_empty_table_needs_no_backup(database: Database) -> None:
    apply.ensure(database.owner, [KEPT, OTHER])
    assert len(apply.ensure(database.owner, [KEPT], options=allowing("drops_table")).steps) == 1
    assert not exists(database)


def test_a_declared_table_is_dropped_on_the_same_terms(database: Database) -> None:
    filled(database)
    with pytest.raises(UnsafeChangeError, match="drops_table, without_backup is not allowed"):
        apply.drop(database.owner, OTHER)
    with pytest.raises(UnsafeChangeError, match="without_backup is not allowed"):
        apply.drop(database.owner, OTHER, options=allowing("drops_table"))
    with pytest.raises(UnsafeChangeError, match="protected"):
        apply.drop(database.owner, OTHER, options=allowing("drops_table", backed_up=True,
                                                           protect=frozenset({"other"})))
    assert exists(database)
    assert apply.drop(database.owner, replace(OTHER, allow=("drops_table",)), options=replace(WHOLE, backed_up=True))
    assert not exists(database)
