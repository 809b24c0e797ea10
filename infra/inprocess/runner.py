"""Run the Pulumi program in this process, without a Pulumi CLI, through the SDK's public mocks.

Dynamic resources are really made, pulumi-postgresql's are made over SQL, all others are refused.
There is no Pulumi state, so no history, no encryption and no removal of what is no longer declared. What a next run
needs (generated passwords, and what each resource returned) is in a file of the stack's folder that only its owner
can read.
"""

from __future__ import annotations

import contextlib
import contextvars
import runpy
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime.stack import Stack

from infra.automation.failures import explain
from infra.automation.stack import Result
from infra.automation.stack_file import StackError
from infra.folders import LOCAL, ROOT, stack_folder
from infra.inprocess.config import read_config
from infra.inprocess.record import Record
from infra.inprocess.resources import Event, Maker, MakerError, Monitor, event_loop, remove

OnEvent = Callable[[Event], None]


class InProcessError(StackError):
    """The in-process run failed; one line for each cause. What was done stays, and a new run goes on from there."""


@dataclass(frozen=True)
class InProcessResult(Result):
    """A Result with one event for each resource, in order."""

    events: tuple[Event, ...] = ()


def run(stack: str, *, preview: bool = False, on_event: OnEvent | None = None, root: Path = ROOT,
        local: Path = LOCAL) -> InProcessResult:
    """Make the stack what the program in `root` declares; with `preview`, change nothing and report what would be done.

    Raises InProcessError, with one line for each cause.
    """
    since = time.monotonic()
    record = Record.read(stack_folder(stack, local))
    maker = Maker(record, preview=preview, on_event=on_event)
    with contextlib.chdir(root), _importing_from(root):
        outputs = _apart(stack, root, maker)
    if not preview:
        record.outputs = outputs
        record.write()
    operation = "preview" if preview else "up"
    return InProcessResult(operation, stack, _counts(maker.events), time.monotonic() - since, outputs,
                           tuple(maker.events))


def outputs(stack: str, *, local: Path = LOCAL) -> Mapping[str, Any]:
    """Return the stack's outputs of the last run, secrets included; empty where there was none."""
    return Record.read(local / stack).outputs


def destroy(stack: str, *, on_event: OnEvent | None = None, root: Path = ROOT, local: Path = LOCAL) -> InProcessResult:
    """Remove what in-process runs of this stack created, but for resources marked `stays`.

    Raises InProcessError where one cannot be removed; those removed before it are gone.
    """
    since = time.monotonic()
    record = Record.read(local / stack)
    events: list[Event] = []
    with contextlib.chdir(root), _importing_from(root):
        try:
            for event in remove(record):
                events.append(event)
                if on_event:
                    on_event(event)
        except MakerError as error:
            raise InProcessError(str(error)) from None
    record.delete()
    return InProcessResult("destroy", stack, _counts(events), time.monotonic() - since, {}, tuple(events))


def _program(stack: str, root: Path, maker: Maker) -> dict[str, Any]:
    """Run __main__.py in a Pulumi runtime of its own and return its exports; empty while they are not known."""
    try:
        name, config, secret = read_config(root, stack)
        with event_loop():
            pulumi.runtime.set_mocks(maker, project=name, stack=stack, preview=maker.preview, monitor=Monitor(maker))
            pulumi.runtime.set_all_config(config, secret)
            return _exports(root / "__main__.py")
    except Exception as error:  # noqa: BLE001 a program may raise anything; the user gets one line of it
        # a resource's own failure; else the program's, such as a setting that is wrong
        lines = maker.failures or [explain("".join(traceback.format_exception(error)))]
        raise InProcessError("\n".join(lines)) from None


def _exports(program: Path) -> dict[str, Any]:
    exported: dict[str, Any] = {}

    def run_program() -> pulumi.Output[None]:
        runpy.run_path(str(program), run_name="__main__")
        stack = pulumi.runtime.get_root_resource()
        assert isinstance(stack, Stack)
        return pulumi.Output.from_input(stack.outputs).apply(exported.update)

    pulumi.runtime.test(run_program)()  # type: ignore[no-untyped-call]
    return exported


def _apart(stack: str, root: Path, maker: Maker) -> dict[str, Any]:
    """`_program` in a thread and a context of its own: the caller's event loop and Pulumi runtime stay as they are."""
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(contextvars.Context().run, _program, stack, root, maker)
        try:
            return running.result()
        except KeyboardInterrupt:
            maker.failures.append("interrupted")  # the resource that is being made is finished, no other is begun
            raise


@contextlib.contextmanager
def _importing_from(root: Path) -> Any:
    """The program's folder first among what is imported from, as when Python runs a file of it."""
    sys.path.insert(0, str(root))
    try:
        yield
    finally:
        sys.path.remove(str(root))


def _counts(events: list[Event]) -> dict[str, int]:
    return dict(Counter(event.operation for event in events))
