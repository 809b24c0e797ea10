"""`lcdb backup` as a user writes it: what contradicts itself is refused, and what is said can be typed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from unittest.mock import Mock

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from backups.errors import RestoreError
from backups.logical.catalog import Entry
from backups.physical.catalog import PhysicalEntry
from backups.progress import with_rate
from cli import drivers
from cli.backup_settings import config_values
from cli.commands import backup
from cli.commands.backup import restore
from cli.commands.backup.physical import find_entry
from cli.registry import gather
from infra.folders import ROOT

OPTIONS = [(name, option) for name, command in get_command(backup.app).commands.items()  # type: ignore[attr-defined]
           for option in command.params if option.name != "help"]


@pytest.mark.parametrize(("arguments", "words"), [
    (["restore", "--to", "2026-11-22 09:41:00+00"], "neither of --target and --container"),
    (["restore", "--target", "a", "--container", "b"], "both or neither"),
    (["restore", "--target", "a", "--to", "2026-11-22 09:41:00+00", "--restore-point", "p"], "required one of them"),
    (["restore", "--target", "a", "--into", "copy"], "--into: found with --target"),
    (["restore", "--container", "a", "--into", "copy", "--replace"], "--into and --replace: found with"),
    (["restore", "20261126T021500Z-ab12cd", "--container", "a"], "found a logical one, required a physical one"),
    (["restore", "--container", "a", "--to", "yesterday"], "found 'yesterday', required a time with its zone"),
    (["release", "a", "--target", "--container"], "required one of them")])
def test_options_that_contradict_each_other_are_one_line(arguments: list[str], words: str) -> None:
    error = CliRunner().invoke(gather(), ["backup", *arguments]).exception
    assert isinstance(error, RestoreError)
    assert words in str(error)
    assert "\n" not in str(error)


@pytest.mark.parametrize(("name", "option"), OPTIONS, ids=lambda value: str(getattr(value, "name", value)))
def test_every_option_says_what_it_is_for(name: str, option: Any) -> None:
    assert option.help, f"{name} {option.name}"


def test_every_command_has_a_help_text_of_one_line() -> None:
    for name, command in get_command(backup.app).commands.items():  # type: ignore[attr-defined]
        first = (command.help or "").split("\n\n")[0]
        assert "\n" not in first, name
        assert first.endswith("."), name


@pytest.mark.parametrize("way", ["", " --stack mine", " --config backup.json"])
def test_the_command_that_lets_jobs_run_names_the_same_server(way: str, capsys: pytest.CaptureFixture[str]) -> None:
    done = {"backup": "b", "database": "copy", "rows": 1, "seconds": {}, "origin": "o", "held_jobs": [1],
            "new_roles": [], "unfilled": [], "lost": []}
    restore._print_restored(done, None, way)
    assert f"lcdb backup release copy{way}\n" in capsys.readouterr().out


def test_a_stack_s_settings_serve_in_any_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    class Driver:
        def outputs(self) -> dict[str, Any]:
            return {"backup": {"bucket": "b", "s3": {"ca_file": ".lcdb/mine/s3/ca.pem", "region": "r"},
                               "admin": {"sslrootcert": "/etc/ca.pem"}, "database": {"sslrootcert": "system"}}}

    monkeypatch.setattr(drivers, "open_driver", lambda stack, console: ("mine", Driver()))
    values = config_values("mine", None)
    assert values["s3"] == {"ca_file": str(ROOT / ".lcdb/mine/s3/ca.pem"), "region": "r"}
    assert (values["admin"], values["database"]) == ({"sslrootcert": "/etc/ca.pem"}, {"sslrootcert": "system"})


def test_progress_has_a_rate() -> None:
    calls: list[tuple[str, float]] = []
    listener = with_rate("verifying", lambda words, part: calls.append((words, part)))
    listener(5_000_000, 10_000_000)
    listener(0, 0)
    (words, part), (_, nothing) = calls
    assert words.startswith("verifying, ")
    assert words.endswith(" MB/s")
    assert (part, nothing) == (0.5, 0.0)


def test_of_two_backups_of_one_second_the_newest_is_the_one_listed_last(monkeypatch: pytest.MonkeyPatch) -> None:
    # The logical one began a part of a second after what is the physical one's second.
    manifest = Mock(started=datetime(2026, 11, 26, 14, 22, 5, 400_000, tzinfo=UTC))
    logical = Entry("20261126T142205Z-ab12cd", "db", "logical", manifest, None, None)
    physical = PhysicalEntry("20261126-142205F", "db", None, None, None)
    monkeypatch.setattr("backups.logical.catalog.list_backups", lambda *_: [logical])
    monkeypatch.setattr("backups.physical.catalog.list_physical", lambda *_: [physical])
    assert find_entry(Mock(), None) is physical
    earlier = replace(physical, id="20261126-142204F")
    monkeypatch.setattr("backups.physical.catalog.list_physical", lambda *_: [earlier])
    assert find_entry(Mock(), None) is logical
