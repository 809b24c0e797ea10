"""Live objects of any kind: what the server holds, in its own spelling; pure values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from schema.model.objects import Declared, Grant

O = TypeVar("O", bound=Declared)  # noqa: E741 (the object)


class Live(Protocol):
    """What a reader returns: the object as the server spells it, and whatever else its kind has to know."""

    @property
    def object(self) -> Declared:
        """The object as the server spells it."""


@dataclass(frozen=True)
class LiveObject(Generic[O]):
    """A live object about which nothing else has to be known."""

    object: O


@dataclass(frozen=True)
class Rights:
    """Grants as (privileges, column or None, role), roles that get none by default, the owner if not the login."""

    granted: tuple[tuple[str, str | None, str], ...] = ()
    withdrawn: tuple[str, ...] = ()
    owner: str | None = None


@dataclass(frozen=True)
class LiveGrants:
    """Who owns an object (the login: `is_own`), and what others may do with it: what they may by default (`is_usual`),
    or otherwise; `is_kept`: the owner has all that owners have; `is_governed`: the login may give and revoke."""

    owner: str | None = None
    granted: tuple[Grant, ...] = ()
    is_own: bool = True
    is_usual: bool = True
    is_kept: bool = True
    is_governed: bool = True


@dataclass(frozen=True)
class Address:
    """Where the server lists something: its catalog, its id there, and a column's number (0: all of it)."""

    catalog: str
    id: int
    column: int = 0


@dataclass(frozen=True)
class Need:
    """What keeps another thing from being dropped: an object, or a `part` of it, such as a foreign key of a table.

    `name` is the object's full name, `owner` its address, `kind` the server's word for the object or the part, `uses`
    the bare name of what it uses; empty where that has none.
    """

    kind: str
    name: str
    part: str = ""
    owner: Address = Address("", 0)
    uses: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.name}{f'.{self.part}' if self.part else ''}"


@dataclass(frozen=True)
class Undeclared:
    """A live object that nobody declares; `signature` is its name, with a function's arguments, or a job's number.

    `needed_by` are those that keep the server from dropping it; they are read where the object may be dropped.
    """

    kind: str
    name: str
    signature: str
    schema: str = "public"
    has_rows: bool = False
    foreign_keys: tuple[str, ...] = ()
    address: Address = Address("", 0)
    needed_by: tuple[Need, ...] = ()
