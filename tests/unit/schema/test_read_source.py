"""What is written of a database is read again without being run: it is what was adopted, whatever its names are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.errors import DeclarationError
from schema.export.python_source import python
from schema.export.read_source import read_source
from schema.lifecompanion import declared
from schema.model.objects import Check, Column, Enum, Grant, Object, Schema, Table, View
from tests.support.schemas.rich import DECLARED

LETTERS = st.characters(exclude_characters="\0", exclude_categories=["Cs"])
HOSTILE = ["x\nopen('stolen', 'w')\n#", "\ropen('stolen', 'w')\r", "\u2028open('stolen', 'w')",
           '"""\nopen("stolen", "w")\n"""', "'''", "\\", "\\'", '\\"', '"', "{0}", "a²", "ªº", "ﬁ", "None", "DECLARED",
           "__import__('os')", "\x1a", "\ufeff"]
TEXTS = st.text(LETTERS, min_size=1, max_size=20) | st.sampled_from(HOSTILE)


@pytest.mark.parametrize("objects", [DECLARED, declared()], ids=["rich", "lifecompanion"])
def test_what_is_written_is_read_as_it_was(objects: tuple[Object, ...]) -> None:
    assert read_source(python(objects, "It.", ["a remark"], ["a difference"])) == tuple(objects)


@given(st.lists(st.tuples(TEXTS, TEXTS, TEXTS), max_size=4, unique_by=lambda names: names[0]), TEXTS, st.lists(TEXTS))
def test_names_comments_and_expressions_stay_values(names: list[tuple[str, str, str]], title: str,
                                                    remarks: list[str]) -> None:
    objects = [made for name, comment, expression in names for made in (
        Table(name, (Column(comment, expression, default=expression),), checks=(Check(name, expression),),
              schema=expression, comment=comment, grants=(Grant(name, ("select",)),)),
        View(name, query=expression, comment=comment), Enum(name, values=(comment, expression)), Schema(name))]
    assert read_source(python(objects, title, remarks, remarks)) == tuple(objects)


@pytest.mark.parametrize("code", [
    "open('stolen', 'w')", "import os", "from os import system", "from schema.model.objects import dataclass",
    "from schema.model.objects import Table as print", "from .model.objects import Table", "A = __import__('os')",
    "from schema.model.objects import Table\nA = Table.__init__", "A = [open('stolen', 'w')]", "A = f'{open}'",
    "A = (lambda: 1)()", "A = B", "A = 1 + 1", "A = B = 1", "A, B = 1, 2", "if True:\n    pass", "def f(): pass",
    "from schema.model.objects import Enum\nA = Enum(*('a',))", "from schema.model.objects import Enum\nA = Enum(**{})",
    "A = -'a'", "'one'\n'two'", "(", "A = 1\0"])
def test_anything_else_is_refused_and_not_run(code: str) -> None:
    with pytest.raises(DeclarationError, match=r"^line \d+: "):
        read_source(code)
