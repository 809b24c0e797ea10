"""How each kind of object gets into the server's words: what makes it in an empty schema, and what is taken back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from schema.kinds import continuous_aggregate, enum, function, table, view
from schema.model.objects import ContinuousAggregate, Enum, Function, Object, Table, View


@dataclass(frozen=True)
class Maker:
    """How a kind gets into the server's words.

    `creation` gives (part, SQL) pairs that make the object in an empty schema; `wanted` takes the declaration and what
    was read back of it, and returns the declaration in the server's words.
    """

    creation: Callable[[Any], Iterable[tuple[str, str]]]
    wanted: Callable[[Any, Any], Object]


MAKERS: Mapping[type[Object], Maker] = {
    ContinuousAggregate: Maker(continuous_aggregate.creation, continuous_aggregate.wanted),
    Enum: Maker(enum.creation, enum.wanted),
    Function: Maker(function.creation, function.wanted),
    Table: Maker(table.creation, table.wanted),
    View: Maker(view.creation, view.wanted),
}
