"""Live functions and aggregate functions; pure values."""

from __future__ import annotations

from dataclasses import dataclass, field

from schema.model.live.objects import Rights
from schema.model.objects import Aggregate, Function


@dataclass(frozen=True)
class LiveFunction:
    """A live function. `signature` is what DROP takes, `inputs` are the types that distinguish it from the other
    functions of its name (`overloads`), `dependants` are the objects that keep it from being dropped."""

    object: Function
    signature: str
    inputs: str
    rights: Rights = field(default_factory=Rights)
    dependants: tuple[str, ...] = ()
    overloads: tuple[LiveFunction, ...] = ()


@dataclass(frozen=True)
class LiveAggregateFunction:
    """A live aggregate function; `returns` is its result, all else as for functions."""

    object: Aggregate
    returns: str
    inputs: str
    rights: Rights = field(default_factory=Rights)
    dependants: tuple[str, ...] = ()
    overloads: tuple[LiveAggregateFunction, ...] = ()

    @property
    def signature(self) -> str:
        """Its arguments as DROP takes them."""
        return self.object.arguments
