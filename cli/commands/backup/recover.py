"""`lcdb backup restore --target` and `--container`: recover a whole server to a point in time, as a stack or alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.backup_settings import find_config
from cli.commands.backup.screen import print_result
from cli.console import console, stderr_console

if TYPE_CHECKING:
    from backups.config import BackupConfig


def _print_line(line: str) -> None:
    stderr_console.print(line, style="dim", soft_wrap=True, markup=False)


def into_container(settings: BackupConfig, name: str, as_json: bool, **options: Any) -> None:
    """Recover into a container that belongs to no stack, and print its address. Raises BackupError."""
    from backups.physical.point_in_time import recover

    image = options.pop("image") or (settings.physical or {}).get("image") or _find_image(settings, options)
    done = recover(settings, name, image=image, **options, listener=_print_line)
    facts = {"container": done.container, "host": done.address.host, "port": done.address.port, "to": done.to,
             "seconds": done.seconds}
    print_result(as_json, facts, lambda: console.print(
        f"recovered to {done.to} in {done.seconds:.0f} s: container {done.container}, 127.0.0.1:{done.address.port}, "
        f"with the roles and passwords of the source\nits jobs are off; once all is well: "
        f"lcdb backup release {done.container} --container", soft_wrap=True))


def _find_image(settings: BackupConfig, point: dict[str, Any]) -> str | None:
    """An image for the server that the backup names, which is printed; None where the backup names none."""
    from backups.physical.catalog import list_physical
    from backups.physical.settings import read_cipher
    from infra.local.recovery_image import ensure_recovery_image

    store = settings.store(first_written=point["as_of"] is not None)
    entries = list_physical(store, settings.database_name())
    known = next((entry.manifest for entry in reversed(entries) if entry.manifest and (
        point["backup"] is None or entry.id.startswith(point["backup"]))), None)
    if known is None:
        return None
    # The image it names is started with the bucket's login in it.
    known.require_seal(read_cipher(store, settings.keyring(), settings.database_name()))
    image = ensure_recovery_image(known.server)
    _print_line(f"image {image}, for {known.server.describe()}")
    return image


def as_stack(source: str | None, file: Path | None, name: str, as_json: bool, **options: Any) -> None:
    """Recover as a new stack, and bring that up. Raises RestoreError, StackError."""
    from backups.errors import RestoreError
    from cli.drivers import InProcess, open_driver
    from infra.automation.recovered_stack import recover_stack

    if file is not None:
        raise RestoreError("--target: found with --config, required --stack: a new stack is made of its source's "
                           "state; or give --container NAME, for which the bucket and the key are enough")
    source, driver = open_driver(source, stderr_console)
    if isinstance(driver, InProcess):
        raise RestoreError(f"--target: stack {source} is driven without the Pulumi CLI, so there is no state to make a "
                           "stack of; install Pulumi, or give --container NAME")
    done = recover_stack(source, name, find_config(source, None), stderr_console, **options, listener=_print_line)
    facts = {"stack": done.name, "to": done.to, "seconds": done.seconds, "changes": dict(done.result.changes)}
    print_result(as_json, facts, lambda: console.print(
        f"recovered to {done.to} in {done.seconds:.0f} s: stack {done.name}, with the roles and passwords of {source}; "
        f"{done.result.summary()}\nsee it: lcdb report --stack {done.name}\n"
        f"its jobs are off; once all is well: lcdb backup release {done.name} --target\n"
        f"take it away: lcdb destroy --stack {done.name}", soft_wrap=True))


def release_container(name: str, as_json: bool) -> None:
    """Let the background jobs of a recovered container run again. Raises RestoreError."""
    from backups.physical import point_in_time

    point_in_time.release_container(name)
    print_result(as_json, {"container": name}, lambda: console.print(f"container {name}: its jobs run again"))


def release_stack(name: str, as_json: bool) -> None:
    """Let the background jobs of a recovered stack run again. Raises StackError."""
    from infra.automation import recovered_stack

    done = recovered_stack.release_stack(name, stderr_console)
    print_result(as_json, {"stack": name, "changes": dict(done.changes)}, lambda: console.print(
        f"stack {name}: its jobs run again; {done.summary()}", soft_wrap=True))
