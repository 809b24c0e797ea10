"""Every kind has all its parts: whoever adds one is told here what is lacking."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.resources import OBJECTS
from schema.kinds import registry
from schema.kinds.kind import Kind
from schema.kinds.undeclared import DROPS, TYPES
from schema.lifecompanion import declared
from schema.model.change.step import Action
from schema.model.declared import CLASS_BY_KIND, Declared, kind_of
from schema.model.properties import from_dict, to_dict
from schema.planning.plan import plan_from_empty
from tests.support.schemas import rich

ROOT = Path(__file__).parents[3]
PAGES = ROOT / "docs" / "schema"
# Where the tests' file is not called like the kind's.
FILES = {"CompositeType": "test_composite_type.py", "ContinuousAggregate": "test_aggregate.py",
         "Table": "test_column.py", "MaterializedView": "test_materialized_view.py",
         "Aggregate": "test_aggregate_function.py"}

every_kind = pytest.mark.parametrize("kind", registry.KINDS, ids=lambda kind: kind.declaration.__name__)


def example(kind: Kind) -> Declared:
    return next(value for value in (*rich.DECLARED, *declared()) if type(value) is kind.declaration)


def test_every_class_of_objects_has_one_kind_and_one_resource() -> None:
    classes = [kind.declaration for kind in registry.KINDS]
    assert len(set(classes)) == len(classes)
    assert set(classes) == set(CLASS_BY_KIND.values()) == set(Declared.__subclasses__()) == set(OBJECTS)


@every_kind
def test_a_kind_is_read_by_a_reader_of_its_own(kind: Kind) -> None:
    assert kind.read.__module__.startswith("schema.catalog.readers.")
    assert sum(other.read is kind.read for other in registry.KINDS) == 1


@every_kind
def test_a_kind_is_created_by_a_plan_and_canonicalized_where_it_has_expressions(kind: Kind) -> None:
    steps = [step for step in plan_from_empty(rich.DECLARED).steps if step.object == example(kind).full_name]
    assert steps[0].action is Action.CREATE
    assert [step.action for step in steps[1:]] == [Action.COMMENT] * len(steps[1:])
    if kind.server_words:
        assert next(text for _, text in kind.server_words.creation(example(kind))).startswith("CREATE ")
    else:
        assert kind.settle is not None


@every_kind
def test_a_kind_that_is_not_declared_is_dropped_under_a_hazard_of_its_own(kind: Kind) -> None:
    assert kind.drops
    for drop in kind.drops:
        assert drop.statement.count("{}") == 1
        assert drop.hazard.startswith("drops_")
        assert TYPES[drop.word] is kind.declaration
        assert f"'{drop.word}'" in "".join(path.read_text() for path in
                                           (ROOT / "schema/catalog/sql").glob("undeclared*.sql"))
    assert not {drop.hazard for drop in kind.drops} & {
        drop.hazard for other in registry.KINDS if other is not kind for drop in other.drops}


def test_undeclared_objects_are_dropped_in_one_order_dependencies_last() -> None:
    assert list(DROPS) == ["job", "statistics object", "view", "materialized view", "aggregate", "table",
                           "aggregate function", "function", "procedure", "domain", "composite type", "sequence",
                           "enum", "collation", "extension", "schema"]
    firsts = [drop.first for drop in DROPS.values()]
    assert firsts == sorted(firsts, reverse=True)


@every_kind
def test_a_kind_has_a_page_that_the_overview_leads_to(kind: Kind) -> None:
    name = kind.declaration.__name__
    page = (PAGES / kind.page).read_text()
    assert f"{name}(" in page
    assert f"({kind.page})" in (PAGES / "README.md").read_text()
    for drop in kind.drops:
        assert f"`{drop.hazard}`" in (PAGES / "README.md").read_text()


@every_kind
def test_a_kind_has_tests_on_real_servers(kind: Kind) -> None:
    name = kind.declaration.__name__
    file = ROOT / "tests/database/kinds" / FILES.get(name, f"test_{name.lower()}.py")
    assert f"{name}(" in file.read_text()


@every_kind
def test_a_kind_has_a_resource_whose_type_and_provider_bear_its_name(kind: Kind) -> None:
    name = kind.declaration.__name__
    resource = OBJECTS[kind.declaration]
    assert kind.resource == f"schema:{name}"
    assert resource.__name__ == name
    provider = resource.provider_class
    assert (provider.__module__, provider.__name__) == ("infra.providers.schema", f"{name}Provider")


@every_kind
def test_a_kind_goes_through_properties_and_back(kind: Kind) -> None:
    value = example(kind)
    assert to_dict(value)["kind"] == kind_of(value)
    assert from_dict(to_dict(value)) == value


@every_kind
def test_a_kind_finds_nothing_wrong_in_a_good_declaration(kind: Kind) -> None:
    assert list(kind.lint(example(kind))) == []
