"""The plan of all declared objects that the resources of one Pulumi command share."""

from __future__ import annotations

from dataclasses import replace

import pytest

from infra.handlers import plan_cache
from infra.handlers.plan_cache import PlanCache
from schema import apply
from schema.comparison.compare import Options
from schema.errors import ServerUnreachableError
from schema.lifecompanion import declared
from tests.support.running.servers import Database

SKIP = Options(on_unsupported="skip")
PROGRAM = declared()
USERS, DEVICES = PROGRAM[:2]
pytestmark = pytest.mark.servers("official")


@pytest.fixture
def database(declared_database: Database) -> Database:
    """The whole schema."""
    return declared_database


def test_one_plan_settles_every_object_without_changes(
        database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    original = apply.plan
    monkeypatch.setattr(apply, "plan", lambda *args, **options: asked.append(args) or original(*args, **options))
    cache = PlanCache(enabled=True)
    assert all(cache.is_settled(item, database.owner, SKIP, PROGRAM) for item in PROGRAM)
    assert len(asked) == 1


def test_an_object_that_differs_is_not_settled(database: Database) -> None:
    database.execute("ALTER TABLE devices ALTER COLUMN is_active DROP DEFAULT")
    cache = PlanCache(enabled=True)
    differing = [item for item in PROGRAM if not cache.is_settled(item, database.owner, SKIP, PROGRAM)]
    assert [item.name for item in differing] == ["devices"]


def test_a_plan_is_used_for_some_seconds_only(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = PlanCache(enabled=True)
    assert cache.is_settled(DEVICES, database.owner, SKIP, PROGRAM)
    database.execute("ALTER TABLE devices ALTER COLUMN is_active DROP DEFAULT")
    monkeypatch.setattr(plan_cache, "FRESH_SECONDS", 0)
    assert not cache.is_settled(DEVICES, database.owner, SKIP, PROGRAM)


def test_no_plan_is_shared_once_something_changes_or_outside_of_pulumis_plugin(database: Database) -> None:
    cache = PlanCache(enabled=True)
    assert cache.is_settled(DEVICES, database.owner, SKIP, PROGRAM)
    cache.stop()
    assert not cache.is_settled(DEVICES, database.owner, SKIP, PROGRAM)
    assert not plan_cache.CACHE.is_settled(DEVICES, database.owner, SKIP, PROGRAM)


def test_what_the_program_does_not_declare_is_planned_alone(database: Database) -> None:
    assert not PlanCache(enabled=True).is_settled(replace(DEVICES, comment="Other"), database.owner, SKIP, PROGRAM)


def test_where_one_object_is_wrong_every_object_is_planned_alone(database: Database) -> None:
    devices = replace(DEVICES, checks=(replace(DEVICES.checks[0], expression="nonsense >"),))
    wrong = tuple(devices if item is DEVICES else item for item in PROGRAM)
    assert not PlanCache(enabled=True).is_settled(USERS, database.owner, SKIP, wrong)


def test_a_server_that_refuses_the_login_is_asked_once(
        database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = replace(database.owner, database="nowhere")
    cache = PlanCache(enabled=True)
    with pytest.raises(ServerUnreachableError):
        cache.is_settled(USERS, nobody, SKIP, PROGRAM)
    monkeypatch.setattr(apply, "plan", None)
    with pytest.raises(ServerUnreachableError):
        cache.is_settled(DEVICES, nobody, SKIP, PROGRAM)
