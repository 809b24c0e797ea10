"""The corpus of schemas through the whole tool.

`python -m tests.support.schemas.corpus [--quick] [names]` prints a table, file by stage; quick is without the changes
and the backup.

Each file of tests/corpus is loaded by psql, adopted, planned, exported, applied to an empty database, changed in five
ways, backed up and restored. A stage that fails is recorded with the first line of its fault; the others go on.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from backups.restoring.held_jobs import read_held, release_jobs
from backups.restoring.restore import restore_logical
from cli.declarations import run
from infra.local.client_programs import install_client_programs
from schema.apply import ensure, plan
from schema.comparison.compare import Options
from schema.connection import Address
from schema.export.adoption import Adopted, adopt
from schema.export.plain_sql import dump
from schema.export.python_source import python
from schema.model.change.step import Hazard
from tests.support.backed_up import Backed, bucket_for
from tests.support.running.s3_servers import seaweedfs
from tests.support.running.servers import TEMPLATE, Database, Server, create_template, running
from tests.support.schemas.corpus_catalog import client_environment, find_differences, read_contents, read_sections

FOLDER = Path(__file__).parents[2] / "corpus"
CHANGES = 5
QUICK = ("load", "adopt", "plan", "export", "dump", "fresh")
STAGES = (*QUICK, *(f"change {number}" for number in range(1, CHANGES + 1)), "backup")
WORKERS = 2
WHOLE = Options(whole_schema=True, attempts=2)
_MARKER = re.compile(r"^-- change: .*$", re.MULTILINE)
_PSQL = ("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", "-")


class FaultError(Exception):
    """A stage did not do what it has to; the message's first line says what."""


