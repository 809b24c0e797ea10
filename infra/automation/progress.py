"""Show the progress of an update from Pulumi's engine events: each resource, its operation and its seconds."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from pulumi.automation import DiagnosticEvent, EngineEvent, StepEventMetadata
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from infra.automation.failures import explain
from infra.local.notices import PREFIX

# operation: sign, colour, word while it runs, word when it is done
WORDS = {
    "create": ("+", "green", "creating", "created"),
    "create-replacement": ("+", "green", "creating anew", "created anew"),
    "update": ("~", "yellow", "updating", "updated"),
    "replace": ("±", "yellow", "replacing", "replaced"),
    "delete": ("-", "red", "deleting", "deleted"),
    "delete-replaced": ("-", "red", "deleting the old one of", "deleted the old one of"),
    "import": ("=", "cyan", "importing", "imported"),
    "refresh": (" ", "dim", "reading", "read"),
    "read": (" ", "dim", "reading", "read"),
}
QUIET = frozenset({"same", "refresh", "read", "replace"})
# Messages of the CLI about itself, not about the stack.
NOISE = ("from $PATH", "pending operations from previous deployment", "A new version of Pulumi")
PENDING = "interrupted while"


@dataclass
class Running:
    """A resource operation under way; `status` is the provider's latest message."""

    label: str
    operation: str
    since: float = field(default_factory=time.monotonic)
    status: str = ""


class Progress:
    """Takes engine events from any thread and shows them; keeps counts and errors for the summary."""

    def __init__(self, console: Console, title: str, *, planning: bool = False) -> None:
        """Show on `console`; `planning` words each operation as what would be done, with its SQL."""
        self.changes: Mapping[str, int] = {}
        self.errors: list[str] = []
        self.pending = False
        self._console, self._title, self._planning = console, title, planning
        self._running: dict[str, Running] = {}
        self._printed: set[str] = set()
        self._since = time.monotonic()
        self._lock = threading.Lock()

    @contextmanager
    def live(self) -> Iterator[None]:
        """Within it, show running operations in place on a terminal; elsewhere print only finished ones."""
        if not self._console.is_terminal:
            yield
            return
        with Live(get_renderable=self._render, console=self._console, refresh_per_second=5, transient=True):
            yield

    def __call__(self, event: EngineEvent) -> None:
        """Handle one engine event."""
        with self._lock:
            if event.resource_pre_event:
                self._start(event.resource_pre_event.metadata)
            elif event.res_outputs_event:
                self._finish(event.res_outputs_event.metadata, failed=False)
            elif event.res_op_failed_event:
                self._finish(event.res_op_failed_event.metadata, failed=True)
            elif event.diagnostic_event:
                self._diagnose(event.diagnostic_event)
            elif event.summary_event:
                self.changes = {str(getattr(op, "value", op)): count
                                for op, count in event.summary_event.resource_changes.items()}

    def _start(self, step: StepEventMetadata) -> None:
        if step.op.value != "same" and not _internal(step):
            self._running[step.urn] = Running(_label(step.urn), step.op.value)

    def _finish(self, step: StepEventMetadata, *, failed: bool) -> None:
        running = self._running.pop(step.urn, None)
        operation = step.op.value
        if _internal(step) or (operation in QUIET and not failed):
            return
        sign, colour, _, done = WORDS.get(operation, ("?", "white", operation, operation))
        seconds = "" if running is None or self._planning else f"  {time.monotonic() - running.since:.1f} s"
        keys = f"  [{', '.join(_differing(step))}]" if operation == "update" and _differing(step) else ""
        words = "failed" if failed else f"would be {done}" if self._planning else done
        self._console.print(Text(f"{'!' if failed else sign} {_label(step.urn)}  {words}{seconds}{keys}",
                                 style="bold red" if failed else colour), soft_wrap=True)
        for line in _plan(step) if self._planning else ():
            self._console.print(Text(f"    {line}", style="dim"), soft_wrap=True)

    def _diagnose(self, event: DiagnosticEvent) -> None:
        urn = event.urn or ""
        if event.ephemeral:
            if urn in self._running:
                self._running[urn].status = " ".join(event.message.split())
            return
        if PENDING in event.message:
            self.pending = True
        if event.severity == "error":
            name = None if not urn or "pulumi:pulumi:Stack" in urn else urn.rsplit("::", 1)[-1]
            self.errors.append(explain(event.message, name))
        elif event.severity == "info#err" and event.message.startswith(PREFIX):
            self._print(event.message.removeprefix(PREFIX).strip(), "dim")
        elif event.severity in ("warning", "info") and not any(word in event.message for word in NOISE):
            self._print(event.message.strip(), "yellow" if event.severity == "warning" else "dim")

    def _print(self, message: str, style: str) -> None:
        """Print a message of the program or a provider, once."""
        if message and message not in self._printed:
            self._printed.add(message)
            self._console.print(Text(message, style=style), soft_wrap=True)

    def _render(self) -> Table:
        with self._lock:
            table = Table.grid(padding=(0, 2))
            now = time.monotonic()
            table.add_row(Text(self._title, style="bold"), f"{now - self._since:.0f} s")
            for running in self._running.values():
                sign, colour, going, _ = WORDS.get(running.operation, ("?", "white", running.operation, ""))
                table.add_row(Text(f"{sign} {running.label}  {going}", style=colour),
                              f"{now - running.since:.0f} s", Text(running.status[:80], style="dim"))
            return table


def _differing(step: StepEventMetadata) -> list[str]:
    """The properties whose values an update changes, or in which a refresh found drift."""
    if step.detailed_diff:
        return sorted(step.detailed_diff)
    old, new = ((state.outputs or {}) if state else {} for state in (step.old, step.new))
    return sorted(key for key in new if key not in ("plan", "facts", "__provider") and old.get(key) != new[key])


def _plan(step: StepEventMetadata) -> list[str]:
    """The plan in the inputs of a resource: SQL statements, or changes to the bucket."""
    lines = (step.new.inputs or {}).get("plan") if step.new else None
    return [str(line) for line in lines] if isinstance(lines, list) else []


def _internal(step: StepEventMetadata) -> bool:
    """Whether it is the stack itself or a default provider, which Pulumi adds by itself."""
    return step.type.startswith(("pulumi:pulumi:Stack", "pulumi:providers:"))


def _label(urn: str) -> str:
    """`urn:...::docker:index/container:Container::primary` becomes `Container primary`."""
    *_, kind, name = urn.split("::")
    return f"{kind.rsplit(':', 1)[-1]} {name}"
