"""What all providers share: unknown values, changed inputs, the plan in a preview, the answer to a refresh."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pulumi.dynamic import CheckResult, ReadResult
from pulumi.output import Unknown
from pulumi.runtime.rpc import UNKNOWN

Props = dict[str, Any]


def is_unknown(value: Any) -> bool:
    """Tell whether a value, or anything inside it, is not known before the update has run."""
    if isinstance(value, Mapping):
        return any(is_unknown(item) for item in value.values())
    if isinstance(value, list | tuple):
        return any(is_unknown(item) for item in value)
    return isinstance(value, Unknown) or bool(value == UNKNOWN)


def has_changed(olds: Mapping[str, Any], news: Mapping[str, Any], *ignored: str) -> bool:
    """Tell whether any input, but those `ignored`, differs from the stored one; `__provider` counts as an input."""
    return any(olds.get(key) != value for key, value in news.items() if key not in ignored)


def check_with_plan(news: Props, plan: Callable[[], list[str]]) -> CheckResult:
    """Accept the inputs; in a preview add the plan to them, which Pulumi shows line by line and never stores."""
    inputs = {key: value for key, value in news.items() if key != "preview"}
    return CheckResult({**inputs, "plan": plan()} if news.get("preview") else inputs, [])


def find_plan(news: Props, plan: Callable[[], list[str]]) -> list[str]:
    """Return the plan that `check_with_plan` made for a preview, else call `plan` now: in an update or a refresh."""
    steps: list[str] = news["plan"] if "plan" in news else plan()
    return steps


def report_live(id_: str, stored: Props, live: Props | None, *outputs: str) -> ReadResult:
    """Answer a refresh: gone (`live` is None), unchanged, or changed to `live`.

    What has changed is returned as inputs too, but for those named in `outputs`, so that the next preview shows it.
    """
    if live is None:
        return ReadResult("", {})
    if live == stored:
        return ReadResult(id_, stored)
    return ReadResult(id_, live, {key: value for key, value in live.items() if key not in outputs})
