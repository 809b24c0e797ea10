"""Objects of every kind as Pulumi resources: their types, their order, what protects them; no server is asked."""

from __future__ import annotations

import pytest

from infra import tables
from infra.declared import _options
from infra.providers import schema as providers
from infra.resources import SchemaObject
from schema.lifecompanion import declared as specified
from schema.objects import KINDS, ContinuousAggregate, Enum, Function, Job, Object, Table, Trigger, View, kind_of
from schema.properties import from_dict
from tests.program.recorded import declared

RICH: tuple[Object, ...] = (
    *specified()[:-1],
    Job("prune", "prune_old", "1 day"),
    View("warm_rooms", "SELECT * FROM hourly WHERE warmest > 25"),
    ContinuousAggregate("hourly", "SELECT time_bucket('1 hour', measured_at) AS hour, max(temperature) AS warmest "
                                  "FROM environmental_readings GROUP BY 1"),
    Table("people", specified()[0].columns[:1], renamed_from="persons",  # type: ignore[union-attr]
          triggers=(Trigger("touched", "BEFORE UPDATE", "touch()"),), schema="private"),
    Function("touch", "BEGIN RETURN NEW; END", returns="trigger"),
    Function("prune_old", "BEGIN END", arguments="job_id int, config jsonb", returns=None),
    Enum("mood", ("calm", "alert")))


@pytest.fixture
def rich(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "declared", lambda timestamps: RICH)


@pytest.mark.usefixtures("rich")
def test_each_kind_is_a_resource_of_its_own_type(monkeypatch: pytest.MonkeyPatch) -> None:
    recorder, exported = declared(monkeypatch, "dev", {"allow": {"hourly": ["drops_aggregate"]}})
    for each in RICH:
        inputs = recorder.of(type(each).__name__)[each.full_name]
        held = {key: value for key, value in inputs.items() if key not in ("connection", "options", "__provider")}
        assert from_dict(held) == each
        assert inputs["options"].get("allow", []) == (["drops_aggregate"] if each.name == "hourly" else [])
    assert set(exported["tables"]) == {each.full_name for each in RICH if isinstance(each, Table)}
    assert set(exported["objects"]) == {f"{kind_of(each)} {each.full_name}" for each in RICH
                                        if not isinstance(each, Table)}


@pytest.mark.usefixtures("rich")
def test_objects_are_made_after_what_they_stand_on(monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = {cls.__name__ for cls in KINDS.values()}
    order = [name for kind, name in declared(monkeypatch, "dev")[0].found if kind in kinds]
    for first, then in (("users", "devices"), ("environmental_readings", "hourly"), ("hourly", "warm_rooms"),
                        ("touch", "private.people"), ("prune_old", "prune")):
        assert order.index(first) < order.index(then)


def test_types_and_classes_that_state_files_name_are_the_same_for_ever() -> None:
    assert {cls._resource_type_name: (cls.made_by.__module__, cls.made_by.__name__)
            for cls in SchemaObject.__subclasses__()} == {
        f"dynamic/schema:{name}": ("infra.providers.schema", f"{name}Provider")
        for name in ("Table", "ContinuousAggregate", "View", "Function", "Enum", "Job")}
    assert set(tables.RESOURCES) == set(KINDS.values())
    assert issubclass(providers.TableProvider, providers.ObjectProvider)


def test_the_limit_of_standbys_lag_reaches_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    for setting, limit in ((0, None), (1048576, 1048576)):
        recorder, _ = declared(monkeypatch, "dev", {"maxReplicaLag": setting})
        given = recorder.of("Table")["users"]["options"]
        floats = {key: float(value) if isinstance(value, int) else value for key, value in given.items()}
        assert _options({"options": floats}).max_replica_lag == limit
