"""Assertions for every kind: after a change live equals declared, and a new plan is empty."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from schema import apply
from schema.comparison.compare import Options
from schema.model.objects import Object
from schema.model.properties import from_dict, to_dict
from schema.planning.plan import plan_from_empty
from tests.support.running.servers import Database


class Crash(Exception):
    """Stands for the death of the process."""


def converge(database: Database, objects: Sequence[Object], *allow: str, whole_schema: bool = False) -> list[str]:
    """Apply the objects and assert that live equals declared; return the SQL, one line for each step.

    `ensure` itself raises unless a new plan is empty.
    """
    options = Options(on_unsupported="skip", allow=frozenset(allow), whole_schema=whole_schema)
    steps = apply.ensure(database.owner, objects, options=options).steps
    read_back(database, objects)
    return [" ".join(step.sql.split()) for step in steps]


def require_agreement(database: Database, objects: Sequence[Object]) -> None:
    """Assert that the plan is empty and that live equals declared."""
    assert apply.plan(database.owner, objects, options=Options(on_unsupported="skip")).render() == []
    read_back(database, objects)


def read_back(database: Database, objects: Sequence[Object]) -> None:
    """Assert that live equals declared, also after the way through Pulumi's properties."""
    live = apply.read(database.owner, objects)
    assert live == list(objects)
    assert [from_dict(to_dict(value)) for value in live if value] == list(objects)


def require_recreated(database: Database, objects: Sequence[Object], gone: Object, drop: str) -> None:
    """Drop an object by hand; assert that the plan is exactly its creation and that applying it restores it."""
    database.execute("SET client_min_messages = error", drop)
    plan = apply.plan(database.owner, objects).render()
    assert plan == plan_from_empty([gone]).render()
    assert len(converge(database, objects)) == len(plan)


def survives_crashes(database: Database, before: Sequence[Object], after: Sequence[Object], *allow: str,
                     reset: Callable[[], object]) -> None:
    """Assert that after a crash before any step the next run reaches the same end."""
    options = Options(on_unsupported="skip", allow=frozenset(allow))
    count = len(apply.plan(database.owner, after, options=options).steps)
    assert count
    for survives in range(count):
        seen: list[str] = []

        def die(line: str, seen: list[str] = seen, survives: int = survives) -> None:
            seen.append(line)
            if len(seen) > survives:
                raise Crash

        with pytest.raises(Crash):
            apply.ensure(database.owner, after, options=options, progress=die)
        apply.ensure(database.owner, after, options=options)
        assert apply.read(database.owner, after) == list(after)
        reset()
        apply.ensure(database.owner, before, options=options)
