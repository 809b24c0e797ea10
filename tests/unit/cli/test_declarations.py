"""Files of declarations and files made of them, as a user of the command line meets them; no server is needed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import cli
from cli.declarations import DeclarationFileError, load, run
from cli.registry import gather
from schema.export.python_source import python
from schema.model.objects import Column, Enum, Object, Table, View
from tests.support.schemas.rich import DECLARED


def lcdb(*arguments: str) -> Any:
    return CliRunner().invoke(gather(), ["schema", *arguments], env={"STACK": None, "LCDB_DSN": None})


@pytest.mark.parametrize(("text", "message"), [
    ("DECLARED = (", "mine.py:1: SyntaxError"),
    ("\nraise ValueError('no such room')", "mine.py:2: ValueError: no such room; correct the file"),
    ("from schema.model.objects import Table\n\nT = Table('t')\n", "mine.py:3: TypeError"),
    ("OTHER = 1", "neither DECLARED nor declared.. is in it"),
    ("DECLARED = 1", "DECLARED is int, required a tuple of Table"),
    ("DECLARED = [1]", "DECLARED holds int, required only Table"),
    ("def declared():\n    return 1 / 0\n", "mine.py:2: ZeroDivisionError"),
])
def test_a_wrong_file_is_one_line_with_the_place(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "mine.py"
    file.write_text(text)
    with pytest.raises(DeclarationFileError, match=message) as raised:
        load(file)
    assert "\n" not in str(raised.value)


def test_a_missing_file_is_an_error() -> None:
    with pytest.raises(DeclarationFileError, match=r"nowhere\.py: cannot be read: No such file"):
        load(Path("nowhere.py"))


def test_a_file_may_import_modules_of_its_folder(tmp_path: Path) -> None:
    (tmp_path / "parts_of_mine.py").write_text("from schema.model.objects import Column\nID = Column('id', 'int')\n")
    (tmp_path / "mine.py").write_text("from parts_of_mine import ID\nfrom schema.model.objects import Table\n"
                                      "def declared():\n    return [Table('t', (ID,))]\n")
    assert load(tmp_path / "mine.py") == (Table("t", (Column("id", "int"),)),)


ODD: tuple[Object, ...] = (
    View("q", 'SELECT """x""", \'\\n\', "a" ' + "|| 'long words ' " * 20),
    View("r", "SELECT 1\n  -- \"\"\"\n\\ \t\x07 end\""), Table("class", (Column("a\"b", "text", default="'\\'"),)),
    Enum("1st", values=("é", "'", '"', "\\", "x" * 60)), Table("q", (Column("i", "interval[]"),), schema="Other Place"))


@pytest.mark.parametrize("objects", [DECLARED, ODD, ()])
def test_generated_source_evaluates_to_the_same_objects(objects: tuple[Object, ...]) -> None:
    code = python(objects, "What it\n\"is\"", ["a remark"])
    assert run(code, Path("x.py")) == objects
    assert max(map(len, code.splitlines())) <= 120


def test_export_to_laravel_writes_where_laravel_looks(tmp_path: Path) -> None:
    refused = lcdb("export", "--laravel", str(tmp_path))
    assert "no Laravel application" in str(refused.exception)
    (tmp_path / "artisan").touch()
    migrations = tmp_path / "database" / "migrations"
    migrations.mkdir(parents=True)
    (migrations / "2026_01_01_000000_devices.php").write_text("Schema::create('devices', function () {});")
    (migrations / "2026_01_02_000000_cache.php").write_text("Schema::create('cache', function () {});")
    done = lcdb("export", "--laravel", str(tmp_path))
    assert "counts as run: 2026_01_01_000000_devices" in done.output
    written = (tmp_path / "database" / "schema" / "pgsql-schema.sql").read_text()
    assert written.startswith("\\set ON_ERROR_STOP on\n")
    assert "('2026_01_01_000000_devices', 1)" in written
    assert "cache" not in written


def test_an_export_for_apache_leaves_out_what_it_cannot_have() -> None:
    text = lcdb("export", "--edition", "apache").output
    assert "Left out, as the edition cannot have it: " in text
    assert "add_retention_policy" not in text
    assert "create_hypertable" in text


def test_a_picture_of_a_file_is_drawn(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("from schema.model.objects import *\n"
                                      "DECLARED = (Table('rooms', (Column('a', 'int'),)),)\n")
    done = lcdb("diagram", "--declared", str(tmp_path / "mine.py"), str(tmp_path / "mine.svg"))
    assert done.exit_code == 0
    assert ">rooms<" in (tmp_path / "mine.svg").read_text()


@pytest.mark.parametrize("arguments", [["schema", "plan", "--sideways"], ["nonsense"],
                                       ["schema", "export", "--edition", "x"]])
def test_a_command_written_wrong_does_not_end_like_a_difference(
        arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["lcdb", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    assert "Error" in capsys.readouterr().err
