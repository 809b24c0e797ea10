"""What the calls of all providers have in common: unknown values, changes, and the answer to a refresh."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pulumi.dynamic import CheckResult, ReadResult
from pulumi.output import Unknown
from pulumi.runtime.rpc import UNKNOWN

Props = dict[str, Any]


def is_unknown(value: Any) -> bool:
    """Whether a value, or anything inside it, is only known once the update has run."""
    if isinstance(value, Mapping):
        return any(is_unknown(item) for item in value.values())
    if isinstance(value, list | tuple):
        return any(is_unknown(item) for item in value)
    return isinstance(value, Unknown) or bool(value == UNKNOWN)


def changed(olds: Mapping[str, Any], news: Mapping[str, Any], *ignored: str) -> bool:
    """Whether any input differs from what was last stored; `__provider` counts, as a moved class is a change."""
    return any(olds.get(key) != value for key, value in news.items() if key not in ignored)


def shown(news: Props, planned: Callable[[], list[str]]) -> CheckResult:
    """The checked inputs; in a preview with the plan, which is then shown line by line and is never stored."""
    inputs = {key: value for key, value in news.items() if key != "preview"}
    return CheckResult({**inputs, "plan": planned()} if news.get("preview") else inputs, [])


def plan_of(news: Props, planned: Callable[[], list[str]]) -> list[str]:
    """The plan that `shown` made, else one made now: in an update, or where a refresh compares with what is stored."""
    found: list[str] = news["plan"] if "plan" in news else planned()
    return found


def as_found(id_: str, stored: Props, found: Props | None, *outputs: str) -> ReadResult:
    """What a refresh answers: gone, as stored, or what was found, as inputs too, so that the next preview shows it."""
    if found is None:
        return ReadResult("", {})
    if found == stored:
        return ReadResult(id_, stored)
    return ReadResult(id_, found, {key: value for key, value in found.items() if key not in outputs})
