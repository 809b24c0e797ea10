"""SQL files are split into their statements as the server reads them; what no declaration can have is refused first."""

from __future__ import annotations

from pathlib import Path

import pytest

from schema.errors import DeclarationError
from schema.export.sql_files.folder import read_statements
from schema.export.sql_files.statements import split

BODY = """CREATE FUNCTION f() RETURNS int LANGUAGE sql
BEGIN ATOMIC
  SELECT CASE WHEN true THEN 1 ELSE 2 END;
  SELECT 2;
END"""
RULE = "CREATE RULE r AS ON INSERT TO t DO ALSO (SELECT 1; SELECT 2)"
QUOTED = r"""CREATE TABLE "a;""b" (c text DEFAULT 'x;''y', d text DEFAULT E'\';', e text DEFAULT '\',
    f text DEFAULT $$;$x$'$$)"""
DOLLAR = "CREATE FUNCTION g() RETURNS int LANGUAGE plpgsql AS $b$ BEGIN; -- it's\n $$ /* ' END; $b$"
PLAIN = "CREATE TABLE begin_end (\"begin\" int, \"case\" int)"


@pytest.mark.parametrize("statements", [[BODY, PLAIN], [RULE, PLAIN], [QUOTED, PLAIN], [DOLLAR, PLAIN],
                                        ["BEGIN", PLAIN, "COMMIT"], [PLAIN, BODY, RULE, QUOTED, DOLLAR, PLAIN]])
@pytest.mark.parametrize("between", [";\n", " ;; -- it's ; \n", ";/* a ; /* ' */ \" */\n\n"])
def test_statements_are_split_where_the_server_would(statements: list[str], between: str) -> None:
    parts = list(split(between.join(statements), "a.sql"))
    assert [statement.sql for statement in parts] == statements


def test_a_statement_knows_its_line_and_that_of_a_character_in_it() -> None:
    first, second = split("-- what\n\nSELECT 1;\n/* and\n */ SELECT\n  nosuch;\n", "a.sql")
    assert (first.place(), second.place()) == ("a.sql:3", "a.sql:5")
    assert second.place(second.sql.index("nosuch") + 1) == "a.sql:6"


@pytest.mark.parametrize(("text", "message"), [
    ("SELECT 1;\n\\connect other\n", r"a.sql:2: \connect is a command of psql"),
    ("\n\\restrict 3Fk\n", r"a.sql:2: \restrict is a command of psql, which no server knows; take the line out "
                           r"(pg_dump writes it, and \unrestrict at the end)"),
    ("\\i other.sql", "all files of the folder are loaded, in the order of their names"),
    ("CREATE TABLE t (a int);\nCOPY t FROM stdin;\nit's\n\\.\n", "a.sql:2: COPY: a declaration holds no rows"),
    ("INSERT INTO t VALUES (1)", "a.sql:1: INSERT: a declaration holds no rows"),
    ("\n\nSELECT 'never", "a.sql:3: what begins with ' has no end"),
    ('SELECT "never', 'a.sql:1: what begins with " has no end'),
    ("SELECT $a$ never $b$", "a.sql:1: what begins with $a$ has no end"),
    ("SELECT 1 /* /* */", "a.sql:1: what begins with /* has no end"),
    ("GRANT CONNECT ON DATABASE d TO PUBLIC", "a.sql:1: GRANT: such rights are not declared here"),
    ("GRANT readers TO somebody", "a.sql:1: GRANT: such rights are not declared here"),
    ("ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO x", "a.sql:1: ALTER DEFAULT PRIVILEGES: such rights"),
    ("ALTER DATABASE s OWNER TO x;", "a.sql:1: ALTER: such rights"),
    ("COMMENT ON CAST (int AS text) IS 'x'", "a.sql:1: COMMENT ON CAST: such a comment is not declared"),
])
def test_what_no_declaration_can_have_is_one_line_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "a.sql").write_text(text)
    with pytest.raises(DeclarationError) as raised:
        read_statements(tmp_path)
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


def test_files_are_read_by_name_with_those_of_subfolders(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    for name in ("c.sql", "b/2.sql", "b/1.sql", "a.sql", "b/notes.txt"):
        (tmp_path / name).write_text(f"SELECT '{name}';")
    files = read_statements(tmp_path)
    assert [Path(file[0].file).relative_to(tmp_path).as_posix() for file in files] == [
        "a.sql", "b/1.sql", "b/2.sql", "c.sql"]
    assert len(read_statements(tmp_path / "c.sql")) == 1


def test_no_file_and_no_text_are_one_line(tmp_path: Path) -> None:
    for folder, message in ((tmp_path, r"has no file \*\.sql in it"), (tmp_path / "nowhere", "is not there")):
        with pytest.raises(DeclarationError, match=message):
            read_statements(folder)
    (tmp_path / "a.sql").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DeclarationError, match=r"a\.sql: cannot be read"):
        read_statements(tmp_path)
