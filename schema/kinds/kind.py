"""Kind: all that the program knows about one kind of object, in one record; schema.kinds.registry lists them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import Connection

from schema.capabilities import Capabilities
from schema.model.change.diff import Context, Diff
from schema.model.change.step import Hazard, Step
from schema.model.live.objects import Live
from schema.model.objects import Object

# (connection, capabilities, schema, names) -> the live ones by name, in a fixed number of queries.
Reader = Callable[[Connection[Any], Capabilities, str, Sequence[str]], Mapping[str, Live]]
# (connection, capabilities, declared) -> the live ones by full name, where a name alone does not identify them.
Finder = Callable[[Connection[Any], Capabilities, Sequence[Any]], Mapping[str, Live]]
# diff -> steps, and warnings about what is left in place.
Planner = Callable[[Any], tuple[list[Step], list[str]]]


@dataclass(frozen=True)
class Drop:
    """How a live object that nobody declares is dropped.

    `word` is what schema/catalog/sql/undeclared.sql calls its kind; `statement` takes its name as SQL. Those with
    `first` are dropped before anything else is changed, as they may keep columns from being changed; all others last,
    as declared objects may depend on them until those are changed.
    """

    word: str
    statement: str
    hazard: Hazard
    first: bool = False


@dataclass(frozen=True)
class ServerWords:
    """How the server canonicalises a declaration: it is created in a scratch schema, read back, rolled back.

    `creation` returns (part, SQL) pairs that create the object in an empty schema; `canonicalise` takes the declaration
    and what was read back, and returns the canonical form. Objects for which `needed` is false are not created for
    their own sake.
    """

    creation: Callable[[Any], Iterable[tuple[str, str]]]
    canonicalise: Callable[[Any, Any], Object]
    needed: Callable[[Any], bool] = lambda _: True


@dataclass(frozen=True)
class Kind:
    """One kind of object.

    `resource` is its Pulumi type as state files name it, "module:Class", and `page` its page in docs/schema.
    `server_words` is None where a declaration is plain values that the server keeps as they are. `settle` takes the
    canonical form and the live object or None, and returns the canonical form with equal values spelled as the server
    spells them. `choose` takes the canonical form, the live object and the canonical forms of all others
    of that name, and returns which of the live objects of that name is declared, or None. `lint` returns what is wrong
    in one declaration. `diff` and `context` are the classes of its diffs, where they hold more than others do.
    """

    declaration: type[Object]
    resource: str
    page: str
    read: Reader
    server_words: ServerWords | None
    steps: Planner
    drops: tuple[Drop, ...]
    lint: Callable[[Any], Iterable[str]]
    find: Finder | None = None
    choose: Callable[[Any, Any, Sequence[Any]], Any] | None = None
    settle: Callable[[Any, Any], Any] | None = None
    diff: type[Diff[Any, Any]] = Diff
    context: type[Context[Any]] = Context


def nothing_alone(_: Object) -> Iterable[str]:
    """Return no findings: only other declarations, or the server, can show what is wrong in one of this kind."""
    return ()
