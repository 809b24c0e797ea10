"""What went wrong in an update, as one clear line for each cause, out of Pulumi's walls of text."""

from __future__ import annotations

import builtins
import re
from collections.abc import Iterable

# The exception's own line in a traceback: its class, then what it says.
RAISED = re.compile(r"^(?P<kind>(?:[A-Za-z_]\w*\.)*[A-Za-z_]\w*): (?P<said>.*)$")
# What the engine says after any failure, without telling why.
EMPTY = re.compile(r"^(update|preview|refresh|destroy|import) failed$|^resource .* failed$")
# The Terraform bridge's address in its own source, and the name of the provider that said it.
BRIDGE = re.compile(r"^(?:\s*sdk-v2/provider2\.go:\d+: )?(?:sdk\.helper_schema: )?|: provider=[\w-]+@[\w.\-+]+$")
LONGEST = 600


def explain(message: str, resource: str | None = None) -> str:
    """The cause in one diagnostic, one line for each problem it names; "" where it only says that something failed."""
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
    """The cause in what the CLI wrote to stderr, where no diagnostic told one."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [line.removeprefix("error:").strip() for line in lines if line.startswith("error:")]
    chosen = (errors or lines[-1:] or ["Pulumi ended without a reason"])[0]
    if "incorrect passphrase" in stderr:
        return "the state's passphrase does not fit; put the one back with which the stack was made"
    return chosen[:LONGEST]


def unique(lines: Iterable[str]) -> list[str]:
    """The lines without empty ones and repetitions, in their order."""
    return list(dict.fromkeys(line for line in lines if line))


def _raised(lines: list[str]) -> list[str]:
    """The last exception of a traceback: its message to the end, without the class where it is one of ours."""
    for number in range(len(lines) - 1, -1, -1):
        found = None if lines[number].startswith(" ") else RAISED.match(lines[number])
        if found and found["kind"].rsplit(".", 1)[-1].endswith(("Error", "Exception", "Exit", "Interrupt")):
            first = lines[number] if hasattr(builtins, found["kind"]) else found["said"]
            return [first, *lines[number + 1:]]
    return lines[-1:]
