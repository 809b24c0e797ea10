"""What a step says of itself is what its SQL does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schema.lifecompanion import declared
from schema.model.change.diff import Context, Diff, Match
from schema.model.change.step import Action, Transaction
from schema.model.live.views import Dependant, LiveView
from schema.model.objects import View
from schema.planning import view_dependants
from schema.planning.plan import plan, plan_from_empty

BELOW = View("warm", "SELECT 1 AS a")
ABOVE = View("warmer", "SELECT a FROM warm")
COLUMNS = (("a", "integer"),)


@pytest.mark.parametrize("timestamps", [False, True])
def test_the_actions_of_a_plan_are_those_of_its_sql(timestamps: bool) -> None:
    for step in plan_from_empty(declared(timestamps=timestamps)).steps:
        if step.sql.startswith("CREATE "):
            assert step.action is Action.CREATE
        elif step.sql.startswith("COMMENT "):
            assert step.action is Action.COMMENT
        else:
            assert step.action in (Action.CREATE, Action.ALTER)


def changed() -> list[Diff[View, LiveView]]:
    """A view whose column changes its type, and one that stands on it and changes, too."""
    below, above = replace(BELOW, query="SELECT 1::bigint AS a"), replace(ABOVE, query="SELECT a + 1 AS a FROM warm")
    live = LiveView(ABOVE, COLUMNS)
    standing = Dependant("warmer", "", live=live, declared=above, planned=True)
    matches = [Match(below, below, LiveView(BELOW, COLUMNS), scratch=LiveView(below, (("a", "bigint"),))),
               Match(above, above, live, scratch=LiveView(above, (("a", "bigint"),)))]
    dependants, recreated = view_dependants.arrange(matches, {"warm": (standing,)})
    return [Diff(match.declared, match.canonical, match.live, Context(
        scratch=match.scratch, dependants=tuple(dependants.get(match.name, ())), recreated=match.name in recreated))
        for match in matches]


def test_a_step_names_the_views_that_it_drops_on_its_way() -> None:
    first, second = plan(changed()).steps
    assert (first.action, first.drops) == (Action.REPLACE, ("warmer",))
    assert (second.action, second.object, second.drops) == (Action.CREATE, "warmer", ())


def test_a_view_is_recreated_in_the_transaction_that_dropped_it_and_not_confused_with_a_longer_name() -> None:
    first, second = (replace(step, transaction=Transaction.OWN) for step in plan(changed()).steps)
    steps = view_dependants.in_one_transaction([first, second], changed())
    assert {step.transaction for step in steps} == {Transaction.SHARED}
    other = replace(first, drops=("warmer_still",))
    steps = view_dependants.in_one_transaction([other, second], changed())
    assert {step.transaction for step in steps} == {Transaction.OWN}
