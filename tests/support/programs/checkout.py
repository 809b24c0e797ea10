"""A checkout of this project in its own folder, with its own stacks, driven by the real Pulumi CLI."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from infra.local.processes import port_is_free
from infra.settings import PORTS_PER_STACK
from schema.connection import Address

ROOT = Path(__file__).resolve().parents[3]
PASSPHRASE = "only for tests"


@dataclass(frozen=True)
class Checkout:
    """A copy of the work tree; state, caches and logs of its stacks lie inside."""

    root: Path
    env: Mapping[str, str] = field(repr=False)

    def lcdb(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command line as a user would, in this copy."""
        return subprocess.run([sys.executable, "-c", "from cli import main; main()", *arguments], cwd=self.root,
                              env={**os.environ, **self.env}, capture_output=True, text=True, timeout=900, check=False)

    def pulumi(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the Pulumi CLI by hand, in this copy."""
        return subprocess.run(["pulumi", *arguments, "--non-interactive"], cwd=self.root,
                              env={**os.environ, **self.env}, capture_output=True, text=True, timeout=900, check=False)

    def stack(self, name: str, config: Mapping[str, Any], secret: Mapping[str, str] | None = None) -> Stack:
        """Declare a stack with this config (keys without namespace); only the backend knows it, nothing is up yet."""
        path = self.root / f"Pulumi.{name}.yaml"
        values = {"port": free_ports(), **config}
        path.write_text(yaml.safe_dump({"config": {f"lifecompanion:{key}": value for key, value in values.items()}}))
        require_done(self.pulumi("stack", "init", name, "--no-select"))
        stack = Stack(self, name)
        for key, value in (secret or {}).items():
            stack.set(key, value, secret=True)
        return stack

    def existing(self, name: str) -> Stack:
        """Return a stack that the program created itself."""
        return Stack(self, name)


@dataclass(frozen=True)
class Stack:
    """One stack of a checkout. Its outputs are read once after each of its own updates: every call of the CLI takes a
    second."""

    checkout: Checkout
    name: str
    _read: dict[str, Any] = field(default_factory=dict, repr=False)

    def up(self) -> Mapping[str, int]:
        """Run `pulumi up`; return the number of resources by operation."""
        return self._change("up")

    def refresh(self) -> Mapping[str, int]:
        """Run `pulumi refresh`; return the number of resources by operation."""
        return self._change("refresh")

    def destroy(self) -> None:
        """Run `pulumi destroy`."""
        self._change("destroy")

    def preview(self) -> str:
        """Return the output of `pulumi preview --diff`."""
        return require_done(self.checkout.pulumi("preview", "--diff", "--color", "never", "--stack", self.name))

    def set(self, key: str, value: str, *, path: bool = False, secret: bool = False) -> None:
        """Set a key, or with `path` an element of it such as allow.warm[0]."""
        options = [*(["--path"] if path else []), *(["--secret"] if secret else [])]
        require_done(self.checkout.pulumi("config", "set", *options, "--stack", self.name,
                                          f"lifecompanion:{key}", value))

    def outputs(self) -> dict[str, Any]:
        """Return the stack's outputs, secrets in plain text."""
        if not self._read:
            self._read.update(json.loads(require_done(self.checkout.pulumi(
                "stack", "output", "--json", "--show-secrets", "--stack", self.name))))
        return dict(self._read)

    def address(self, role: str = "admin", port: int | None = None) -> Address:
        """Return a role's login from the outputs; `port` selects a replica."""
        login = self.outputs()["logins"][role]
        address = Address.from_dict(login)
        return Address(**{**address.to_dict(), "port": port}) if port else address

    def query(self, sql: str, role: str = "admin", port: int | None = None) -> list[tuple[Any, ...]]:
        """Run one statement as this role; return its rows."""
        with self.address(role, port).connect() as connection:
            cursor = connection.execute(sql.encode())
            return cursor.fetchall() if cursor.description else []

    def state(self) -> str:
        """Return the exported state as text, secrets encrypted."""
        return self.checkout.pulumi("stack", "export", "--stack", self.name).stdout

    def _change(self, operation: str) -> Mapping[str, int]:
        """Run it; return the number of resources by operation."""
        self._read.clear()
        with tempfile.TemporaryDirectory() as folder:
            events = Path(folder) / "events"
            require_done(self.checkout.pulumi(operation, "--yes", "--skip-preview", "--color", "never",
                                              "--event-log", str(events), "--stack", self.name))
            summaries = [event["summaryEvent"] for event in map(json.loads, events.read_text().splitlines())
                         if "summaryEvent" in event]
        return dict(summaries[-1]["resourceChanges"] or {})


def require_done(done: subprocess.CompletedProcess[str]) -> str:
    """Return what it printed; fail unless its exit status is 0."""
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def make_checkout(folder: Path) -> Checkout:
    """Copy the work tree (tracked and new files) to `folder`; the environment and installed programs are shared."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True,
                            text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    (folder / ".venv").symlink_to(Path(sys.prefix))
    packages = ROOT / ".lcdb" / "packages"
    packages.mkdir(parents=True, exist_ok=True)
    (folder / ".lcdb").mkdir(mode=0o700)
    (folder / ".lcdb" / "packages").symlink_to(packages)
    state = folder / ".state"
    state.mkdir()
    return Checkout(folder, {
        "PULUMI_BACKEND_URL": f"file://{state}", "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
        "PULUMI_SKIP_UPDATE_CHECK": "true", "PULUMI_DEBUG_COMMANDS": "true", "PYTHONPATH": str(folder), "NO_COLOR": "1",
        "COLUMNS": "200"})


def free_ports() -> int:
    """Return the first of ten consecutive free ports."""
    while True:
        first = random.randrange(10_000, 20_000, PORTS_PER_STACK)  # what is above, single servers take
        if all(port_is_free(port) for port in range(first, first + PORTS_PER_STACK)):
            return first


def names_in_docker(kind: Sequence[str], stack: str) -> list[str]:
    """List the names of a stack's containers, volumes or networks; `kind` is as in `docker <kind> ls`."""
    listed = subprocess.run(["docker", *kind], capture_output=True, text=True, check=True).stdout.split()
    return [name for name in listed if f"lifecompanion-{stack}" in name]


def left_in_docker(stack: str) -> list[str]:
    """List everything of a stack that the engine still has."""
    return [name for kind in (["ps", "-a", "--format", "{{.Names}}"], ["volume", "ls", "-q"],
                              ["network", "ls", "--format", "{{.Name}}"]) for name in names_in_docker(kind, stack)]
