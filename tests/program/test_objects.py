"""Objects of every kind as Pulumi resources: their types, their order, what protects them; no server is asked."""

from __future__ import annotations

from pathlib import Path

import pytest
from pulumi.dynamic import Config, ConfigureRequest

from infra.handlers.schema_objects import _options, drop
from infra.inprocess.record import Entry, Record
from infra.inprocess.resources import MakerError, remove
from infra.program import schema
from infra.providers import schema as providers
from infra.resources import OBJECTS, SchemaObject
from infra.settings import schema_settings
from schema.connection import Address
from schema.errors import ServerUnreachableError, UnsafeChangeError
from schema.lifecompanion import declared as specified
from schema.model.objects import (
    CLASS_BY_KIND,
    ContinuousAggregate,
    Enum,
    Function,
    Job,
    Object,
    Table,
    Trigger,
    View,
    kind_of,
)
from schema.model.properties import from_dict, to_dict
from tests.support.programs.recorded import declared

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
    monkeypatch.setattr(schema, "declared", lambda timestamps: RICH)


@pytest.mark.usefixtures("rich")
def test_each_kind_is_a_resource_of_its_own_type(monkeypatch: pytest.MonkeyPatch) -> None:
    recorder, exported = declared(monkeypatch, "dev", {"allow": {"hourly": ["drops_aggregate"]}})
    for wanted in RICH:
        inputs = recorder.of(type(wanted).__name__)[wanted.full_name]
        held = {key: value for key, value in inputs.items() if key not in ("connection", "options", "__provider")}
        assert from_dict(held) == wanted
        assert inputs["options"].get("allow", []) == (["drops_aggregate"] if wanted.name == "hourly" else [])
    assert set(exported["tables"]) == {wanted.full_name for wanted in RICH if isinstance(wanted, Table)}
    assert set(exported["objects"]) == {f"{kind_of(wanted)} {wanted.full_name}" for wanted in RICH
                                        if not isinstance(wanted, Table)}


@pytest.mark.usefixtures("rich")
def test_objects_are_created_after_their_dependencies(monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = {cls.__name__ for cls in CLASS_BY_KIND.values()}
    order = [name for kind, name in declared(monkeypatch, "dev")[0].inputs if kind in kinds]
    for first, then in (("users", "devices"), ("environmental_readings", "hourly"), ("hourly", "warm_rooms"),
                        ("touch", "private.people"), ("prune_old", "prune")):
        assert order.index(first) < order.index(then)


def test_types_and_classes_that_state_files_name_are_the_same_for_ever() -> None:
    assert {cls._resource_type_name: (cls.provider_class.__module__, cls.provider_class.__name__)
            for cls in SchemaObject.__subclasses__()} == {
        f"dynamic/schema:{name}": ("infra.providers.schema", f"{name}Provider")
        for name in ("Table", "ContinuousAggregate", "View", "Function", "Enum", "Job", "Statistics", "Extension",
                     "Collation", "Sequence", "Domain", "CompositeType", "MaterializedView", "Aggregate", "Schema")}
    assert set(OBJECTS) == set(CLASS_BY_KIND.values())
    assert issubclass(providers.TableProvider, providers.ObjectProvider)


def test_the_limit_of_standbys_lag_reaches_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    for setting, limit in ((0, None), (1048576, 1048576)):
        recorder, _ = declared(monkeypatch, "dev", {"maxReplicaLag": setting})
        given = recorder.of("Table")["users"]["options"]
        floats = {key: float(value) if isinstance(value, int) else value for key, value in given.items()}
        assert _options({"options": floats}).max_replica_lag == limit


NOWHERE = {"host": "127.0.0.1", "port": 1, "database": "d", "user": "u", "password": "s3cr3t"}
VIEW = {**to_dict(View("warm", "SELECT 1")), "connection": NOWHERE, "options": {"on_unsupported": "error"}}


@pytest.fixture(autouse=True)
def no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks a server is told at once that there is none."""
    def connect(address: Address, **options: object) -> None:
        raise ServerUnreachableError(str(address))

    monkeypatch.setattr(Address, "connect", connect)


def test_what_is_no_longer_declared_is_left_in_place_without_asking_a_server() -> None:
    assert drop("warm", VIEW) == ("warm: the view is no longer declared, and was left in place with all that is in it; "
                                  "allow drops_view to drop it")


@pytest.mark.parametrize("config", [{"allow": '{"warm": ["drops_view"]}'}, {"allowHazards": ["drops_view"]}])
def test_what_the_stack_allows_today_holds_for_what_it_no_longer_declares(config: dict[str, object]) -> None:
    with pytest.raises(ServerUnreachableError):
        drop("warm", VIEW, schema_settings("dev", config))
    with pytest.raises(UnsafeChangeError, match="warm: protected, so it is not dropped"):
        drop("warm", VIEW, schema_settings("dev", {**config, "protect": '["warm"]'}))


def test_a_provider_receives_the_stacks_config(capfd: pytest.CaptureFixture[str]) -> None:
    provider = providers.ViewProvider()
    provider.configure(ConfigureRequest(Config({"lifecompanion:allowHazards": '["drops_table"]'}, "lifecompanion")))
    provider.delete("warm", VIEW)
    assert "left in place" in capfd.readouterr().err
    provider.configure(ConfigureRequest(Config({"lifecompanion:allowHazards": '["drops_view"]'}, "lifecompanion")))
    with pytest.raises(ServerUnreachableError):
        provider.delete("warm", VIEW)


def test_properties_of_an_old_state_are_understood() -> None:
    old = {**VIEW, "options": {"on_unsupported": "skip", "allow": []}, "facts": {"policies": {}}}
    assert "left in place" in drop("warm", old)


def test_without_pulumi_nothing_is_removed_while_something_is_protected(tmp_path: Path) -> None:
    record = Record.read(tmp_path)
    record.put("urn:a", Entry("pulumi-python:dynamic/schema:Table", "users", "users", {}, {}, protected=True))
    record.put("urn:b", Entry("pulumi-python:dynamic/schema:Table", "other", "other", {}, {}))
    with pytest.raises(MakerError, match="users: protected, so nothing was removed"):
        list(remove(record))
    assert len(Record.read(tmp_path).entries) == 2
