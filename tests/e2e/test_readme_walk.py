"""The README's commands one after the other, as a newcomer types them, on a small stack with state of its own."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.programs.checkout import Checkout, left_in_docker, make_checkout

# The lines of README and docs/ that are Pulumi's and the shell's own, with what is typed behind them here so that
# nothing is asked and nothing may change.
BY_HAND = {
    'eval "$(lcdb env)"': "",
    "pulumi up --stack dev": "--yes --skip-preview --expect-no-changes",
    "pulumi preview --stack dev --diff": "--expect-no-changes",
    "pulumi stack output --stack dev": "",
    "pulumi stack init prod": "--no-select",
    "pulumi config set --stack prod --secret lifecompanion:adminPassword": "<<< s3cr3t-of-prod",
    "pulumi config set --stack prod lifecompanion:physicalBackups true": "",
}


@pytest.fixture
def newcomer(tmp_path: Path, suffix: str) -> Iterator[tuple[Checkout, str]]:
    """A checkout whose state is kept where `lcdb` keeps it, and the name of a stack like `test`."""
    checkout = make_checkout(tmp_path)
    name = f"walk{suffix}"
    (tmp_path / f"Pulumi.{name}.yaml").write_text((tmp_path / "Pulumi.test.yaml").read_text())
    keep = {"PULUMI_SKIP_UPDATE_CHECK", "PYTHONPATH", "NO_COLOR", "COLUMNS"}
    yield replace(checkout, env={key: value for key, value in checkout.env.items() if key in keep}), name
    assert left_in_docker(name) == []


def test_a_newcomer_walks_through_the_readme(newcomer: tuple[Checkout, str]) -> None:
    checkout, name = newcomer

    def lcdb(*words: str, status: int = 0) -> str:
        done = checkout.lcdb(*words, "--stack", name)
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout

    assert "environmental_readings" in lcdb("up")
    assert "nothing to change" in lcdb("up")
    for path, mode in ((".lcdb", 0o700), (".lcdb/state", 0o700), (".lcdb/passphrase", 0o600)):
        assert (checkout.root / path).stat().st_mode & 0o777 == mode, path

    lines = [f"{line} {rest}".replace("--stack dev", f"--stack {name}").replace("prod ", f"{name}prod ")
             for line, rest in BY_HAND.items()]
    by_hand = _by_hand(checkout, *lines, f"pulumi stack output primary --json --stack {name}")
    assert '"database": "lifecompanion"' in by_hand
    kept = (checkout.root / f"Pulumi.{name}prod.yaml").read_text()
    assert "lifecompanion:adminPassword:\n    secure: " in kept
    assert "s3cr3t-of-prod" not in kept + by_hand
    assert "lifecompanion:physicalBackups: \"true\"" in kept

    assert "lifecompanion-" + name in lcdb("report")
    assert "DB_CONNECTION=pgsql" in lcdb("outputs", "laravel")
    assert lcdb("schema", "plan", "--json").strip().startswith("{")
    assert json.loads(lcdb("schema", "plan", "--json"))["steps"] == []
    assert "as declared" in lcdb("schema", "check")
    assert "CREATE TABLE users" in lcdb("schema", "export")
    assert "loaded in" in lcdb("seed", "--days", "7", "--readings", "2000", "--activities", "500",
                               "--notifications", "20")
    assert "nothing to change" in lcdb("refresh")
    assert "0 unchanged" in lcdb("destroy", "--yes")


def _by_hand(checkout: Checkout, *lines: str) -> str:
    """Type these lines into one shell, with `lcdb` on the PATH."""
    binaries = checkout.root / "by-hand"
    binaries.mkdir()
    lcdb = binaries / "lcdb"
    lcdb.write_text('#!/bin/sh\nexec .venv/bin/python -c "from cli import main; main()" "$@"\n')
    lcdb.chmod(0o755)
    environment = {**os.environ, **checkout.env, "PATH": f"{binaries}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-ec", "\n".join(lines)], cwd=checkout.root, env=environment, capture_output=True,
                          text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
