"""Commands on a whole stack: up, preview, refresh, destroy, report, env."""

from __future__ import annotations

import shlex
from typing import Annotated

import typer

from cli.console import console
from cli.options import StackOption


def up(stack: StackOption = None) -> None:
    """Make the stack what the program declares, then show the report; a second run changes nothing."""
    from cli.drivers import open_driver
    from infra.automation.report import show_report

    name, driver = open_driver(stack, console)
    done = driver.up()
    show_report(console, name, done.outputs)
    console.print(f"\n{done.summary()}", style="bold green", soft_wrap=True)


def preview(stack: StackOption = None,
            diff: Annotated[bool, typer.Option("--diff", help="Show each property, as Pulumi does.")] = False) -> None:
    """Show what `up` would change; changes nothing."""
    from cli.drivers import open_driver

    _, driver = open_driver(stack, console)
    console.print(f"would be: {driver.preview(diff=diff).summary()}", style="bold", soft_wrap=True)


def refresh(stack: StackOption = None) -> None:
    """Read the real resources into the state and report drift, which the next `up` repairs."""
    from cli.drivers import open_driver

    _, driver = open_driver(stack, console)
    console.print(f"drift: {driver.refresh().summary()}", style="bold", soft_wrap=True)


def destroy(stack: StackOption = None,
            yes: Annotated[bool, typer.Option("--yes", "-y", envvar="YES", help="Do not ask.")] = False) -> None:
    """Remove everything the stack created, with its data; asks first."""
    from cli.drivers import open_driver

    name, driver = open_driver(stack, console)
    if not yes:
        typer.confirm(f"Remove everything that stack {name} made, its data included?", abort=True)
    console.print(driver.destroy().summary(), style="bold", soft_wrap=True)


def report(stack: StackOption = None) -> None:
    """Show the servers, what they hold right now, and how to connect."""
    from cli.drivers import open_driver
    from infra.automation.report import show_report

    name, driver = open_driver(stack, console)
    show_report(console, name, driver.outputs())


def env() -> None:
    """Print shell exports that let the `pulumi` CLI use this state; no secrets: eval "$(lcdb env)"."""
    from infra.automation.state import ensure_backend, find_backend
    from infra.folders import LOCAL

    backend = find_backend()
    ensure_backend(backend)
    if not backend.ours:
        print(f"# Pulumi is logged in to {backend.url}: nothing to export")
        return
    if (LOCAL / "pulumi" / "bin" / "pulumi").exists():
        print(f"export PATH={shlex.quote(str(LOCAL / 'pulumi' / 'bin'))}:$PATH")
    print("unset PULUMI_CONFIG_PASSPHRASE")
    for name, value in backend.env.items():
        print(f"export {name}={shlex.quote(value)}")
