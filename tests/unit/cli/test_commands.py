"""`lcdb` as a user meets it: what it asks, what it prints where, and its exit statuses; no server is needed."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import cli
from cli import drivers
from cli.registry import gather
from infra.automation.stack import Result
from infra.automation.stack_file import StackError, stack_config, stack_file, stack_target

LOGIN = {"user": "lifecompanion_app", "password": "s3cr3t",
         "dsn": "postgresql://lifecompanion_app:s3cr3t@127.0.0.1:54320/lifecompanion?sslmode=disable"}


class Recorder:
    """A driver that records its operations."""

    def __init__(self, outputs: Mapping[str, Any]) -> None:
        self.operations: list[str] = []
        self._outputs = outputs

    def destroy(self) -> Result:
        self.operations.append("destroy")
        return Result("destroy", "test", {"delete": 3}, 1.0)

    def outputs(self) -> Mapping[str, Any]:
        return self._outputs


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    recorder = Recorder({"logins": {"app": LOGIN}, "laravel_env": "DB_CONNECTION=pgsql\n"})
    monkeypatch.setattr(drivers, "open_driver", lambda stack, console: (stack or "dev", recorder))
    monkeypatch.delenv("YES", raising=False)
    monkeypatch.delenv("STACK", raising=False)
    return recorder


def run(*arguments: str, **options: Any) -> Any:
    return CliRunner().invoke(gather(), list(arguments), **options)


def test_destroy_asks_and_takes_no_for_an_answer(driver: Recorder) -> None:
    answered = run("destroy", "--stack", "test", input="n\n")
    assert (answered.exit_code, driver.operations) == (1, [])
    assert "Remove everything that stack test made, its data included?" in answered.output


def test_destroy_without_anybody_to_ask_does_nothing(driver: Recorder) -> None:
    assert (run("destroy", input="").exit_code, driver.operations) == (1, [])


@pytest.mark.parametrize(("arguments", "environment"), [(["--yes"], {}), ([], {"YES": "1"})])
def test_destroy_with_yes_does_not_ask(driver: Recorder, arguments: list[str], environment: dict[str, str]) -> None:
    done = run("destroy", *arguments, env=environment)
    assert (done.exit_code, driver.operations) == (0, ["destroy"])
    assert "resources: +0 ~0 -3" in done.output


def test_outputs_are_ready_for_a_file(driver: Recorder) -> None:
    assert run("outputs", "laravel").stdout == "DB_CONNECTION=pgsql\n"
    assert run("outputs", "dsn").stdout == LOGIN["dsn"] + "\n"


def test_missing_outputs_and_roles_are_errors(driver: Recorder) -> None:
    for arguments, words in ((["outputs", "service"], "has no pg_service yet"),
                             (["outputs", "dsn", "--role", "boss"], "role boss: no such login")):
        assert words in str(run(*arguments).exception)


def test_connect_without_psql_says_the_way_round(driver: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    message = str(run("connect").exception)
    assert "psql is not on the PATH" in message
    assert "lcdb outputs dsn --stack dev --role app" in message
    assert "s3cr3t" not in message


def test_connect_keeps_the_password_out_of_the_arguments(driver: Recorder, tmp_path: Path,
                                                         monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "psql").write_text("#!/bin/sh\n")
    (tmp_path / "psql").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    started: list[Any] = []
    monkeypatch.setattr("os.execve", lambda *arguments: started.append(arguments))
    run("connect", "--", "-c", "select 1")
    program, arguments, environment = started[0]
    assert (program, arguments) == (str(tmp_path / "psql"), ["psql", "-c", "select 1"])
    assert (environment["PGUSER"], environment["PGPASSWORD"]) == ("lifecompanion_app", "s3cr3t")


def test_errors_of_ours_are_one_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["lcdb", "up", "--stack", "nowhere"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    assert capsys.readouterr().err.startswith("stack nowhere: Pulumi.nowhere.yaml not found")


def test_errors_of_nobody_are_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(stack: str | None, console: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(drivers, "open_driver", fail)
    monkeypatch.setattr("sys.argv", ["lcdb", "report"])
    with pytest.raises(ZeroDivisionError):
        cli.main()


@pytest.mark.parametrize("dsn", ["host=", "postgresql://h/db", "postgresql://u@h", "nonsense=1 s3cr3t",
                                 "postgresql://u:s3cr3t@h/db?channel_binding=require"])
def test_wrong_dsn_is_one_line_without_it(dsn: str) -> None:
    message = str(run("schema", "plan", env={"LCDB_DSN": dsn}).exception)
    assert message.startswith("--dsn: ")
    assert "\n" not in message
    assert "s3cr3t" not in message


def test_export_is_sql_of_every_table() -> None:
    printed = run("schema", "export").stdout
    for table in ("users", "devices", "environmental_readings", "activity_classifications", "notifications"):
        assert f"CREATE TABLE {table}" in printed
    assert "create_hypertable" in printed


def test_unknown_target_in_a_stack_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.mine.yaml").write_text("config:\n  lifecompanion:target: moon\n")
    with pytest.raises(StackError, match="target is moon, required: docker, host, embedded"):
        stack_target("mine", tmp_path)
    assert stack_config("mine", tmp_path) == {"target": "moon"}
    (tmp_path / "Pulumi.mine.yaml").write_text("config: [")
    with pytest.raises(StackError, match="cannot be read"):
        stack_target("mine", tmp_path)


@pytest.mark.parametrize("stack", ["dev", "embedded", "test", "prod"])
def test_stacks_of_the_project_have_a_target(stack: str) -> None:
    assert stack_target(stack) in ("docker", "host", "embedded")
    assert stack_file(stack).name == f"Pulumi.{stack}.yaml"


def test_results_say_plainly_what_happened() -> None:
    assert "nothing to change (9 resources as declared)" in Result("up", "dev", {"same": 9}, 3.2).summary()
    done = Result("up", "dev", {"create": 12, "delete": 1, "same": 5}, 14)
    assert done.summary() == "dev: resources: +12 ~0 -1, 5 unchanged, 14 s"


def test_env_prints_paths_and_no_passphrase(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from infra.automation import state

    local = tmp_path / "with space" / ".lcdb"
    for name in ("PULUMI_BACKEND_URL", "PULUMI_ACCESS_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path))
    monkeypatch.setattr(state, "LOCAL", local)
    monkeypatch.setattr(state.find_backend, "__defaults__", (local,))
    monkeypatch.setattr(state.ensure_backend, "__defaults__", (local,))
    local.parent.mkdir()
    printed = run("env").stdout
    assert (local / "passphrase").read_text().strip() not in printed
    shell = subprocess.run(["sh", "-c", f"{printed}\nprintf '[\"%s\"]' \"$PULUMI_CONFIG_PASSPHRASE_FILE\""],
                           capture_output=True, text=True, check=True)
    assert json.loads(shell.stdout) == [str(local / "passphrase")]
