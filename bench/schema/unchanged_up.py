"""`pulumi up` with nothing to do: the whole stack against its docker and postgresql resources alone, run by run."""

from __future__ import annotations

import os
import secrets
import tempfile
import time
from pathlib import Path

from bench.report.keeping import keep
from tests.support.programs.checkout import Checkout, Stack, make_checkout

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
WHOLE_STACK, ALONE = "whole stack", "docker and postgresql resources alone"
GOALS = {(WHOLE_STACK, ALONE): 1.5}
ROLES = ("owner", "app", "readonly", "backup", "monitor", "replicator")
WHOLE = {"target": "docker", "image": "auto", "memory": "512MiB", "replicas": 1, "onUnsupported": "skip", "seed": True,
         "s3": "local", "s3OnUnsupported": "warn", "allowBucketDeletion": True}
BARE = {**WHOLE, "seed": False, "s3": "none"}
# The same program without its dynamic resources: passwords are given, nothing is declared inside the database.
BARE_PROGRAM = """\
from infra.program.access import declare_access
from infra.settings import read_settings
from infra.targets import declare_server

settings = read_settings()
server = declare_server(settings)
access = declare_access(settings, server)
access.declare_reads(server)
"""


def run() -> None:
    """Bring both stacks up, time unchanged updates in turn, take both away."""
    name = secrets.token_hex(3)
    with tempfile.TemporaryDirectory(prefix="lcdb-bench-") as folder:
        whole, bare = _checkout(Path(folder) / "whole"), _checkout(Path(folder) / "bare")
        (bare.root / "__main__.py").write_text(BARE_PROGRAM)
        access = bare.root / "infra" / "program" / "access.py"
        whole_text = access.read_text()
        access.write_text(whole_text.replace("    DatabaseSettings(", "    (lambda *_, **__: None)("))
        assert access.read_text() != whole_text, "the baseline still declares a dynamic resource"
        given = {"adminPassword": secrets.token_hex(12),
                 "passwords": "{" + ", ".join(f'"{role}": "{secrets.token_hex(12)}"' for role in ROLES) + "}"}
        stacks = {WHOLE_STACK: whole.stack(f"bench{name}a", WHOLE),
                  ALONE: bare.stack(f"bench{name}b", BARE, given)}
        try:
            first = {way: _seconds(stack) for way, stack in stacks.items()}
            print("first up:", {way: round(seconds, 1) for way, seconds in first.items()})
            seconds: dict[str, list[float]] = {way: [] for way in stacks}
            for _ in range(ROUNDS):
                for way, stack in stacks.items():
                    seconds[way].append(_seconds(stack, unchanged=True))
        finally:
            for stack in stacks.values():
                stack.destroy()
    keep("unchanged_up", "`pulumi up --skip-preview` of the whole stack, with nothing to do", (ALONE,), seconds, GOALS)


def _checkout(folder: Path) -> Checkout:
    folder.mkdir()
    return make_checkout(folder)


def _seconds(stack: Stack, *, unchanged: bool = False) -> float:
    since = time.monotonic()
    done = stack.checkout.pulumi("up", "--yes", "--skip-preview", "--stack", stack.name)
    taken = time.monotonic() - since
    if done.returncode != 0 or (unchanged and "unchanged" not in done.stdout):
        raise SystemExit(f"bench: {stack.name}: the update failed:\n{done.stdout}{done.stderr}")
    return taken
