"""Every command in the README and in docs/ is one that there is: its target, its command and its options."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.registry import gather
from schema.lint.finding import Lint
from schema.model.change.step import Hazard
from tests.e2e.test_readme_walk import BY_HAND

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def commands() -> Iterator[tuple[str, str]]:
    """Each line of each fenced `sh` block, with its page."""
    for page in PAGES:
        for block in re.findall(r"^```(?:sh|console)\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL):
            yield from ((page.name, line) for line in block.splitlines() if line)


@pytest.mark.parametrize(("page", "line"), list(commands()))
def test_command_exists(page: str, line: str) -> None:
    if line in BY_HAND:
        return
    program, *arguments = shlex.split(line)
    if program == "make":
        dry_run = subprocess.run(["make", "-n", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
        assert dry_run.returncode == 0, dry_run.stderr
        lines = [shlex.split(text.lstrip("@")) for text in dry_run.stdout.splitlines() if ".venv/bin/lcdb" in text]
        for words in lines:
            assert accepted(words[words.index(".venv/bin/lcdb") + 1:]), f"{page}: {line}"
    else:
        assert program == "lcdb", f"{page}: {line}"
        assert accepted(arguments), f"{page}: {line}"


def test_every_line_that_only_the_walk_types_is_on_a_page() -> None:
    assert set(BY_HAND) <= {line for _, line in commands()}


def accepted(arguments: list[str]) -> bool:
    """Whether the command line knows the command and its options; asking for help runs nothing."""
    ours = arguments[:arguments.index("--")] if "--" in arguments else arguments
    return CliRunner().invoke(gather(), [*ours, "--help"]).exit_code == 0


def test_unknown_commands_and_options_would_be_noticed() -> None:
    assert not accepted(["ascend"])
    assert not accepted(["up", "--sideways"])
    assert not accepted(["schema", "plan", "--yaml"])


def test_links_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_page_is_on_the_tour() -> None:
    tour = (ROOT / "README.md").read_text()
    assert [page.name for page in (ROOT / "docs").glob("*.md") if f"docs/{page.name}" not in tour] == []
    kinds = ROOT / "docs" / "schema"
    index = (kinds / "README.md").read_text()
    assert [page.name for page in kinds.glob("*.md")
            if page.name != "README.md" and f"({page.name})" not in index] == []


def test_every_hazard_and_finding_is_explained() -> None:
    index = (ROOT / "docs" / "schema" / "README.md").read_text()
    assert [name for name in (*Hazard, *Lint) if f"`{name}`" not in index] == []


def test_targets_of_make_are_the_promised_ones() -> None:
    for target in ("up", "preview", "refresh", "destroy", "test", "check", "bench", "lock"):
        dry_run = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, check=False)
        assert dry_run.returncode == 0, target
