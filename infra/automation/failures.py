"""Extract the causes of a failed update from Pulumi's output, one line for each."""

from __future__ import annotations

import builtins
import re
from collections.abc import Iterable

# The exception's own line in a traceback: its class, then its message.
RAISED = re.compile(r"^(?P<kind>(?:[A-Za-z_]\w*\.)*[A-Za-z_]\w*): (?P<message>.*)$")
# The engine's line after any failure, which names no cause.
EMPTY = re.compile(r"^(update|preview|refresh|destroy|import) failed$|^resource .* failed$")
# The position in the Terraform bridge's own source, and the name of the provider; neither helps a user.
BRIDGE = re.compile(r"^(?:\s*sdk-v2/provider2\.go:\d+: )?(?:sdk\.helper_schema: )?|: provider=[\w-]+@[\w.\-+]+$")
LONGEST = 600


def explain(message: str, resource: str | None = None) -> str:
    """Extract the causes from one diagnostic, one line for each; "" where it only says that something failed.

    The first line begins with `resource` unless it names it already; each line has at most 600 characters.
    """
    lines = [line.rstrip() for line in message.strip().splitlines() if line.strip()]
    if any(line.startswith("Traceback (most recent call last)") for line in lines):
        lines = _raised(lines)
    else:
        bullets = [line.strip()[2:] for line in lines if line.strip().startswith("* ")]
        lines = bullets or [" ".join(line.strip() for line in lines)]
    lines = [BRIDGE.sub("", line).strip()[:LONGEST] for line in lines]
    lines = [line for line in lines if line and not EMPTY.match(line)]
    if resource and lines and resource not in lines[0]:
        lines[0] = f"{resource}: {lines[0]}"
    return "\n".join(lines)


def explain_output(stderr: str) -> str:
    """Extract the cause from the CLI's stderr, for a failure without a diagnostic that names one."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [line.removeprefix("error:").strip() for line in lines if line.startswith("error:")]
    chosen = (errors or lines[-1:] or ["Pulumi ended without a reason"])[0]
    if "incorrect passphrase" in stderr:
        return "the state's passphrase is wrong; put the one back with which the stack was created"
    return chosen[:LONGEST]


def unique(lines: Iterable[str]) -> list[str]:
    """Remove empty and repeated lines; the order stays."""
    return list(dict.fromkeys(line for line in lines if line))


def _raised(lines: list[str]) -> list[str]:
    """The message of a traceback's last exception, to its end; with the class only for a builtin one."""
    for number in range(len(lines) - 1, -1, -1):
        raised = None if lines[number].startswith(" ") else RAISED.match(lines[number])
        if raised and raised["kind"].rsplit(".", 1)[-1].endswith(("Error", "Exception", "Exit", "Interrupt")):
            first = lines[number] if hasattr(builtins, raised["kind"]) else raised["message"]
            return [first, *lines[number + 1:]]
    return lines[-1:]
