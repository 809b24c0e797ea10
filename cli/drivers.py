"""The stack that a command works on, run by the Pulumi CLI or, without one, in this process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from rich.console import Console

from infra.automation.pulumi_cli import CliMissingError
from infra.automation.stack import Result, Stack
from infra.automation.stack_file import StackError, stack_target
from infra.inprocess import runner
from infra.inprocess.resources import Event
from infra.inprocess.takeover import into_process, into_pulumi, is_here
from infra.local.checkouts import note_checkout
from infra.local.docker_ping import docker_answers
from infra.local.notices import show_by

DOCKER_SECONDS = 5
# The stack of a command without --stack: where a Docker engine answers, and where none does.
DEFAULTS = ("dev", "embedded")


class Driver(Protocol):
    """The operations on a stack. All raise StackError, with one line for each cause."""

    def up(self) -> Result:
        """Make the stack what the program declares; changes nothing where it is so already."""

    def preview(self, *, diff: bool = False) -> Result:
        """Report what `up` would change; with `diff`, property by property. Changes nothing."""

    def refresh(self) -> Result:
        """Read the real resources into the state, and report what differs."""

    def destroy(self) -> Result:
        """Remove everything the stack created, with its data."""

    def outputs(self) -> Mapping[str, Any]:
        """Return the outputs of the last `up`, secrets included; empty where there was none."""


class InProcess:
    """Runs a stack's program in this process, without a Pulumi CLI; keeps a record of its own and no Pulumi state."""

    def __init__(self, name: str, console: Console) -> None:
        """Drive stack `name`; progress goes to `console`."""
        self.name = name
        self._console = console
        show_by(lambda line: console.print(line, style="dim", markup=False, soft_wrap=True))

    def up(self) -> Result:
        """Make the stack what the program declares; resources that it no longer declares stay."""
        return runner.run(self.name, on_event=self._show)

    def preview(self, *, diff: bool = False) -> Result:
        """Report what `up` would change; `diff` has no effect. Changes nothing."""
        return runner.run(self.name, preview=True, on_event=self._show)

    def refresh(self) -> Result:
        """Raise StackError: there is no Pulumi state to refresh."""
        raise StackError(f"{self.name}: without a Pulumi CLI there is no state to refresh; `up` repairs what differs")

    def destroy(self) -> Result:
        """Remove what earlier runs in a process created, with its data."""
        return runner.destroy(self.name, on_event=self._show)

    def outputs(self) -> Mapping[str, Any]:
        """Return the outputs of the last `up`, secrets included; empty where there was none."""
        return runner.outputs(self.name)

    def _show(self, event: Event) -> None:
        if event.operation != "same":
            self._console.print(str(event), markup=False, soft_wrap=True)
            for line in event.plan:
                self._console.print(f"    {line}", style="dim", markup=False, highlight=False, soft_wrap=True)


def open_driver(stack: str | None, console: Console) -> tuple[str, Driver]:
    """Open `stack`, else dev where a Docker engine answers, else embedded; returns its name and its driver.

    Without `stack`, prints to `console` which one was chosen and why. Raises StackError.
    """
    name = stack or ("dev" if docker_answers(DOCKER_SECONDS) else "embedded")
    if not stack and name == "embedded":
        console.print("no Docker engine answers: stack embedded, for trials and tests", style="yellow")
    note_checkout()
    try:
        driver = Stack(name, console)
    except CliMissingError as error:
        return _without_cli(name, str(error), console, asked=stack is not None)
    into_pulumi(driver, console)
    if not stack:
        _name_other(name, console)
    return name, driver


def _without_cli(name: str, reason: str, console: Console, *, asked: bool) -> tuple[str, Driver]:
    if stack_target(name) == "docker":
        if asked:
            raise StackError(f"stack {name}: target docker needs the Pulumi CLI ({reason}); install Pulumi, "
                             "or take the stack embedded")
        name = "embedded"
        console.print("stack embedded in place of dev: target docker needs the Pulumi CLI", style="yellow")
    console.print(f"{reason}\nthe program runs in this process instead, without Pulumi state: there is no history "
                  "and no refresh, and what is no longer declared is not removed", style="yellow", soft_wrap=True)
    into_process(name, console)
    if not asked:
        _name_other(name, console)
    return name, InProcess(name, console)


def _name_other(name: str, console: Console) -> None:
    """Print that the other one of the two default stacks exists too."""
    other = next(default for default in DEFAULTS if default != name)
    if is_here(other):
        way = (f"make destroy STACK={other} removes it" if other == "embedded" or docker_answers(DOCKER_SECONDS) else
               f"its containers are back with the Docker engine; STACK={other} means it")
        console.print(f"this is stack {name}; stack {other} was made here too and is left as it is: {way}",
                      style="yellow", soft_wrap=True)
