"""`lcdb schema adopt` on real databases: what it wrote can be planned, and what it could not write is said by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from psycopg import sql
from typer.testing import CliRunner

from cli.registry import gather
from infra.program.outputs import dsn
from schema.connection import Address
from tests.support.running.servers import Database, create_login

pytestmark = pytest.mark.servers("official", "debian")
READER = "test_reader"


def run(address: Address, *arguments: str) -> Any:
    """`lcdb schema ...` against the database."""
    login = dsn({**address.to_dict(), "sslmode": "disable"})
    return CliRunner().invoke(gather(), ["schema", *arguments], env={"LCDB_DSN": login, "STACK": None})


@pytest.fixture
def reader(database: Database) -> Address:
    """A login that may create in the database and has no right to anybody's tables."""
    login = create_login(database, READER)
    with database.admin.connect() as connection:
        connection.execute(sql.SQL("GRANT CREATE ON DATABASE {} TO {}").format(
            sql.Identifier(login.database), sql.Identifier(READER)))
    return login


def test_what_a_plan_of_the_file_finds_is_said_in_it_and_on_stderr(database: Database, tmp_path: Path) -> None:
    database.execute("CREATE DOMAIN area AS int", "CREATE TABLE rooms (area area)", "INSERT INTO rooms VALUES (-1)",
                     "ALTER DOMAIN area ADD CONSTRAINT positive CHECK (VALUE > 0) NOT VALID")
    file = tmp_path / "adopted.py"
    adopted = run(database.owner, "adopt", str(file))
    assert adopted.exit_code == 0
    assert "not empty: area: " in adopted.stderr
    assert f"`lcdb schema plan --declared {file}` still has 1 step" in adopted.stdout
    assert "# A plan of this finds:\n# area: ALTER DOMAIN area VALIDATE" in file.read_text()
    assert run(database.owner, "plan", "--declared", str(file)).exit_code == 2


def test_what_is_left_out_keeps_nothing_else_from_being_planned(database: Database, tmp_path: Path) -> None:
    database.execute("CREATE SCHEMA app", "CREATE TYPE app.score AS RANGE (subtype = int)",
                     "CREATE TABLE app.games (result app.score)",
                     "CREATE VIEW app.results AS SELECT result FROM app.games", "CREATE TABLE app.players (id int)",
                     "CREATE VIEW app.ids AS SELECT id FROM app.players")
    file = tmp_path / "adopted.py"
    adopted = run(database.owner, "adopt", str(file))
    assert adopted.exit_code == 0
    assert "not declared: app.score: a range type, which no kind of object declares" in adopted.stderr
    assert "finds nothing to do" in adopted.stdout
    planned = run(database.owner, "plan", "--declared", str(file))
    assert planned.exit_code == 0, planned.exception
    assert "APP_PLAYERS = Table(" in file.read_text()
    assert "APP_IDS = View(" in file.read_text()


def test_a_login_that_may_not_read_rows_adopts_and_plans(database: Database, reader: Address, tmp_path: Path) -> None:
    database.execute("CREATE TABLE rooms (area int)", "INSERT INTO rooms VALUES (1)", "CREATE TABLE others (area int)")
    file = tmp_path / "adopted.py"
    assert run(reader, "adopt", str(file)).exit_code == 0
    planned = run(reader, "plan", "--declared", str(file))
    assert (planned.output, planned.exit_code) == ("nothing to do: the database is as declared\n", 0)
    file.write_text("from schema.objects import *\nDECLARED = (Table('rooms', columns=(Column('area', 'bigint'),)),)\n")
    planned = run(reader, "plan", "--declared", str(file))
    assert planned.exit_code == 2, planned.exception
    assert "ALTER COLUMN area TYPE bigint" in planned.stdout
    assert "rooms: the login may not read its rows" in planned.stdout
    assert "others is a table that is not declared" in planned.stdout


def test_a_short_statement_timeout_of_the_database_ends_nothing(database: Database, tmp_path: Path) -> None:
    database.execute("CREATE TABLE rooms (area int)")
    with database.admin.connect() as connection:
        connection.execute(sql.SQL("ALTER DATABASE {} SET statement_timeout = 1").format(
            sql.Identifier(database.owner.database)))
    file = tmp_path / "adopted.py"
    assert run(database.owner, "adopt", str(file)).exit_code == 0
    assert run(database.owner, "plan", "--declared", str(file)).exit_code == 0


HOSTILE = ("x\nCREATE TABLE stolen ();\n--", "y\rCREATE TABLE stolen ();\r--", "z\x0cCREATE TABLE stolen ();\x0c--",
           "w\u2028CREATE TABLE stolen ();\u2028--", "v\x85CREATE TABLE stolen ();",
           'q"""\nCREATE TABLE stolen ();\n"""', "a²", "ªº", "ends\\", 'ends"', "class", "ﬁ", "fi", "\N{KELVIN SIGN}",
           "K", "a b", "a_b", "{0}", "%s", "$$")


def test_names_are_values_in_whatever_is_written(database: Database, tmp_path: Path) -> None:
    for number, name in enumerate(HOSTILE):
        plain, text = '"' + name.replace('"', '""') + '"', name.replace("'", "''")
        database.execute(
            f"CREATE SEQUENCE {plain}", f"CREATE TABLE t{number} ({plain} int CHECK ({plain} > 0))",
            f"ALTER TABLE t{number} RENAME TO {plain[:-1]}t\"", f"COMMENT ON TABLE {plain[:-1]}t\" IS '{text}'",
            f"CREATE TYPE {plain[:-1]}e\" AS ENUM ('{text}')",
            f"CREATE VIEW {plain[:-1]}v\" AS SELECT {plain}, '{text}'::text AS word FROM {plain[:-1]}t\"",
            f"CREATE TABLE {plain[:-1]}p\" ({plain} int) PARTITION BY RANGE ({plain})")
    file = tmp_path / "adopted.py"
    assert run(database.owner, "adopt", str(file)).exit_code == 0
    planned = run(database.owner, "plan", "--declared", str(file))
    assert (planned.output.splitlines()[-1], planned.exit_code) == ("nothing to do: the database is as declared", 0)
    script = run(database.owner, "export", "--declared", str(file)).output
    with database.admin.connect() as connection:
        connection.execute("DROP OWNED BY test_owner CASCADE; GRANT ALL ON SCHEMA public TO test_owner")
        connection.execute(sql.SQL("GRANT ALL ON DATABASE {} TO test_owner").format(
            sql.Identifier(database.owner.database)))
    with database.owner.connect() as connection:
        connection.execute(script.encode())
    assert run(database.owner, "plan", "--declared", str(file)).exit_code == 0
    assert database.execute("SELECT to_regclass('stolen')") == [(None,)]
