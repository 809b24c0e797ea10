"""URNs as Pulumi's engine makes them (sdk/go/common/resource/urn), of a resource and of what it was before; pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from infra.local.state_files import STACK_TYPE

# What earlier versions had in the URNs of their records: the stack as the parent's type.
FLAT = f"::{STACK_TYPE}$"


def make_urn(stack: str, project: str, parent: str, kind: str, name: str) -> str:
    """The URN of a resource; `parent` is a URN, or empty for none. The stack as a parent is not part of it."""
    under = qualified_type(parent)
    return f"urn:pulumi:{stack}::{project}::{kind if under in ('', STACK_TYPE) else f'{under}${kind}'}::{name}"


def former_urns(request: Any, stack: str, project: str) -> Iterator[str]:
    """The URNs under which a RegisterResourceRequest says that its resource may be known, in its order.

    Aliases of its parent are not among them: the program's components have none.
    """
    for alias in request.aliases:
        if alias.WhichOneof("alias") == "urn":
            yield alias.urn
            continue
        spec = alias.spec
        yield make_urn(spec.stack or stack, spec.project or project,
                       "" if spec.noParent else spec.parentUrn or request.parent,
                       spec.type or request.type, spec.name or request.name)
    yield from request.aliasURNs


def component_of(parent: str) -> str:
    """The parent's URN where that is a component, empty where it is the stack itself."""
    return "" if qualified_type(parent) == STACK_TYPE else parent


def qualified_type(urn: str) -> str:
    """The types of all parents and its own, joined by `$`; empty for no URN."""
    return urn.split("::")[2] if urn else ""


def as_engine(urn: str) -> str:
    """The engine's URN for one in a record, which earlier versions wrote otherwise."""
    return urn.replace(FLAT, "::", 1)
