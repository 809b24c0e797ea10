"""What an adopted database's plan refuses is left out with all that stands on it; what the plan finds is said."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from cli.declarations import run
from schema.connection import Address
from schema.errors import DeclarationError, UnsupportedError
from schema.export import adoption_proof
from schema.export.adoption import Adopted
from schema.export.adoption_proof import ProvenAdoption, adopt_and_plan
from schema.export.python_source import python
from schema.model.change.step import Action, Hazard, Step
from schema.model.objects import Object
from schema.planning.plan import Plan
from tests.support.schemas.rich import DECLARED

NOWHERE = Address("nowhere", 1, "nothing", "nobody", "x")


class Planner:
    """Plans nothing, but refuses what it is told to as long as that is declared."""

    def __init__(self, *refused: str, steps: Sequence[Step] = ()) -> None:
        self.refused, self.steps = refused, tuple(steps)

    def __call__(self, objects: Sequence[Object]) -> Plan:
        names = {declared.full_name for declared in objects}
        lines = [f"{part}: the server cannot make it: no; correct the declaration" for part in self.refused
                 if names & {part, part.rpartition(".")[0]}]
        if lines:
            raise DeclarationError("\n".join(lines))
        return Plan(self.steps)


def proven(monkeypatch: pytest.MonkeyPatch, planner: Planner) -> ProvenAdoption:
    monkeypatch.setattr(adoption_proof, "adopt", lambda *_: Adopted(DECLARED, ("d: a domain",)))
    return adopt_and_plan(NOWHERE, (), planner, ())


def test_what_the_plan_refuses_is_left_out_with_all_that_stands_on_it(monkeypatch: pytest.MonkeyPatch) -> None:
    adopted = proven(monkeypatch, Planner("rooms.rooms_area_plausible"))
    assert [declared.full_name for declared in adopted.objects] == [
        "citext", "private", "german", "private.numbers", "share", "private.Half", "word", "mood", "private.span",
        "touch", "doubled", "prune", "events", "pruning", "averaged"]
    first, refused, *standing = adopted.remarks
    assert first == "d: a domain"
    assert refused == ("rooms.rooms_area_plausible: the server cannot make it: no; correct the declaration (so it was "
                       "left out)")
    reasons = {line.split(":")[0]: line for line in standing}
    assert reasons.keys() == {"private.notes", "readings", "readings_hourly", "readings_daily", "warm_rooms", "warmest",
                              "rooms_warm_and_large", "loud_rooms"}
    assert reasons["readings_daily"] == (
        "readings_daily: stands on readings_hourly, which was left out (so it was left out, too)")
    assert adopted.differences == ()
    assert adopted.unproven is None


def test_several_refusals_are_each_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    adopted = proven(monkeypatch, Planner("events", "warmest"))
    assert {"events", "warmest"}.isdisjoint(declared.full_name for declared in adopted.objects)
    assert len(adopted.objects) == len(DECLARED) - 2
    assert proven(monkeypatch, Planner()).objects == DECLARED


def test_what_a_plan_finds_is_said_by_object_at_the_top_of_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    step = Step(Action.ALTER, "rooms.x", "ALTER TABLE rooms\n  VALIDATE CONSTRAINT x", "it is not valid yet",
                (Hazard.REWRITES_TABLE,))
    adopted = proven(monkeypatch, Planner(steps=[step]))
    assert [line.split(":")[0] for line in adopted.differences] == ["rooms.x"]
    assert "ALTER TABLE rooms VALIDATE CONSTRAINT x" in adopted.differences[0]
    code = python(adopted.objects, "It.", adopted.remarks, adopted.differences)
    assert "# Not declared here:\n# d: a domain\n" in code
    assert "# A plan of this finds:\n# rooms.x: ALTER TABLE rooms VALIDATE" in code
    assert run(code, Path("x.py")) == DECLARED


def test_a_server_that_cannot_plan_is_the_reason_why_nothing_is_proven(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Sequence[Object]) -> Plan:
        raise UnsupportedError("nothing: a standby")

    monkeypatch.setattr(adoption_proof, "adopt", lambda *_: Adopted(DECLARED))
    adopted = adopt_and_plan(NOWHERE, (), refuse, ())
    assert (adopted.objects, adopted.unproven) == (DECLARED, "nothing: a standby")


def test_an_error_of_no_object_ends_the_search(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Sequence[Object]) -> Plan:
        raise DeclarationError("nobody knows what: it does not go")

    monkeypatch.setattr(adoption_proof, "adopt", lambda *_: Adopted(DECLARED))
    assert adopt_and_plan(NOWHERE, (), refuse, ()).unproven == "nobody knows what: it does not go"
