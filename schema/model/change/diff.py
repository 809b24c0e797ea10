"""Diff: one declaration in three forms, with what planning needs to know about its surroundings; pure values."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Self, TypeVar

from schema.model.change.step import Transaction
from schema.model.live.objects import Live, LiveGrants
from schema.model.live.tables import ColumnstoreChunk, LiveTable, Weight
from schema.model.live.views import Dependant
from schema.model.objects import Declared, Table

O = TypeVar("O", bound=Declared)  # noqa: E741 (the object, as L is the live one)
L = TypeVar("L", bound=Live)


@dataclass(frozen=True)
class Match(Generic[O, L]):
    """A declaration, its canonical form, and the live object that it declares (None: there is no such object).

    `former_name` is the full name that the live object still has on the server, where the declaration gives it another
    one; `live` has the declared name already. `scratch` is the object that the server created from the declaration in
    a scratch schema; None where the canonical form needs no such object.
    """

    declared: O
    canonical: O
    live: L | None
    former_name: str | None = None
    scratch: L | None = None

    @property
    def name(self) -> str:
        """The full name that is declared."""
        return self.declared.full_name

    @property
    def live_name(self) -> str:
        """The full name that the object has on the server now."""
        return self.former_name or self.name


@dataclass(frozen=True)
class Context(Generic[L]):
    """What planning one object needs to know, apart from its three forms: the server, the run, the objects around it.

    `allow` are the hazards that the run allows. `former_name` and `scratch` are those of the `Match`. `dependants` are
    the objects that depend on it; `recreated` is true for a view that another object's change drops, so that the
    view's own step creates it again. `weight` and `columnstore` (the compressed chunks that the declaration wants
    compressed again) are read only where the object differs, `grants` only where the declaration has some. `later` are
    the objects that the plan creates after it.
    """

    server_version: int = 0
    timescaledb: tuple[int, ...] = ()
    single_process: bool = False
    allow: frozenset[str] = frozenset()
    former_name: str | None = None
    scratch: L | None = None
    dependants: tuple[Dependant, ...] = ()
    recreated: bool = False
    weight: Weight = field(default_factory=Weight)
    columnstore: tuple[ColumnstoreChunk, ...] = ()
    grants: LiveGrants | None = None
    later: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Diff(Generic[O, L]):
    """A declaration in three forms: as written, as the server canonicalises it, and as it is live (None: absent).

    Steps compare `canonical` with `live` and write their SQL from `declared`. `context` is what else they depend on.
    """

    declared: O
    canonical: O
    live: L | None = None
    context: Context[L] = field(default_factory=Context)

    @property
    def name(self) -> str:
        """The object's full name as people write it."""
        return self.declared.full_name

    @property
    def present(self) -> L:
        """The live object; ValueError where there is none."""
        if self.live is None:
            raise ValueError(f"{self.name} does not exist yet")
        return self.live

    @property
    def allowed(self) -> frozenset[str]:
        """The hazards that the run or the object itself allows."""
        return frozenset((*self.context.allow, *self.declared.allow))

    @property
    def weight(self) -> Weight:
        """What a change touches; nothing for an object that is about to be created."""
        return self.context.weight

    def with_live(self, live: L, **context: Any) -> Self:
        """Return the diff as it stands after some of its steps: another live object, and what changes around it."""
        return replace(self, live=live, context=replace(self.context, **context))

    def dependants_on(self, columns: Collection[str]) -> list[Dependant]:
        """Return the objects that depend on these columns."""
        return [dependant for dependant in self.context.dependants if dependant.column in columns]


@dataclass(frozen=True)
class TableDiff(Diff[Table, LiveTable]):
    """The diff of a table."""

    @property
    def has_columnstore(self) -> bool:
        """Whether the live table has the columnstore enabled, which forbids some changes."""
        return self.live is not None and self.live.table.compression is not None

    @property
    def transaction(self) -> Transaction:
        """Changes to tables with rows commit one by one, so that each lock is short; all others go together."""
        return Transaction.OWN if self.weight.has_rows else Transaction.SHARED

    @property
    def online(self) -> bool:
        """Whether indexes must be built without blocking writers. The embedded server has no writers, and cannot."""
        return self.weight.has_rows and not self.context.single_process

    @property
    def relation(self) -> str:
        """The word that ALTER takes before the relation's name."""
        return "TABLE"

    @property
    def index_schema(self) -> str:
        """The schema that its indexes are in."""
        return self.declared.schema

    @property
    def renames_indexes(self) -> bool:
        """Whether its owner may rename its indexes."""
        return True

    @property
    def created(self) -> Table:
        """What CREATE TABLE takes: the declared table without the foreign keys to tables that come after it."""
        return replace(self.declared, foreign_keys=tuple(
            key for key in self.declared.foreign_keys if key.table not in self.context.later))

    def once_created(self) -> TableDiff:
        """Return the diff as it stands right after CREATE TABLE, which creates columns and constraints only."""
        bare = replace(self.canonical, indexes=(), hypertable=None, compression=None, retention=None, reorder=None,
                       triggers=(), row_security=None, comment=None, replica_identity="default", cluster=None,
                       columns=tuple(replace(column, comment=None, storage=None, compression=None, statistics=None,
                                             numbers=None if column.serial else column.numbers)
                                     for column in self.canonical.columns),
                       keys=tuple(replace(key, comment=None) for key in self.canonical.keys),
                       foreign_keys=tuple(replace(key, comment=None) for key in self.canonical.foreign_keys
                                          if key.valid and key.table not in self.context.later),
                       checks=tuple(replace(check, comment=None) for check in self.canonical.checks if check.valid),
                       exclusions=tuple(replace(one, comment=None, statistics=()) for one in self.canonical.exclusions))
        return self.with_live(LiveTable(bare))
