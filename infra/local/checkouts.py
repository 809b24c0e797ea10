"""The list of this user's checkouts, by which a message can name the one that holds a port or a container.

Each command of `lcdb` on a stack notes its checkout in `lifecompanion/checkouts` of the user's state folder
(XDG_STATE_HOME, else ~/.local/state), one folder a line; what runs in a checkout is read from that one's `.lcdb`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from infra.folders import LOCAL, ROOT
from infra.local import processes
from infra.local.state_files import StateError, kept_resources, state_files

CONTAINER = "docker:index/container:Container"


def note_checkout(root: Path = ROOT) -> None:
    """Add this checkout to the user's list, and remove those that no longer exist.

    Only messages depend on the list, so a folder that cannot be written is no error.
    """
    file = _list()
    with suppress(OSError):
        listed = _read(file)
        present = sorted({*(path for path in listed if path.is_dir()), root.resolve()})
        if present != listed:
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft = file.with_name(f"{file.name}.{os.getpid()}")
            draft.write_text("".join(f"{path}\n" for path in present), encoding="utf-8")
            draft.replace(file)


def holder_of_port(port: int, name: str, root: Path = ROOT) -> str | None:
    """Name the stack and checkout whose process `name` runs on this port of 127.0.0.1; None where none does."""
    for checkout in (root.resolve(), *_others(root)):
        for pid_file in (checkout / ".lcdb").glob(f"*/{name}/{name}.pid"):
            if processes.command(pid_file.parent, name)[-1:] == [str(port)]:
                where = "this checkout" if checkout == root.resolve() else f"the checkout in {checkout}"
                return f"stack {pid_file.parent.parent.name} of {where}"
    return None


def holder_of_container(stack: str, container: str, root: Path = ROOT, local: Path = LOCAL) -> Path | None:
    """Find the other checkout whose state has this container of the stack; None where this one's has it, or none."""
    if _has_container(stack, container, local):
        return None
    return next((checkout for checkout in _others(root) if _has_container(stack, container, checkout / ".lcdb")), None)


def _has_container(stack: str, container: str, local: Path) -> bool:
    with suppress(StateError):  # what is not a state is nobody's claim
        return any(resource["type"] == CONTAINER and resource.get("inputs", {}).get("name") == container
                   for file in state_files(stack, local) for resource in kept_resources(file))
    return False


def _others(root: Path) -> Iterator[Path]:
    return (path for path in _read(_list()) if path != root.resolve() and path.is_dir())


def _list() -> Path:
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "lifecompanion" / "checkouts"


def _read(file: Path) -> list[Path]:
    try:
        return [Path(line) for line in file.read_text(encoding="utf-8").splitlines() if line]
    except (OSError, ValueError):
        return []
