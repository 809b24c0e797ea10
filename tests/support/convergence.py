"""What holds for every kind: after a change the live objects are the declared ones, and nothing is left to do."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from schema import apply
from schema.comparison.compare import Options
from schema.model.objects import Object
from schema.model.properties import from_dict, to_dict
from schema.planning.plan import plan_from_empty
from tests.support.servers import Database


class Crash(Exception):
    """The process ends here."""


def converge(database: Database, objects: Sequence[Object], *allow: str, whole_schema: bool = False) -> list[str]:
    """Make the objects so and prove that they are; the SQL that it took, one line for each step.

    That the plan is empty then, `ensure` proves itself or raises.
    """
    options = Options(on_unsupported="skip", allow=frozenset(allow), whole_schema=whole_schema)
    steps = apply.ensure(database.owner, objects, options=options).steps
    read_back(database, objects)
    return [" ".join(step.sql.split()) for step in steps]


def require_agreement(database: Database, objects: Sequence[Object]) -> None:
    """Nothing is to be done, and live equals declared."""
    assert apply.plan(database.owner, objects, options=Options(on_unsupported="skip")).render() == []
    read_back(database, objects)


def read_back(database: Database, objects: Sequence[Object]) -> None:
    """Live equals declared, in its words and through the properties that Pulumi carries."""
    live = apply.read(database.owner, objects)
    assert live == list(objects)
    assert [from_dict(to_dict(value)) for value in live if value] == list(objects)


def require_recreated(database: Database, objects: Sequence[Object], gone: Object, drop: str) -> None:
    """An object that is dropped by hand plans exactly its creation, and is there again afterwards."""
    database.execute("SET client_min_messages = error", drop)
    plan = apply.plan(database.owner, objects).render()
    assert plan == plan_from_empty([gone]).render()
    assert len(converge(database, objects)) == len(plan)


def survives_crashes(database: Database, before: Sequence[Object], after: Sequence[Object], *allow: str,
                     reset: Callable[[], object]) -> None:
    """A process that ends before any one of the steps leaves what the next run brings to the same end."""
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
