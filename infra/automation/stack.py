"""Run a stack through Pulumi's Automation API, with the same program and files as `pulumi up` by hand."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any, TextIO

import yaml
from pulumi import automation as auto
from rich.console import Console

from backups.temporary_folders import scratch_folder
from infra.automation.failures import explain_output, unique
from infra.automation.leftovers import Run, remove_interrupted, remove_leftovers
from infra.automation.progress import Progress
from infra.automation.pulumi_cli import PLUGINS, find_cli
from infra.automation.stack_file import StackError, read_yaml, stack_config, stack_file, stack_target
from infra.automation.state import Backend, ensure_backend, find_backend
from infra.automation.unhealthy_containers import explain_unhealthy
from infra.folders import LOCAL, ROOT, stack_folder

HOLDER = re.compile(r"created by (?P<user>\S*)@(?P<host>\S+) \(pid (?P<pid>\d+)\) at (?P<since>\S+)")
SALT = re.compile(r"^encryptionsalt:.*\n?", re.MULTILINE)


@dataclass(frozen=True)
class Result:
    """The result of an operation: resources counted by what was done (create, same, ...), and the stack's outputs."""

    operation: str
    stack: str
    changes: Mapping[str, int]
    seconds: float
    outputs: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def changed(self) -> bool:
        """Whether anything was, or in a preview would be, created, changed or removed."""
        return any(count for word, count in self.changes.items() if word not in ("same", "read", "refresh"))

    def summary(self) -> str:
        """Write one line: `dev: resources: +12 ~0 -0, 5 unchanged, 14 s`, or that there was nothing to change."""
        same = self.changes.get("same", 0)
        if not self.changed:
            return f"{self.stack}: nothing to change ({same} resources as declared), {self.seconds:.0f} s"
        created, altered, removed = (sum(self.changes.get(word, 0) for word in words) for words in (
            ("create", "create-replacement", "import"), ("update", "replace"), ("delete", "delete-replaced")))
        return f"{self.stack}: resources: +{created} ~{altered} -{removed}, {same} unchanged, {self.seconds:.0f} s"