def names() -> list[str]:
    """Return the names of the files, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.sql") if not path.stem.endswith(".changes"))


def read_changes(name: str) -> list[str]:
    """Return the five changes of a file as SQL. Raises ValueError for another number of them."""
    blocks = _MARKER.split((FOLDER / f"{name}.changes.sql").read_text(encoding="utf-8"))[1:]
    if len(blocks) != CHANGES:
        raise ValueError(f"{name}.changes.sql: found {len(blocks)} changes, required {CHANGES}; begin each with "
                         "`-- change: `")
    return blocks


@dataclass
class Trial:
    """One file on its way through the stages; `faults` has a line for each stage that failed, `seconds` its time."""

    name: str
    server: Server
    room: Backed
    stages: Sequence[str] = STAGES
    faults: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    _databases: list[str] = field(default_factory=list)

    def run(self) -> Trial:
        """Go through the stages, and drop the databases afterwards; what stands on a failed stage is not reached."""
        try:
            if self._passes("load", self._load):
                if "backup" in self.stages:
                    self._passes("backup", self._back_up)
                if "adopt" in self.stages and self._passes("adopt", self._adopt):
                    self._passes("plan", lambda: self._require_planned(""))
                    if self._passes("export", self._export):
                        self._passes("dump", lambda: self._require_equal("", "_exported", self.remarks))
                    self._passes("fresh", self._apply_to_empty)
                if "change 1" in self.stages:
                    self._change()
        finally:
            self._drop()
        return self

    def passed(self, stage: str) -> bool:
        """Whether the stage was reached and did what it has to."""
        return stage in self.seconds and stage not in self.faults

    def _passes(self, stage: str, action: Callable[[], object]) -> bool:
        since = time.monotonic()
        try:
            action()
        except Exception as error:
            text = str(error).strip() or type(error).__name__
            known = type(error).__module__.split(".")[0] in ("schema", "backups", "cli", "tests")
            self.faults[stage] = ("" if known else f"{type(error).__name__}: ") + " ".join(text.splitlines()[0].split())
        self.seconds[stage] = round(time.monotonic() - since, 1)
        return stage not in self.faults

    def _load(self) -> None:
        self._create("")
        self._psql("", (FOLDER / f"{self.name}.sql").read_text(encoding="utf-8"))

    def _adopt(self) -> None:
        self._live = adopt(self._address())
        self.remarks = self._live.remarks
        _require_written(self._live)

    def _export(self) -> None:
        self._create("_exported")
        self._psql("_exported", dump(self._live.objects))
        self._require_planned("_exported")

    def _apply_to_empty(self) -> None:
        self._create("_fresh")
        ensure(self._address("_fresh"), self._live.objects, options=WHOLE)
        self._require_planned("_fresh")

    def _change(self) -> None:
        """Make each change in a copy, adopt that, apply it to the original. Both are equal before each change."""
        self._create("_changed", f"corpus_{self.name}")
        for number, change in enumerate(read_changes(self.name), 1):
            self._psql("_changed", change)
            if not self._passes(f"change {number}", self._apply_change) and number < CHANGES:
                self._create("", f"corpus_{self.name}_changed")

    def _apply_change(self) -> None:
        wanted = adopt(self._address("_changed"))
        left_out = frozenset(remark.split(": ")[0] for remark in wanted.remarks)
        options = replace(WHOLE, allow=frozenset(Hazard), protect=left_out, backed_up=True)
        ensure(self._address(), wanted.objects, options=options)
        self._require_equal("_changed", "")

    def _back_up(self) -> None:
        backed = replace(self.room, database=Database(self.server, self._address(), self._address()))
        name = f"corpus_{self.name}_restored"
        self._databases.append(name)
        restore_logical(backed.store, backed.ring, backed.back_up(), backed.admin, name, image=backed.image)
        restored = self._address("_restored")
        with restored.connect() as connection:
            held = read_held(connection)
        if held is not None:
            release_jobs(restored)
        before, after = read_contents(self._address()), read_contents(restored)
        for relation in before.keys() | after.keys():
            if before.get(relation) != after.get(relation):
                raise FaultError(f"{relation}: {before.get(relation)} in the original, {after.get(relation)} restored")
        self._require_equal("", "_restored")

    def _require_equal(self, wanted: str, found: str, remarks: Sequence[str] = ()) -> None:
        before, after = read_sections(self._address(wanted)), read_sections(self._address(found))
        lines = list(find_differences(before, after, remarks))
        if lines:
            raise FaultError(f"{len(lines)} lines differ: {' | '.join(lines[:12])}")

    def _require_planned(self, suffix: str) -> None:
        steps = plan(self._address(suffix), self._live.objects, options=WHOLE).steps
        if steps:
            shown = " | ".join(" ".join(step.render().split())[:200] for step in steps[:6])
            raise FaultError(f"{len(steps)} steps: {shown}")

    def _address(self, suffix: str = "") -> Address:
        return replace(self.server.admin, database=f"corpus_{self.name}{suffix}")

    def _create(self, suffix: str, template: str = TEMPLATE) -> None:
        name = f"corpus_{self.name}{suffix}"
        self._databases.append(name)
        with self.server.admin.connect() as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'.encode())

    def _drop(self) -> None:
        with self.server.admin.connect() as connection:
            for name in dict.fromkeys(self._databases):
                connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())

    def _psql(self, suffix: str, text: str) -> None:
        run_sql(self._address(suffix), text)


def run_sql(address: Address, text: str, *, timeout: float | None = None) -> None:
    """Have psql run a script. Raises FaultError with what it says, by line, at the first error."""
    done = subprocess.run(_PSQL, input=text, capture_output=True, text=True, check=False, timeout=timeout,
                          env=client_environment(address))
    if done.returncode:
        raise FaultError(done.stderr.replace("psql:<stdin>:", "line "))


def _require_written(live: Adopted) -> None:
    if run(python(live.objects, "Of the corpus.", live.remarks), Path("adopted.py")) != live.objects:
        raise FaultError("the declaration that was written is not what was read")


@contextmanager
def rooms(folder: Path) -> Iterator[tuple[Server, Backed]]:
    """Start a server and a bucket for trials; programs of the server's version come first on the PATH meanwhile."""
    path = os.environ["PATH"]
    os.environ["PATH"] = f"{install_client_programs()}{os.pathsep}{path}"
    for part in ("server", "s3"):
        (folder / part).mkdir()
    try:
        with running("official", folder / "server", max_connections="200") as server, seaweedfs(folder / "s3") as s3:
            create_template(server)
            yield server, bucket_for(Database(server, server.admin, server.admin), s3.login)
    finally:
        os.environ["PATH"] = path


def main(arguments: Sequence[str]) -> None:
    """Print the faults of these files, or of all, then a table with the number of files that pass each stage."""
    stages = QUICK if "--quick" in arguments else STAGES
    chosen = [argument for argument in arguments if argument != "--quick"] or names()
    with (tempfile.TemporaryDirectory(prefix="corpus") as folder, rooms(Path(folder)) as (server, room),
          ThreadPoolExecutor(WORKERS) as pool):
        running_trials = [pool.submit(Trial(name, server, room, stages).run) for name in chosen]
        trials = [_shown(done.result()) for done in as_completed(running_trials)]
    print("\n| stage | passed |\n|---|---|")
    for stage in stages:
        print(f"| {stage} | {sum(trial.passed(stage) for trial in trials)} of {len(trials)} |")


def _shown(trial: Trial) -> Trial:
    seconds = " ".join(f"{trial.seconds[stage]:.0f}" if trial.passed(stage) else "-" for stage in trial.stages)
    print(f"\n{trial.name}: {seconds}  ({len(trial.remarks)} remarks)")
    for remark in trial.remarks:
        print(f"    remark: {remark}")
    for stage in trial.stages:
        if stage in trial.faults:
            print(f"    {stage}: {trial.faults[stage]}", flush=True)
    return trial


if __name__ == "__main__":
    main(sys.argv[1:])
