"""A stack's objects come after those they stand on; tables that refer to each other are refused by name."""

from __future__ import annotations

from dataclasses import replace

import pytest

from infra.program.schema import require_order
from schema.errors import DeclarationError
from schema.lifecompanion import declared
from schema.model.change import dependencies
from schema.model.objects import Column, ForeignKey, Key, Object, Table

COLUMNS = (Column("id", "bigint", null=False), Column("other", "bigint"))
A = Table("a", COLUMNS, (Key("a_pkey", ("id",), primary=True),),
          foreign_keys=(ForeignKey("a_other_fkey", ("other",), "b"),))
B = replace(A, name="b", keys=(Key("b_pkey", ("id",), primary=True),), foreign_keys=())


@pytest.mark.parametrize("objects", [
    (A, B), (B, A), (replace(A, foreign_keys=(ForeignKey("own", ("other",), "a"),)),), tuple(declared())])
def test_whatever_order_they_are_declared_in(objects: tuple[Object, ...]) -> None:
    require_order(dependencies.ordered(objects))


def test_tables_that_refer_to_each_other_are_refused_in_one_line() -> None:
    back = replace(B, foreign_keys=(ForeignKey("b_other_fkey", ("other",), "a"),))
    with pytest.raises(DeclarationError) as caught:
        require_order(dependencies.ordered((A, back)))
    assert str(caught.value).startswith("a.a_other_fkey: found a foreign key to b, which refers back to a; a stack ")
    assert "lcdb schema apply" in str(caught.value)