class Stack:
    """One stack of this project. All operations raise StackError, with one line for each cause."""

    def __init__(self, name: str, console: Console, *, root: Path = ROOT, local: Path = LOCAL) -> None:
        """Open the stack, and create it in its backend where it does not exist.

        Raises CliMissingError where the Pulumi CLI is missing and cannot be installed.
        """
        self.name, self.target = name, stack_target(name, root)
        self._backend: Backend = find_backend(local)
        self._cli = find_cli(local / "pulumi", PLUGINS[self.target])
        local.mkdir(mode=0o700, parents=True, exist_ok=True)
        ensure_backend(self._backend, local)
        self._console, self._root, self._folder = console, root, stack_folder(name, local)
        if self._backend.ours:
            # Pulumi takes the user's own passphrase before a file's; it is not the one of the state kept here.
            os.environ.pop("PULUMI_CONFIG_PASSPHRASE", None)
        workspace = self._workspace(root)
        try:
            self._stack = auto.Stack.select(name, workspace)
        except auto.StackNotFoundError:
            self._create()
            self._stack = auto.Stack.select(name, workspace)
        except auto.CommandError as error:
            raise StackError(f"stack {name}: {explain_output(str(error))}") from None

    def up(self) -> Result:
        """Make the stack what the program declares; changes nothing where it is so already."""
        self._find_backup()
        return self._operate("up", lambda **to: self._stack.up(show_secrets=False, **to))

    def preview(self, *, diff: bool = False) -> Result:
        """Report what `up` would change; with `diff`, as the Pulumi CLI prints it. Changes nothing."""
        return self._operate("preview", lambda **to: self._stack.preview(diff=diff, **to), aloud=diff)

    def refresh(self) -> Result:
        """Read the real resources into the state; drift is reported as changes. Changes nothing but the state."""
        return self._operate("refresh", lambda **to: self._stack.refresh(
            clear_pending_creates=True, show_secrets=False, **to))

    def destroy(self) -> Result:
        """Remove everything the stack created; the empty stack and its settings stay."""
        return self._operate("destroy", lambda **to: self._stack.destroy(show_secrets=False, **to))

    def outputs(self) -> dict[str, Any]:
        """Return the outputs of the last `up`, secrets included; empty where there was none."""
        try:
            return {name: output.value for name, output in self._stack.outputs().items()}
        except auto.CommandError as error:
            raise StackError(f"stack {self.name}: its outputs cannot be read: {explain_output(str(error))}") from None

    def export_state(self) -> dict[str, Any]:
        """Return the state as a Pulumi deployment, secrets in plain text: it must not be written to a file."""
        return dict(self._stack.export_stack().deployment or {})

    def config_secrets(self) -> dict[str, str]:
        """Return the secrets of the stack's config by full key, in plain text."""
        config = self._stack.workspace.get_all_config(self.name)
        return {key: value.value for key, value in config.items() if value.secret}

    def take_over(self, deployment: Mapping[str, Any], secrets: Mapping[str, str]) -> None:
        """Import this state and these secret settings into an empty stack. Raises StackError where it has resources."""
        own = self.export_state()
        if len(own.get("resources") or ()) > 1:
            raise StackError(f"stack {self.name}: is there already and has resources; give another name")
        with scratch_folder("state") as folder:
            file = folder / "state.json"
            with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
                # Under the new stack's own key: secrets come in plain text, and Pulumi encrypts them.
                state = {**deployment, **own, "resources": deployment["resources"]}
                json.dump({"version": 3, "deployment": state}, out)
            self._run_cli("stack", "import", "--file", str(file))
        for key, value in secrets.items():
            self._run_cli("config", "set", "--secret", key, stdin=value)  # everyone may read arguments
        if self._backend.ours:
            file = stack_file(self.name, self._root)
            file.write_text(SALT.sub("", file.read_text(encoding="utf-8")), encoding="utf-8")

    def _run_cli(self, *arguments: str, stdin: str = "") -> None:
        """Run a Pulumi command on this stack. Raises StackError with its error."""
        env = {**os.environ, **self._stack.workspace.env_vars}
        done = subprocess.run([self._cli.command, *arguments, "--stack", self.name, "--non-interactive"], input=stdin,
                              cwd=self._root, env=env, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise StackError(f"stack {self.name}: {explain_output(done.stderr or done.stdout)}")

    def _find_backup(self) -> None:
        """Where tables may be dropped, tell the providers whether a verified backup holds their rows."""
        from backups.errors import BackupError
        from backups.monitoring.verified_backup import is_backed_up
        from infra.handlers.schema_objects import BACKED_UP
        from schema.model.change.step import Hazard

        config = stack_config(self.name, self._root)
        allowed = [*config.get("allowHazards", ()), *chain.from_iterable((config.get("allow") or {}).values())]
        if Hazard.DROPS_TABLE not in allowed or Hazard.WITHOUT_BACKUP in config.get("allowHazards", ()):
            return
        try:
            backed_up = is_backed_up(self.outputs().get("backup"))
        except (BackupError, StackError) as error:
            self._console.print(f"no verified backup could be found: {error}", style="yellow", markup=False)
            return
        workspace = self._stack.workspace
        workspace.env_vars = {**workspace.env_vars, BACKED_UP: "yes" if backed_up else "no"}

    def _operate(self, operation: str, run: Callable[..., Any], *, aloud: bool = False) -> Result:
        since = time.monotonic()
        earlier = Run.from_log(self._folder / "log")
        try:
            progress, done, causes = self._attempt(operation, run, aloud)
        except auto.ConcurrentUpdateError as error:
            self._unlock(str(error))
            progress, done, causes = self._attempt(operation, run, aloud)
        removed = remove_leftovers(causes, self.name, earlier)
        if causes and progress.pending:
            removed += remove_interrupted(self._stack.export_stack().deployment or {})
        if removed:
            self._console.print(f"removed what a killed update left half-made: {', '.join(removed)}", style="yellow")
            progress, done, causes = self._attempt(operation, run, aloud)
        if causes:
            causes += explain_unhealthy(self.name) if self.target == "docker" else []
            causes.append(f"{operation} of {self.name} did not finish; what was done is recorded, run it again "
                          f"to go on (full log: {self._shown(self._folder / 'log')})")
            raise StackError("\n".join(causes))
        if progress.pending and operation == "up":
            self._console.print("an earlier update was cut short; what it left half-way is settled now", style="dim")
            self.refresh()
        outputs = {name: output.value for name, output in getattr(done, "outputs", {}).items()}
        return Result(operation, self.name, progress.changes, time.monotonic() - since, outputs)

    def _attempt(self, operation: str, run: Callable[..., Any], aloud: bool) -> tuple[Progress, Any, list[str]]:
        """Run once; returns the progress seen, Pulumi's result, and the causes where it failed."""
        progress = Progress(self._console, f"{operation} {self.name}", planning=operation == "preview")
        with self._log() as log, progress.live():
            def note(line: str) -> None:
                print(line, file=log, flush=True)
                if aloud and not line.startswith("@ "):
                    self._console.out(line, highlight=False)
            try:
                done = run(on_event=progress, on_output=note, on_error=note, color="never",
                           parallel=1 if self.target == "embedded" else None, config_file=self._config_file())
            except auto.ConcurrentUpdateError:
                raise
            except auto.CommandError as error:
                return progress, None, unique(progress.errors) or [explain_output(str(error))]
        return progress, done, []

    def _workspace(self, folder: Path) -> auto.LocalWorkspace:
        # The plugins are installed already; a search for others costs seconds at each start without a network.
        env = {**self._backend.env, "PULUMI_SKIP_UPDATE_CHECK": "true", "PULUMI_OPTION_SKIP_PLUGIN_PRE_INSTALL": "true"}
        return auto.LocalWorkspace(work_dir=str(folder), env_vars=env, pulumi_command=self._cli)

    def _create(self) -> None:
        """Create the stack; with our own backend in another folder, as Pulumi writes a salt into the stack's file."""
        try:
            if not self._backend.ours:
                auto.Stack.create(self.name, self._workspace(self._root))
                return
            with tempfile.TemporaryDirectory(dir=self._folder) as folder:
                project = {"name": read_yaml(self._root / "Pulumi.yaml")["name"], "runtime": "python"}
                (Path(folder) / "Pulumi.yaml").write_text(yaml.safe_dump(project), encoding="utf-8")
                auto.Stack.create(self.name, self._workspace(Path(folder)))
        except auto.CommandError as error:
            raise StackError(f"stack {self.name}: cannot be created: {explain_output(str(error))}") from None

    def _config_file(self) -> str | None:
        """A copy of the committed stack file for Pulumi to write its salt into; None for the user's own backend."""
        if not self._backend.ours:
            return None
        committed = stack_file(self.name, self._root)
        copy = self._folder / committed.name
        copy.write_text(SALT.sub("", committed.read_text(encoding="utf-8")), encoding="utf-8")
        return str(copy)

    def _unlock(self, message: str) -> None:
        """Remove the lock of an update whose process is gone. Raises StackError where it may still run."""
        holders = list(HOLDER.finditer(message))
        alive = [h for h in holders if h["host"] != socket.gethostname() or _runs_pulumi(int(h["pid"]))]
        if alive or not holders:
            who = "; ".join(f"process {h['pid']} of {h['user']} on {h['host']}, since {h['since']}" for h in alive)
            raise StackError(f"stack {self.name}: another update is going on ({who or 'holder unknown'}); "
                             "wait for its end")
        self._stack.cancel()
        self._console.print(f"{self.name}: removed the lock of an update that was killed (process {holders[0]['pid']})",
                            style="yellow")

    @contextmanager
    def _log(self) -> Iterator[TextIO]:
        with open(os.open(self._folder / "log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w",
                  encoding="utf-8") as log:
            print(datetime.now(UTC).isoformat(), file=log, flush=True)
            yield log

    def _shown(self, path: Path) -> Path:
        return path.relative_to(self._root) if path.is_relative_to(self._root) else path


def _runs_pulumi(pid: int) -> bool:
    """Whether the process exists and, where /proc shows its name, is a Pulumi CLI."""
    try:
        os.kill(pid, 0)
        return "pulumi" in (Path("/proc") / str(pid) / "comm").read_text(encoding="utf-8")
    except ProcessLookupError:
        return False
    except (PermissionError, OSError):
        return True
