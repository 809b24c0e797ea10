"""`lcdb --version`, and what a shell offers when Tab is pressed: every command and option, quickly."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from typer import Typer
from typer.testing import CliRunner

import cli
from cli.registry import COMMANDS, GROUPS, gather

ROOT = Path(__file__).parents[3]


@pytest.fixture
def shell(tmp_path: Path) -> dict[str, str]:
    """The environment of somebody whose PATH has `lcdb`, and whose home is empty."""
    lcdb = tmp_path / "bin" / "lcdb"
    lcdb.parent.mkdir()
    lcdb.write_text(f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(ROOT)!r})\n"
                    "from cli import main\nmain()\n")
    lcdb.chmod(0o755)
    return {**os.environ, "PATH": f"{lcdb.parent}:{os.environ['PATH']}", "HOME": str(tmp_path), "COLUMNS": "80"}


def bash(script: str, environment: dict[str, str]) -> list[str]:
    done = subprocess.run(["bash", "--norc", "-c", script], env=environment, capture_output=True, text=True,
                          check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def pressed_tab(line: str, environment: dict[str, str]) -> list[str]:
    """What bash offers for the last word of a line, by the script that `--show-completion` prints."""
    script = ('source <(lcdb --show-completion); read -ra COMP_WORDS <<< "$LINE"; '
              '[[ $LINE == *" " ]] && COMP_WORDS+=(""); '
              'COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _lcdb_completion lcdb; printf "%s\\n" "${COMPREPLY[@]}"')
    return bash(script, {**environment, "LINE": line})


def offered(line: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What `lcdb` answers to bash, in this process."""
    for name, value in {"_LCDB_COMPLETE": "complete_bash", "COMP_WORDS": line,
                        "COMP_CWORD": str(len(line.split(" ")) - 1)}.items():
        monkeypatch.setenv(name, value)
    return CliRunner().invoke(cli._app(cli._first_word()), [], prog_name="lcdb").output.split()


def commands_of(group: str) -> set[str]:
    typer_group = next(item.typer_instance for item in gather().registered_groups if item.name == group)
    assert isinstance(typer_group, Typer)
    return {str(command.name or getattr(command.callback, "__name__", "")).replace("_", "-")
            for command in typer_group.registered_commands}


def test_version_is_the_package_s(shell: dict[str, str]) -> None:
    assert bash("lcdb --version", shell) == [f"lcdb {version('lifecompanion-database')}"]


def test_first_word_is_any_command(shell: dict[str, str]) -> None:
    assert set(pressed_tab("lcdb ", shell)) == {*COMMANDS, *GROUPS}
    assert pressed_tab("lcdb re", shell) == ["refresh", "report"]
    assert "--version" in pressed_tab("lcdb --", shell)


@pytest.mark.parametrize("group", GROUPS)
def test_commands_of_a_group_and_their_options(group: str, monkeypatch: pytest.MonkeyPatch) -> None:
    commands = offered(f"lcdb {group} ", monkeypatch)
    assert set(commands) == commands_of(group)
    for command in commands:
        assert "--help" in offered(f"lcdb {group} {command} --", monkeypatch)


def test_options_of_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    for command in COMMANDS:
        assert "--help" in offered(f"lcdb {command} --", monkeypatch)
    assert "--stack" in offered("lcdb report --s", monkeypatch)


def test_values_of_an_option(shell: dict[str, str]) -> None:
    assert pressed_tab("lcdb backup run --kind ", shell) == ["logical", "full", "diff", "incr"]


def test_zsh_and_fish_are_offered_the_same(shell: dict[str, str]) -> None:
    typed = {**shell, "_TYPER_COMPLETE_ARGS": "lcdb backup ver", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    assert bash("_LCDB_COMPLETE=complete_fish lcdb", typed)[0].split("\t")[0] == "verify"
    assert '"verify":' in bash("_LCDB_COMPLETE=complete_zsh lcdb", typed)[0]


def test_completion_is_installed_for_the_shell_that_asks(shell: dict[str, str], tmp_path: Path) -> None:
    assert "bash completion installed" in bash("lcdb --install-completion; true", shell)[0]
    assert str(tmp_path / ".bash_completions" / "lcdb.sh") in (tmp_path / ".bashrc").read_text()
    assert "up" in bash('source ~/.bashrc; COMP_WORDS=(lcdb u); COMP_CWORD=1; _lcdb_completion lcdb; '
                        'printf "%s\\n" "${COMPREPLY[@]}"', shell)


@pytest.mark.parametrize(("line", "word", "unread"), [
    ("lcdb ", "1", {"cli.commands.stacks", "cli.commands.schema", "cli.commands.backup", "cli.commands.seed",
                    "psycopg"}),
    ("lcdb schema ", "2", {"cli.commands.backup", "cli.commands.seed", "psycopg", "pulumi"})])
def test_completing_reads_no_other_command(line: str, word: str, unread: set[str]) -> None:
    program = ("import atexit, sys\natexit.register(lambda: print(*sys.modules, file=sys.stderr))\n"
               "sys.argv = ['lcdb']\nfrom cli import main\nmain()")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env={
        **os.environ, "_LCDB_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": word})
    assert done.stdout
    assert not set(done.stderr.split()) & unread
