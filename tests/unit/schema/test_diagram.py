"""The picture of a schema: from the declaration alone, the same each time, and the one in docs/ is today's."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from cli.registry import gather
from schema.export.diagram import draw
from schema.lifecompanion import declared
from schema.model.objects import Column, Object, Table
from tests.support.rich import DECLARED

KEPT = Path(__file__).parents[3] / "docs" / "schema" / "diagram.svg"


def words(picture: str) -> str:
    return " ".join(text.strip() for text in ElementTree.fromstring(picture).itertext() if text.strip())


def test_the_picture_in_docs_is_of_todays_declaration() -> None:
    drawn = CliRunner().invoke(gather(), ["schema", "diagram"], env={"STACK": None}).stdout
    assert KEPT.read_text() == drawn, "run `lcdb schema diagram docs/schema/diagram.svg`, look at it, and commit it"


@pytest.mark.parametrize("objects", [declared(), DECLARED])
def test_every_object_is_in_it_with_its_columns_and_policies(objects: tuple[Object, ...]) -> None:
    picture = draw(objects)
    texts = words(picture)
    assert picture == draw(objects)
    for value in objects:
        assert value.full_name in texts
        for column in value.columns if isinstance(value, Table) else ():
            assert column.name in texts
    for mark in ("hypertable", "continuous aggregate", "chunks", "columnstore", "retention", "refresh", "foreign key"):
        assert mark in texts


def test_boxes_lie_apart_and_inside_the_picture() -> None:
    root = ElementTree.fromstring(draw(DECLARED))
    space = {"svg": "http://www.w3.org/2000/svg"}
    boxes = [{key: float(box.get(key, 0)) for key in ("x", "y", "width", "height")}
             for box in root.findall("svg:g/svg:rect[1]", space)]
    assert len(boxes) == len(DECLARED)
    for number, one in enumerate(boxes):
        assert one["x"] + one["width"] <= float(root.get("width", 0))
        assert one["y"] + one["height"] <= float(root.get("height", 0))
        for other in boxes[:number]:
            assert (one["x"] + one["width"] <= other["x"] or other["x"] + other["width"] <= one["x"]
                    or one["y"] + one["height"] <= other["y"] or other["y"] + other["height"] <= one["y"])


def test_odd_names_are_escaped_and_nothing_declared_is_a_picture_too() -> None:
    assert "&lt;b&gt;&amp;" in draw([Table("<b>&", (Column("a", "int"),))])
    ElementTree.fromstring(draw([]))
