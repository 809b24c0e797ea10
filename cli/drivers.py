"""Which stack a command means, and who drives it: the Pulumi CLI, or the same program in this process."""

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
from infra.local.notices import show_by

DOCKER_SECONDS = 5
# What a command without --stack means: with a Docker engine, and without.
DEFAULTS = ("dev", "embedded")


class Driver(Protocol):
    """What a stack can be told to do."""

    def up(self) -> Result: ...
    def preview(self, *, diff: bool = False) -> Result: ...
    def refresh(self) -> Result: ...
    def destroy(self) -> Result: ...
    def outputs(self) -> Mapping[str, Any]: ...


class InProcess:
    """Drives a stack without a Pulumi CLI: the program runs here, and no Pulumi state is kept."""

    def __init__(self, name: str, console: Console) -> None:
        self.name = name
        self._console = console
        show_by(lambda line: console.print(line, style="dim", markup=False, soft_wrap=True))

    def up(self) -> Result:
        return runner.run(self.name, on_event=self._show)

    def preview(self, *, diff: bool = False) -> Result:
        return runner.run(self.name, preview=True, on_event=self._show)

    def refresh(self) -> Result:
        raise StackError(f"{self.name}: without a Pulumi CLI there is no state to refresh; `up` repairs what differs")

    def destroy(self) -> Result:
        return runner.destroy(self.name, on_event=self._show)

    def outputs(self) -> Mapping[str, Any]:
        return runner.outputs(self.name)

    def _show(self, event: Event) -> None:
        if event.operation != "same":
            self._console.print(str(event), markup=False, soft_wrap=True)
            for line in event.plan:
                self._console.print(f"    {line}", style="dim", markup=False, highlight=False, soft_wrap=True)


def open_driver(stack: str | None, console: Console) -> tuple[str, Driver]:
    """The stack asked for, else dev where a Docker engine answers, else embedded; with who drives it.

    Says on `console` what was chosen and why, where nobody asked for it by name. Raises StackError.
    """
    name = stack or ("dev" if docker_answers() else "embedded")
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
    """Say that the other of the two stacks that a command without --stack may mean is there too."""
    other = next(default for default in DEFAULTS if default != name)
    if is_here(other):
        way = (f"make destroy STACK={other} removes it" if other == "embedded" or docker_answers() else
               f"its containers are back with the Docker engine; STACK={other} means it")
        console.print(f"this is stack {name}; stack {other} was made here too and is left as it is: {way}",
                      style="yellow", soft_wrap=True)


def docker_answers() -> bool:
    """Whether a Docker engine answers on this machine."""
    import docker
    from docker.errors import DockerException

    try:
        client = docker.from_env(timeout=DOCKER_SECONDS)
    except DockerException:
        return False
    try:
        return bool(client.ping())
    except (DockerException, OSError):
        return False
    finally:
        client.close()
