"""The in-process run: a small program of its own, with real providers and, where a server is needed, a real one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from infra.inprocess import runner
from infra.inprocess.runner import InProcessError
from infra.local import embedded_server, processes
from tests.support.machine import require
from tests.support.programs.small_program import Run, operations


def test_dynamic_resources_really_run_and_get_each_others_outputs(
        root: Path, program: Callable[[str], None], run: Run) -> None:
    program("""
        first = File("first", "first.txt", pulumi.Config().require("greeting"))
        File("second", "second.txt", first.size.apply(lambda size: f"{int(size)} letters"))
        pulumi.export("size", first.size)
    """)
    result = run()
    assert operations(result) == [("create", "first"), ("create", "second")]
    assert (root / "first.txt").read_text() == "good morning"
    assert (root / "second.txt").read_text() == "12 letters"
    assert result.outputs == {"size": 12}
    assert runner.outputs("here", local=root / ".lcdb") == {"size": 12}


def test_a_second_run_changes_nothing_and_drift_is_repaired(
        root: Path, program: Callable[[str], None], run: Run) -> None:
    program('File("note", "note.txt", "text")')
    run()
    again = run()
    assert not again.changed
    assert operations(again) == [("same", "note")]
    (root / "note.txt").unlink()
    assert operations(run()) == [("update", "note")]
    assert (root / "note.txt").read_text() == "text"


def test_a_preview_changes_nothing_and_says_what_would(root: Path, program: Callable[[str], None], run: Run) -> None:
    program("""
        first = File("first", "first.txt", "text")
        File("second", "second.txt", first.size.apply(str))
    """)
    assert operations(run(preview=True)) == [("create", "first"), ("create", "second")]
    assert not list(root.glob("*.txt"))
    assert not (root / ".lcdb/here/inprocess.json").exists()


def test_a_generated_password_is_kept_secret_and_stays_the_same(
        root: Path, program: Callable[[str], None], run: Run) -> None:
    program('pulumi.export("password", Password("x").value)')
    first = run()
    password = first.outputs["password"]
    assert len(password) == 32
    assert run().outputs["password"] == password
    assert password not in repr(first) + first.summary() + " ".join(map(str, first.events))
    record = root / ".lcdb/here/inprocess.json"
    assert record.stat().st_mode & 0o777 == 0o600
    assert record.parent.stat().st_mode & 0o777 == 0o700


def test_a_failure_is_one_line_stops_the_run_and_keeps_what_was_done(
        root: Path, program: Callable[[str], None], run: Run) -> None:
    program("""
        first = File("first", "first.txt", "text")
        broken = File("broken", "broken.txt", "refuse", pulumi.ResourceOptions(depends_on=[first]))
        File("last", "last.txt", "text", pulumi.ResourceOptions(depends_on=[broken]))
    """)
    with pytest.raises(InProcessError) as caught:
        run()
    assert str(caught.value) == "RuntimeError: file broken.txt: found no room, required some; make room"
    assert (root / "first.txt").exists()
    assert not (root / "last.txt").exists()
    program('File("first", "first.txt", "text")')
    assert operations(run()) == [("same", "first")]


def test_a_property_that_the_provider_refuses_fails_at_preview(program: Callable[[str], None], run: Run) -> None:
    program('File("empty", "empty.txt", "")')
    with pytest.raises(InProcessError, match="empty: text: found nothing, required a text"):
        run(preview=True)


def test_a_mistake_in_the_program_is_its_own_line(program: Callable[[str], None], run: Run) -> None:
    program('raise ValueError("lifecompanion:port: found 1, required 1024 or more")')
    with pytest.raises(InProcessError) as caught:
        run()
    assert str(caught.value) == "ValueError: lifecompanion:port: found 1, required 1024 or more"


def test_a_resource_that_needs_a_plugin_is_refused_not_pretended(
        program: Callable[[str], None], run: Run) -> None:
    program('import pulumi_docker\npulumi_docker.Network("net", name="net")')
    for preview in (True, False):
        with pytest.raises(InProcessError) as caught:
            run(preview=preview)
        assert "docker:index/network:Network" in str(caught.value)
        assert "needs the Pulumi CLI" in str(caught.value)
        assert len(str(caught.value).splitlines()) == 1


def test_destroy_removes_everything_the_last_created_first(
        root: Path, program: Callable[[str], None], run: Run) -> None:
    program("""
        first = File("first", "first.txt", "text")
        File("second", "second.txt", "text", pulumi.ResourceOptions(depends_on=[first]))
        File("kept", "kept.txt", "text", pulumi.ResourceOptions(depends_on=[first], retain_on_delete=True))
    """)
    run()
    result = runner.destroy("here", root=root, local=root / ".lcdb")
    assert [name for operation, name in operations(result) if operation == "delete"] == ["second", "first"]
    assert sorted(path.name for path in root.glob("*.txt")) == ["kept.txt"]
    assert not (root / ".lcdb/here").exists()


def test_config_comes_from_defaults_stack_file_and_environment(
        root: Path, program: Callable[[str], None], run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    program("""
        config = pulumi.Config()
        pulumi.export("found", [config.get("greeting"), config.get_int("number"), config.get("adminPassword")])
    """)
    assert run().outputs["found"] == ["good morning", 3, ""]
    monkeypatch.setenv("PULUMI_CONFIG_LIFECOMPANION_ADMINPASSWORD", "from-the-environment")
    assert run().outputs["found"] == ["good morning", 3, "from-the-environment"]


def test_an_encrypted_value_that_nobody_gives_is_named(root: Path, program: Callable[[str], None], run: Run) -> None:
    (root / "Pulumi.here.yaml").write_text("config:\n  lifecompanion:adminPassword:\n    secure: v1:abc:def\n")
    program("")
    with pytest.raises(InProcessError, match="PULUMI_CONFIG_LIFECOMPANION_ADMINPASSWORD"):
        run()


POSTGRESQL = """
    import os
    import pulumi_postgresql as pg
    server = pg.Provider("server", host="127.0.0.1", port=int(os.environ["TEST_PORT"]), username="postgres",
                         password=pulumi.Output.secret("the-superusers-own"), sslmode="disable", database="postgres")
    there = pulumi.ResourceOptions(provider=server)
    owner = pg.Role("owner", name="it_owner", login=True, password="owners-own-password", opts=there)
    app = pg.Role("app", name="it_app", login=True, password="apps-own-password", roles=["pg_monitor"], opts=there)
    database = pg.Database("database", name="it", owner=owner.name, opts=there)
    pg.Extension("extension", name="timescaledb", database=database.name, opts=there)
    public = pg.Grant("public", database=database.name, role="public", object_type="database", privileges=[],
                      opts=there)
    pg.Grant("connect", database=database.name, role=app.name, object_type="database", privileges=["CONNECT"],
             opts=pulumi.ResourceOptions(provider=server, depends_on=[public]))
    pg.DefaultPrivileges("future", database=database.name, owner=owner.name, role=app.name, schema="public",
                         object_type="table", privileges=["SELECT", "INSERT"], opts=there)
