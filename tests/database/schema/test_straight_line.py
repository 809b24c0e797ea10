"""One table's walk from the declaration to the steps comes back to no module that it has left."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from types import FrameType

import pytest

from schema import apply
from schema.model.objects import Column, Key, Table
from tests.support.running.servers import Database

SCHEMA = Path(apply.__file__).parent
TABLE = Table("walked", (Column("id", "bigint", null=False), Column("name", "varchar(50)")),
              keys=(Key("walked_pkey", ("id",), True),))
WIDER = replace(TABLE, columns=(TABLE.columns[0], Column("name", "varchar(60)")))
COMPARISON = [f"comparison/{name}" for name in (
    "compare", "live_schema", "match", "undeclared", "grants", "context", "aggregates", "names", "removed")]


def modules_of(work: Callable[[], object]) -> list[str]:
    """The modules of the walk in the order in which their functions are called: apply, comparison and execution."""
    called: list[str] = []

    def note(frame: FrameType, event: str, _: object) -> None:
        path = Path(frame.f_code.co_filename)
        # Comprehensions are no functions, whether or not this Python gives them frames.
        if event == "call" and not frame.f_code.co_name.startswith("<") and path.is_relative_to(SCHEMA):
            called.append(str(path.relative_to(SCHEMA).with_suffix("")))

    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
    # A transaction and the guard around it are one place.
    places = ("execution" if name.startswith("execution/") else name for name in called)
    return [name for name, _ in groupby(name for name in places
                                        if name in ("apply", "execution") or name.startswith("comparison/"))]


@pytest.mark.servers("official", "embedded")
def test_a_plan_enters_each_module_once(database: Database) -> None:
    apply.ensure(database.owner, [TABLE])
    walk = modules_of(lambda: apply.plan(database.owner, [WIDER]))
    assert walk == ["apply", "comparison/declaration", *COMPARISON, "apply"]


@pytest.mark.servers("official", "embedded")
def test_applying_goes_the_same_way_then_executes_and_proves_it_once_more(database: Database) -> None:
    apply.ensure(database.owner, [TABLE])
    walk = modules_of(lambda: apply.ensure(database.owner, [WIDER]))
    # Between plan and steps `apply` asks whether jobs would run in UTC.
    assert walk == ["apply", "comparison/declaration", *COMPARISON, "apply", "execution", *COMPARISON, "apply"]
