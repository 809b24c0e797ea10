"""Live views and materialized views, and what depends on a relation; pure values."""

from __future__ import annotations

from dataclasses import dataclass, field

from schema.model.live.objects import Rights
from schema.model.objects import MaterializedView, View


@dataclass(frozen=True)
class LiveView:
    """A live view; `columns` are (name, type with collation), `rules` the statements that create its rules again."""

    object: View
    columns: tuple[tuple[str, str], ...] = ()
    rights: Rights = field(default_factory=Rights)
    rules: tuple[str, ...] = ()


@dataclass(frozen=True)
class LiveMaterializedView:
    """A live materialized view; `columns` are names, `settings` what it would lose if it were created again, `beneath`
    a materialized view that it reads and that has never been computed."""

    object: MaterializedView
    columns: tuple[str, ...] = ()
    rights: Rights = field(default_factory=Rights)
    settings: tuple[str, ...] = ()
    beneath: str | None = None


@dataclass(frozen=True)
class Dependant:
    """An object that depends on a relation, directly (`depth` 1) or through others; `column` is the relation's.

    A view that is declared can be dropped and created again: `live` and `declared`. `planned`: this plan is for it as
    well. `later`: its own step creates it again. `objects` are the full names of all that it stands for.
    """

    name: str
    column: str
    depth: int = 1
    live: LiveView | None = None
    declared: View | None = None
    planned: bool = False
    later: bool = False
    objects: frozenset[str] = frozenset()
