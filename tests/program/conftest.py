"""Fixtures for tests of in-process runs: a small project, its program, and a run of it."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.inprocess import runner
from infra.inprocess.runner import InProcessResult
from tests.support.programs.small_program import PROJECT, PROVIDERS, Run


@pytest.fixture
def root(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """Return a project with a module of providers whose name is unique to this test, as modules are imported once."""
    (tmp_path / "Pulumi.yaml").write_text(PROJECT)
    (tmp_path / "Pulumi.here.yaml").write_text("config:\n  lifecompanion:greeting: good morning\n")
    (tmp_path / f"providers_{os.getpid()}.py").write_text(PROVIDERS)
    return tmp_path


@pytest.fixture
def program(root: Path) -> Callable[[str], None]:
    """Return a function that writes the program; every program begins with the same imports."""
    def write(body: str) -> None:
        imports = f"import pulumi\nfrom infra.resources import Password\nfrom providers_{os.getpid()} import File\n"
        (root / "__main__.py").write_text(imports + textwrap.dedent(body))
    return write


@pytest.fixture
def run(root: Path) -> Run:
    def up(*, preview: bool = False) -> InProcessResult:
        return runner.run("here", preview=preview, root=root, local=root / ".lcdb")
    return up
