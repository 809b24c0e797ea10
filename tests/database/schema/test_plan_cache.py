"""The look at all declared objects that the resources of one Pulumi command share."""

from __future__ import annotations

from dataclasses import replace

import pytest

from infra.handlers import plan_cache
from infra.handlers.plan_cache import SharedLook
from schema import apply
from schema.comparison.compare import Options
from schema.errors import ServerUnreachableError
from schema.lifecompanion import declared
from tests.support.servers import Database

SKIP = Options(on_unsupported="skip")
PROGRAM = declared()
USERS, DEVICES = PROGRAM[:2]
pytestmark = pytest.mark.servers("official")


@pytest.fixture
def made(declared_database: Database) -> Database:
    """The whole schema."""
    return declared_database


def test_one_plan_tells_of_every_object_that_it_has_nothing_to_do(
        made: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    original = apply.plan
    monkeypatch.setattr(apply, "plan", lambda *args, **options: asked.append(args) or original(*args, **options))
    look = SharedLook(sharing=True)
    assert all(look.finds_settled(each, made.owner, SKIP, PROGRAM) for each in PROGRAM)
    assert len(asked) == 1


def test_only_what_differs_is_not_settled(made: Database) -> None:
    made.execute("ALTER TABLE devices ALTER COLUMN is_active DROP DEFAULT")
    look = SharedLook(sharing=True)
    assert [each.name for each in PROGRAM if not look.finds_settled(each, made.owner, SKIP, PROGRAM)] == ["devices"]


def test_a_look_is_not_believed_for_long(made: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    look = SharedLook(sharing=True)
    assert look.finds_settled(DEVICES, made.owner, SKIP, PROGRAM)
    made.execute("ALTER TABLE devices ALTER COLUMN is_active DROP DEFAULT")
    monkeypatch.setattr(plan_cache, "FRESH_SECONDS", 0)
    assert not look.finds_settled(DEVICES, made.owner, SKIP, PROGRAM)


def test_nothing_is_shared_once_something_changes_or_outside_of_pulumis_plugin(made: Database) -> None:
    look = SharedLook(sharing=True)
    assert look.finds_settled(DEVICES, made.owner, SKIP, PROGRAM)
    look.stop()
    assert not look.finds_settled(DEVICES, made.owner, SKIP, PROGRAM)
    assert not plan_cache.SHARED.finds_settled(DEVICES, made.owner, SKIP, PROGRAM)


def test_what_the_program_does_not_declare_is_planned_alone(made: Database) -> None:
    assert not SharedLook(sharing=True).finds_settled(replace(DEVICES, comment="Other"), made.owner, SKIP, PROGRAM)


def test_where_one_object_is_wrong_each_is_planned_alone(made: Database) -> None:
    devices = replace(DEVICES, checks=(replace(DEVICES.checks[0], expression="nonsense >"),))
    wrong = tuple(devices if each is DEVICES else each for each in PROGRAM)
    assert not SharedLook(sharing=True).finds_settled(USERS, made.owner, SKIP, wrong)


def test_a_server_that_lets_nobody_in_is_asked_once_for_all(made: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = replace(made.owner, database="nowhere")
    look = SharedLook(sharing=True)
    with pytest.raises(ServerUnreachableError):
        look.finds_settled(USERS, nobody, SKIP, PROGRAM)
    monkeypatch.setattr(apply, "plan", None)
    with pytest.raises(ServerUnreachableError):
        look.finds_settled(DEVICES, nobody, SKIP, PROGRAM)
