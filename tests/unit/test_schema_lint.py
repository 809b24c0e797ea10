"""What is wrong in a declaration is found before any server is asked."""

from dataclasses import replace
from typing import Any

import pytest

from schema.errors import DeclarationError
from schema.lifecompanion import declared
from schema.lint import lint
from schema.objects import Check, Column, Compression, ForeignKey, Hypertable, Index, Key, Retention, Table

TABLE = Table("t", (Column("id", "bigint"), Column("at", "timestamp")), hypertable=Hypertable("at", "1 week"))


def test_the_specification_has_no_finding() -> None:
    lint(declared())
    lint(declared("timestamptz"))


@pytest.mark.parametrize(("change", "said"), [
    ({"keys": (Key("t_pkey", ("id",), primary=True),)}, r"t\.t_pkey: a key of a hypertable must contain 'at'"),
    ({"indexes": (Index("i", ("id",), unique=True),)}, r"t\.i: a unique index of a hypertable must contain 'at'"),
    ({"hypertable": Hypertable("when", "1 week")}, r"t\.hypertable: column 'when' is not declared"),
    ({"hypertable": None, "retention": Retention("1 year")}, r"t\.retention: the table is no hypertable"),
    ({"compression": Compression("1 month", ("device",))}, r"t\.compression: column 'device' is not declared"),
    ({"compression": Compression("1 year"), "retention": Retention("1 month")}, "after 1 year never happens"),
    ({"foreign_keys": (ForeignKey("f", ("owner",), "users"),)}, r"t\.f: column 'owner' is not declared"),
    ({"checks": (Check("x" * 64, "id > 0"),)}, "has 64 bytes; PostgreSQL cuts at 63"),
    ({"checks": (Check("c", "id > 0"), Check("c", "id > 1"))}, r"t\.c: declared twice"),
    ({"columns": (*TABLE.columns, Column("id", "int"))}, r"t\.id: declared twice"),
    ({"hypertable": Hypertable("at", "a while")}, "interval 'a while' cannot be read"),
    ({"retention": Retention("some time")}, "interval 'some time' cannot be read"),
])
def test_a_wrong_declaration_is_named_with_its_remedy(change: dict[str, Any], said: str) -> None:
    with pytest.raises(DeclarationError, match=said):
        lint([replace(TABLE, **change)])


def test_two_tables_of_one_name_are_found() -> None:
    with pytest.raises(DeclarationError, match="t: declared twice"):
        lint([TABLE, TABLE])


def test_every_finding_is_told_at_once() -> None:
    wrong = replace(TABLE, keys=(Key("t_pkey", ("id", "no"), primary=True),), retention=Retention("1 day"),
                    compression=Compression("1 week"))
    with pytest.raises(DeclarationError) as found:
        lint([wrong])
    assert len(str(found.value).splitlines()) == 3
