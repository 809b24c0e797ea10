"""Containers and volumes left by killed drills: each has a label that names its process, and the next drill removes it.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Self

LABEL = "lifecompanion.drill"
PROC = Path("/proc")


@dataclass(frozen=True)
class Owner:
    """A process identified beyond its number: machine, boot, process namespace, number and start time."""

    machine: str
    boot: str
    namespace: str
    pid: int
    started: str

    @classmethod
    def current(cls) -> Self:
        """This process."""
        try:
            boot = (PROC / "sys/kernel/random/boot_id").read_text().strip()
            namespace = str((PROC / "self/ns/pid").stat().st_ino)
        except OSError:  # not Linux
            boot = namespace = ""
        return cls(socket.gethostname().replace("|", "-"), boot, namespace, os.getpid(), _read_start(os.getpid()) or "")

    @classmethod
    def from_label(cls, text: str) -> Self | None:
        """Parse a label; None where another program wrote it."""
        parts = text.split("|")
        if len(parts) != 5 or not parts[3].isdecimal():
            return None
        return cls(parts[0], parts[1], parts[2], int(parts[3]), parts[4])

    def label(self) -> str:
        """The label for containers and volumes of this process."""
        return f"{LABEL}={self.machine}|{self.boot}|{self.namespace}|{self.pid}|{self.started}"

    def has_ended(self, *, running: bool) -> bool:
        """Whether this process is known to have ended; False where it cannot be seen from here.

        `running`: whether its container runs, which excludes that it is from before the machine's last start.
        """
        here = self.current()
        if self.machine != here.machine:
            return False
        if self.boot != here.boot:
            return not running
        return self.namespace == here.namespace and _read_start(self.pid) != self.started


def remove_leftovers() -> list[str]:
    """Remove containers and volumes of drills whose process has ended; returns their names.

    Those in use, and those whose process cannot be seen from here, stay. Nothing is done where there is no docker
    command.
    """
    if not shutil.which("docker"):
        return []
    over = []
    for kind, more in (("container", ["--all"]), ("volume", [])):
        name, state = ("{{.Names}}", "{{.State}}") if kind == "container" else ("{{.Name}}", "exited")
        done = subprocess.run(["docker", kind, "ls", *more, "--filter", f"label={LABEL}", "--format",
                               f'{name} {state} {{{{.Label "{LABEL}"}}}}'], capture_output=True, text=True, check=False)
        for line in done.stdout.splitlines():
            resource, state, label = line.split(" ", 2)
            owner = Owner.from_label(label)
            if owner and owner.has_ended(running=state == "running"):
                # A volume that a container still has is refused: it goes with the next run.
                force = ["--force", "--volumes"] if kind == "container" else []
                gone = subprocess.run(["docker", kind, "rm", *force, resource], capture_output=True, check=False)
                over += [resource] if gone.returncode == 0 else []
    return over


def _read_start(pid: int) -> str | None:
    """When a process of this namespace was started, as the system counts it; None where there is none."""
    try:
        # The name before it may hold anything, a bracket too.
        return (PROC / f"{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        if PROC.joinpath("self").exists():
            return None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass
    return ""
