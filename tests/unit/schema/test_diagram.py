"""The picture of a schema: from the declaration alone, the same each time, and the one in docs/ is today's."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from cli.registry import gather
from schema.export.diagram import draw
from schema.lifecompanion import declared
from schema.model.objects import Column, ForeignKey, Function, Key, Object, Schema, Table, View
from tests.support.schemas.rich import DECLARED

SPACE = {"svg": "http://www.w3.org/2000/svg"}
LONG = ", ".join(f"argument_{n} timestamptz" for n in range(12))
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


def many(count: int, schemas: int = 1) -> list[Object]:
    """Build tables that refer to a hub of their schema and to the first of all, views, functions of long signatures."""
    objects: list[Object] = []
    for number in range(count):
        schema = f"s{number % schemas}" if number % schemas else "public"
        name = f"t{number}"
        if number % 7 == 6:
            objects.append(Function(f"f{number}", schema=schema, arguments=LONG, returns="integer", body="SELECT 1"))
            continue
        hub = next((table for table in objects if isinstance(table, Table) and table.schema == schema), None)
        targets = [table for table in (hub if number % 3 else None, objects[0] if number % 11 == 1 else None) if table]
        objects.append(Table(
            name, schema=schema, keys=(Key(f"{name}_pkey", ("id",), primary=True),),
            columns=(Column("id", "bigint"), *(Column(f"c{n}", "integer") for n in range(number % 13))),
            foreign_keys=tuple(ForeignKey(f"{name}_{n}", ("id",), table.full_name) for n, table in enumerate(targets))))
        if number % 5 == 4:
            objects.append(View(f"v{number}", schema=schema, query=f"SELECT id FROM {objects[-1].full_name}"))
    return objects


@pytest.mark.parametrize("objects", [DECLARED, many(45), many(45, 3), many(280, 6)], ids=["rich", "50", "3x50", "320"])
def test_boxes_lie_apart_and_inside_a_picture_that_is_scrolled_downwards_alone(objects: tuple[Object, ...]) -> None:
    root = ElementTree.fromstring(draw(objects))
    boxes = [{key: float(rect.get(key, 0)) for key in ("x", "y", "width", "height")}
             for rect in root.findall("svg:g/svg:rect[1]", SPACE)]
    assert len(boxes) == len([declared for declared in objects if not isinstance(declared, Schema)])
    assert float(root.get("width", 0)) <= 3400
    for number, one in enumerate(boxes):
        assert one["width"] <= 360
        assert one["x"] + one["width"] <= float(root.get("width", 0))
        assert one["y"] + one["height"] <= float(root.get("height", 0))
        for other in boxes[:number]:
            assert (one["x"] + one["width"] <= other["x"] or other["x"] + other["width"] <= one["x"]
                    or one["y"] + one["height"] <= other["y"] or other["y"] + other["height"] <= one["y"])


def test_a_large_picture_has_an_index_that_leads_to_every_box() -> None:
    objects = many(60, 3)
    root = ElementTree.fromstring(draw(objects))
    boxes = {box.get("id"): (box.findtext("svg:title", namespaces=SPACE), box.findtext("svg:text[2]", namespaces=SPACE))
             for box in root.findall("svg:g", SPACE)}
    entries = {entry.get("href", "").removeprefix("#"): [text.text for text in entry]
               for entry in root.findall("svg:a", SPACE)}
    assert entries.keys() == boxes.keys()
    assert {name for name, _ in boxes.values()} == {declared.full_name for declared in objects}
    for box, (number, name) in entries.items():
        assert boxes[box] == (name, number)
    assert not ElementTree.fromstring(draw(objects[:10])).findall("svg:a", SPACE)


def test_each_schema_has_a_frame_around_its_boxes() -> None:
    root = ElementTree.fromstring(draw(many(60, 3)))
    frames = [(number, frame) for number, frame in enumerate(root) if frame.get("rx") == "10"]
    assert [root[number + 1].text for number, _ in frames] == ["public", "s1", "s2"]
    for box in root.findall("svg:g", SPACE):
        name = str(box.findtext("svg:title", namespaces=SPACE))
        schema = name.partition(".")[0] if "." in name else "public"
        outer = next(frame for number, frame in frames if root[number + 1].text == schema)
        inner = box.find("svg:rect", SPACE)
        assert inner is not None
        for place, size in (("x", "width"), ("y", "height")):
            assert float(outer.get(place, 0)) <= float(inner.get(place, 0))
            assert (float(inner.get(place, 0)) + float(inner.get(size, 0))
                    <= float(outer.get(place, 0)) + float(outer.get(size, 0)))


def test_a_text_that_is_too_long_is_cut_and_whole_in_its_title() -> None:
    root = ElementTree.fromstring(draw([Function("f", arguments=LONG, returns="integer", body="SELECT 1")]))
    cut = [text for text in root.findall("svg:g/svg:text", SPACE) if text.find("svg:title", SPACE) is not None]
    assert [text.findtext("svg:title", namespaces=SPACE) for text in cut] == [LONG]
    assert [str(title.tail)[-1] for title in cut[0]] == ["…"]


def test_odd_names_are_escaped_and_nothing_declared_is_a_picture_too() -> None:
    assert "&lt;b&gt;&amp;" in draw([Table("<b>&", (Column("a", "int"),))])
    ElementTree.fromstring(draw([]))
