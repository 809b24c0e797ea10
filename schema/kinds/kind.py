"""Kind: all that the program knows of one kind of object, in one record; the records stand in schema.kinds.registry."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import Connection

from schema.capabilities import Capabilities
from schema.model.live import Compared, Live
from schema.model.objects import Object
from schema.model.step import Hazard, Step

# (connection, capabilities, schema, names) -> the live ones by name, in a fixed number of queries.
Reader = Callable[[Connection[Any], Capabilities, str, Sequence[str]], Mapping[str, Live]]
# (connection, capabilities, declared) -> the live ones by full name, where names do not tell which is which.
Finder = Callable[[Connection[Any], Capabilities, Sequence[Any]], Mapping[str, Live]]
# (comparison, allowed hazards) -> steps, and warnings about what is left in place.
Planner = Callable[[Any, Collection[str]], tuple[list[Step], list[str]]]


@dataclass(frozen=True)
class Drop:
    """How a live object goes that nobody declares; `word` is what sql/undeclared.sql calls it, `statement` takes its
    name as SQL. `first` ones go before anything else is changed, as they may keep columns from being changed; the
    others go last, as what is still declared may stand on them until it is changed."""

    word: str
    statement: str
    hazard: Hazard
    first: bool = False


@dataclass(frozen=True)
class ServerWords:
    """How a declaration is put into the server's words: made in a scratch schema, read back, rolled back.

    `creation` gives (part, SQL) pairs that make the object in an empty schema; `taken` the declaration with the words
    of what was read back of it. Objects for which `needed` is false are not made for their own sake.
    """

    creation: Callable[[Any], Iterable[tuple[str, str]]]
    taken: Callable[[Any, Any], Object]
    needed: Callable[[Any], bool] = lambda _: True


@dataclass(frozen=True)
class Kind:
    """One kind of object.

    `resource` is its Pulumi type as state files name it, "module:Class", and `page` its page in docs/schema.
    `server_words` is None where a declaration is plain values that the server keeps as they are. `settled` takes the
    declaration in the server's words and the live object or None, and writes what is equal as the server does. `lint`
    finds what is wrong in a declaration by itself.
    """

    declaration: type[Object]
    resource: str
    page: str
    read: Reader
    server_words: ServerWords | None
    steps: Planner
    drops: tuple[Drop, ...]
    lint: Callable[[Any], Iterable[str]]
    compared: Callable[..., Compared[Any, Any]] = Compared
    find: Finder | None = None
    settled: Callable[[Any, Any], Any] | None = None


def nothing_alone(_: Object) -> Iterable[str]:
    """No findings: what can be wrong in such a declaration shows only beside others, or to the server."""
    return ()
