"""Which of several live functions of one name a declaration stands for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from schema.model.live.routines import LiveAggregateFunction, LiveFunction

L = TypeVar("L", LiveFunction, LiveAggregateFunction)
C = TypeVar("C")


def overload_of(canonical: C, live: L, siblings: Sequence[C], is_called_like: Callable[[L, C], bool]) -> L | None:
    """Return the overload that has the declared arguments.

    Where none has them, it is the only one that is left once the other declarations of that name (`siblings`) have
    theirs: its arguments change. None where several are left, or where another declaration might mean it as well: what
    nobody declares is left alone.
    """
    overloads: list[L] = [replace(live, overloads=()), *live.overloads]
    same = [overload for overload in overloads if is_called_like(overload, canonical)]
    if same:
        return same[0]
    left = [overload for overload in overloads
            if not any(is_called_like(overload, sibling) for sibling in siblings)]
    lost = [sibling for sibling in siblings if not any(is_called_like(overload, sibling) for overload in overloads)]
    return left[0] if len(left) == 1 and not lost else None
