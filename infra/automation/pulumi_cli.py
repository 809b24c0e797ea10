"""Find the Pulumi CLI and its plugins, or install them the vendor's way."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

from pulumi.automation import InvalidVersionError, PulumiCommand
from semver import VersionInfo

from infra.automation.failures import explain

MINIMUM = VersionInfo(3, 200, 0)
# The plugins that each target needs, in the versions of their Python packages.
PLUGINS = {"docker": ("docker", "postgresql"), "host": ("postgresql",), "embedded": ("postgresql",)}
INSTALL_SECONDS = 300
UNREACHABLE = re.compile(r"<urlopen error (?:\[Errno -?\d+\] )?(.*)>$")
# Runs in a process of its own, so that a download that hangs can be ended.
INSTALL = "import sys; from pulumi.automation import PulumiCommand; PulumiCommand.install(root=sys.argv[1])"


class CliMissingError(Exception):
    """The Pulumi CLI or a plugin is missing and cannot be installed; the message is one line with the reason."""


def find_cli(root: Path, plugins: Iterable[str] = ()) -> PulumiCommand:
    """Find the Pulumi CLI (at least MINIMUM) on the PATH or in `root`, else install it there; the same for `plugins`.

    Raises CliMissingError.
    """
    cli = _on_path() or _installed(root) or _install(root)
    for plugin in plugins:
        ensure_plugin(cli, plugin, version(f"pulumi-{plugin}"))
    return cli


def ensure_plugin(cli: PulumiCommand, name: str, number: str) -> None:
    """Install a resource plugin of the CLI, unless it is on the PATH or installed.

    Raises CliMissingError.
    """
    home = Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")
    if shutil.which(f"pulumi-resource-{name}") or (home / "plugins" / f"resource-{name}-v{number}").is_dir():
        return
    command = [cli.command, "plugin", "install", "resource", name, number, "--non-interactive"]
    _run(command, f"Pulumi plugin {name} {number} is not here and cannot be installed")


def _on_path() -> PulumiCommand | None:
    if not shutil.which("pulumi"):
        return None
    try:
        return PulumiCommand(version=MINIMUM)
    except (InvalidVersionError, subprocess.CalledProcessError, OSError):
        return None


def _installed(root: Path) -> PulumiCommand | None:
    if not (root / "bin" / "pulumi").exists():
        return None
    try:
        return PulumiCommand(root=str(root), version=MINIMUM)
    except (InvalidVersionError, subprocess.CalledProcessError, OSError):
        return None


def _install(root: Path) -> PulumiCommand:
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    _run([sys.executable, "-c", INSTALL, str(root)], f"no Pulumi CLI from {MINIMUM} on here, none can be installed")
    return PulumiCommand(root=str(root), version=MINIMUM)


def _run(command: list[str], problem: str) -> None:
    """Run an installer. Raises CliMissingError with `problem` and its last line where it fails."""
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=INSTALL_SECONDS,
                       stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        raise CliMissingError(f"{problem}: no end after {INSTALL_SECONDS} s") from None
    except (subprocess.CalledProcessError, OSError) as error:
        lines = explain(getattr(error, "stderr", "") or str(error)).splitlines()
        reason = UNREACHABLE.sub(r"its server cannot be reached: \1", lines[-1]) if lines else "no reason given"
        raise CliMissingError(f"{problem}: {reason}") from None
