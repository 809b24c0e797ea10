"""A small Pulumi project in its own folder, without a server, for tests of what drives stacks."""

from __future__ import annotations

import io
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from infra.automation.stack import Stack

PROGRAM = """
import pulumi, things
config = pulumi.Config("toy")
for number in range(config.require_int("count")):
    things.Thing(f"thing-{number}", value=config.get("value") or "a")
pulumi.export("count", config.require_int("count"))
pulumi.export("word", pulumi.Output.secret("hush-hush"))
"""
THINGS = """
import os, pathlib, time
import pulumi
from pulumi.dynamic import CreateResult, DiffResult, Resource, ResourceProvider, UpdateResult

class ThingError(Exception):
    pass

class Things(ResourceProvider):
    serialize_as_secret_always = False
    def create(self, props):
        if props["value"] == "bad":
            raise ThingError("table readings: found no shard, required one; create it")
        if props["value"] == "slow":
            pathlib.Path("started").touch()
            time.sleep(600)
        return CreateResult("x", props)
    def diff(self, id, old, new):
        return DiffResult(changes=old["value"] != new["value"])
    def update(self, id, old, new):
        return UpdateResult(self.create(new).outs)

class Thing(Resource, module="toy", name="Thing"):
    value: pulumi.Output[str]
    def __init__(self, name, value):
        super().__init__(Things(), name, {"value": value})
"""


@dataclass
class Toy:
    """The project in `root`, committed to git, with its stack `dev`."""

    root: Path

    @property
    def local(self) -> Path:
        """The folder of the stack's state."""
        return self.root / ".lcdb"

    def write(self, **config: object) -> None:
        """Write the stack's settings, with a comment that must survive a change."""
        lines = ["# a comment that stays", "config:", "  lifecompanion:target: embedded",
                 *(f"  toy:{key}: {value}  # beside" for key, value in config.items())]
        (self.root / "Pulumi.dev.yaml").write_text("\n".join(lines) + "\n")

    def open(self) -> tuple[Stack, io.StringIO]:
        """Return the stack, and its console's output."""
        output = io.StringIO()
        return Stack("dev", Console(file=output, width=200), root=self.root, local=self.local), output

    def git_status(self) -> str:
        """Return what git reports as changed; empty for nothing."""
        return subprocess.run(["git", "status", "--short"], cwd=self.root, capture_output=True, text=True,
                              check=True).stdout


def make_toy(root: Path) -> Toy:
    """Write the project into `root` and commit it."""
    (root / "Pulumi.yaml").write_text(
        f"name: toy\nruntime:\n  name: python\n  options:\n    virtualenv: {sys.prefix}\n")
    (root / "__main__.py").write_text(PROGRAM)
    (root / "things.py").write_text(THINGS)
    (root / ".gitignore").write_text(".lcdb/\n__pycache__/\nstarted\n")
    toy = Toy(root)
    toy.write(count=2)
    for command in (["init", "-q"], ["add", "-A"],
                    ["-c", "user.name=toy", "-c", "user.email=toy@localhost", "commit", "-qm", "toy"]):
        subprocess.run(["git", *command], cwd=root, check=True)
    return toy