"""


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A real server; the superuser's password is the one in POSTGRESQL."""
    folder, number = tmp_path_factory.mktemp("server"), processes.free_port()
    require("embedded")
    embedded_server.start(folder, number, "the-superusers-own")
    yield number
    embedded_server.remove(folder)


def test_postgresql_resources_are_created_and_repaired_over_sql(
        program: Callable[[str], None], run: Run, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_PORT", str(port))
    program(POSTGRESQL)
    assert {operation for operation, _ in operations(run())} == {"create"}
    admin = embedded_server.Address("127.0.0.1", port, "it", "postgres", "the-superusers-own", "disable")
    owner = embedded_server.Address("127.0.0.1", port, "it", "it_owner", "owners-own-password", "disable")
    app = embedded_server.Address("127.0.0.1", port, "it", "it_app", "apps-own-password", "disable")
    with owner.connect() as connection:
        connection.execute("CREATE TABLE made_later AS SELECT 1 AS x")
    with app.connect() as connection:
        assert connection.execute("SELECT x FROM made_later").fetchall() == [(1,)]
        assert connection.execute("SELECT pg_has_role('pg_monitor', 'USAGE')").fetchone() == (True,)
    with admin.connect() as connection:
        assert connection.execute("SELECT extname FROM pg_extension WHERE extname = 'timescaledb'").fetchall()
        assert connection.execute("SELECT has_database_privilege('public', 'it', 'CONNECT')").fetchone() == (False,)

    assert not run().changed

    with admin.connect() as connection:
        connection.execute("REVOKE CONNECT ON DATABASE it FROM it_app")
        connection.execute("ALTER ROLE it_app CREATEDB")
        connection.execute("GRANT pg_read_all_data TO it_app")
    drift = [("update", "app"), ("update", "connect")]
    assert [one for one in operations(run(preview=True)) if one[0] != "same"] == drift
    assert [one for one in operations(run()) if one[0] != "same"] == drift
    assert not run().changed


def test_a_postgresql_property_that_has_no_sql_is_refused(
        program: Callable[[str], None], run: Run, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_PORT", str(port))
    program(POSTGRESQL + '    pg.Role("limited", name="limited", connection_limit=3, opts=there)\n')
    with pytest.raises(InProcessError, match=r"limited: .*connectionLimit found, known over SQL are"):
        run()


def test_the_record_names_every_resource_with_its_type(
        root: Path, program: Callable[[str], None], run: Run) -> None:
    program('File("note", "note.txt", "text")')
    run()
    [entry] = json.loads((root / ".lcdb/here/inprocess.json").read_text())["made"].values()
    assert (entry["type"], entry["name"], entry["id"]) == ("pulumi-python:dynamic/tests:File", "note", "note.txt")
