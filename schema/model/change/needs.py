"""Which objects can be dropped, and in which order, where some need others; pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from schema.model.live.objects import Address, Need, Undeclared

# Whether a plan ends this need of the object.
Ends = Callable[[Undeclared, Need], bool]


@dataclass(frozen=True)
class Droppable:
    """The objects that can be dropped, each after those of them that need it, and why each of the others stays."""

    going: tuple[Undeclared, ...]
    staying: Mapping[Undeclared, tuple[str, ...]]


def droppable(wanted: Sequence[Undeclared], ends: Ends) -> Droppable:
    """Return which of the `wanted` objects can go: those that nothing needs but what goes, too, or whose need `ends`.

    Where nothing is needed, their order is kept; what need each other in a circle stay.
    """
    going = {live.address: live for live in wanted}
    staying: dict[Undeclared, tuple[str, ...]] = {}
    while True:
        stuck = {live: needs for live in going.values() if (needs := _lasting(live, going, staying, ends))}
        order = _ordered(tuple(live for live in going.values() if live not in stuck))
        if not stuck:
            stuck = {live: tuple(str(need) for need in live.needed_by if need.owner in going)
                     for live in going.values() if live not in order}
        if not stuck:
            return Droppable(order, staying)
        staying.update(stuck)
        going = {address: live for address, live in going.items() if live not in stuck}


def _lasting(live: Undeclared, going: Mapping[Address, Undeclared], staying: Mapping[Undeclared, tuple[str, ...]],
             ends: Ends) -> tuple[str, ...]:
    """What needs the object after all, and what needs that where it could go otherwise."""
    reasons = {other.address: texts for other, texts in staying.items()}
    lasting = [need for need in live.needed_by if need.owner not in going and not ends(live, need)]
    return tuple(dict.fromkeys(
        f"{need} (for {' and '.join(reasons[need.owner])})" if need.owner in reasons else str(need)
        for need in lasting))


def _ordered(going: Sequence[Undeclared]) -> tuple[Undeclared, ...]:
    """Each after those that need it; what is in a circle is left out."""
    waiting = {live.address: {need.owner for need in live.needed_by if not _goes_before(need, going)} for live in going}
    left = {live.address: live for live in going}
    order: list[Undeclared] = []
    while True:
        free = next((live for live in left.values() if not waiting[live.address] & left.keys()), None)
        if free is None:
            return tuple(order)
        order.append(left.pop(free.address))


def _goes_before(need: Need, going: Sequence[Undeclared]) -> bool:
    """Whether it is a foreign key of a table that goes: all of those go before everything else."""
    return any(need.part in live.foreign_keys for live in going if live.address == need.owner)
