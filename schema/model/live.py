"""What the server holds, and what it is compared with; pure values."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Generic, Protocol, TypeVar

from schema.model.objects import (
    Compression,
    Declared,
    Function,
    Hypertable,
    Job,
    Policy,
    Reorder,
    Retention,
    Table,
    View,
)
from schema.model.step import Transaction

O = TypeVar("O", bound=Declared)  # noqa: E741 (the object, as L is what lives)
L = TypeVar("L", bound="Live")


class Live(Protocol):
    """What a reader finds: the object in the server's words, and whatever more its kind has to know."""

    @property
    def object(self) -> Declared:
        """The object in the server's words."""


@dataclass(frozen=True)
class Found(Generic[O]):
    """A live object of which nothing more has to be known."""

    object: O


@dataclass(frozen=True)
class Compared(Generic[O, L]):
    """One object three times: `declared` in the program's words, `wanted` the same in the server's, `live` as it is.

    SQL is written from `declared`; equality is asked of `wanted`. `renamed` is the full name that the object bears on
    the server where that is another; `live` has the new one already. `made` is what the server made of the declaration
    to tell its words, `dependants` what stands in the way of a change, and a view that is `dropped` for another
    object's sake has to be made again.
    """

    declared: O
    wanted: O
    live: L | None
    server_version: int = 0
    single_process: bool = False
    timescaledb: tuple[int, ...] = ()
    renamed: str | None = None
    made: L | None = None
    dependants: tuple[Dependant, ...] = ()
    dropped: bool = False

    def dependants_on(self, columns: Collection[str]) -> list[Dependant]:
        """What stands on these columns."""
        return [dependant for dependant in self.dependants if dependant.column in columns]

    @property
    def name(self) -> str:
        """The object's name as people write it."""
        return self.declared.full_name

    @property
    def present(self) -> L:
        """The live object of a comparison whose object exists."""
        if self.live is None:
            raise ValueError(f"{self.name} does not exist yet")
        return self.live


@dataclass(frozen=True)
class Rights:
    """Grants as (privileges, column or None, role), roles that get none by default, the owner if not the login."""

    granted: tuple[tuple[str, str | None, str], ...] = ()
    withdrawn: tuple[str, ...] = ()
    owner: str | None = None


@dataclass(frozen=True)
class LiveFunction:
    """A function as it is: `signature` as DROP takes it, `inputs` the types that tell it from others of its name
    (`overloads`), `dependants` what keeps it from being dropped."""

    object: Function
    signature: str
    inputs: str
    rights: Rights = Rights()
    dependants: tuple[str, ...] = ()
    overloads: tuple[LiveFunction, ...] = ()


@dataclass(frozen=True)
class LiveView:
    """A view as it is; `columns` are (name, type with collation)."""

    object: View
    columns: tuple[tuple[str, str], ...] = ()
    rights: Rights = Rights()


@dataclass(frozen=True)
class Dependant:
    """What stands on a relation, directly or not (`depth`), as the catalog says; `column` is the relation's.

    A view that is declared can be dropped and made again: `live` and `declared`. `planned` is one of the objects that
    this plan is for; `later` is made again by its own step of the plan.
    """

    name: str
    column: str
    depth: int = 1
    live: LiveView | None = None
    declared: View | None = None
    planned: bool = False
    later: bool = False


@dataclass(frozen=True)
class PolicyJob:
    """A policy's background job; `after` is what its config calls compress_after, drop_after or index_name."""

    id: int
    procedure: str
    after: str | None
    schedule: str
    paused: bool
    timezone: str | None = None


@dataclass(frozen=True)
class LiveJob:
    """A user-defined job as it is; `named` is False for one that the server has no name for. `doubles` are the numbers
    of other jobs that do the same."""

    object: Job
    id: int
    named: bool
    doubles: tuple[int, ...] = ()


@dataclass(frozen=True)
class ColumnstoreChunk:
    """A chunk that is in the columnstore, with the settings it was compressed with; `name` is its full name."""

    name: str
    segment_by: tuple[str, ...]
    order_by: tuple[str, ...]
    bytes: int = 0


@dataclass(frozen=True)
class UnindexedChunk:
    """A chunk that lacks an index which its table has, or whose own is invalid (`broken`); both are full names."""

    chunk: str
    broken: str | None = None


@dataclass(frozen=True)
class Weight:
    """What a change to a table would touch; read only for tables that differ from their declaration."""

    has_rows: bool = False
    bytes: int = 0
    chunks: int = 0
    compressed_chunks: int = 0
    expired_chunks: int = 0
    columnstore_columns: frozenset[str] = frozenset()

    def text(self) -> str:
        """The weight for people, or nothing for an empty table."""
        if not self.has_rows:
            return ""
        size = f"{self.bytes / 2**20:.1f} MiB"
        if not self.chunks:
            return size
        compressed = f", {self.compressed_chunks} in the columnstore" if self.compressed_chunks else ""
        return f"{self.chunks} chunks{compressed}, {size}"


@dataclass(frozen=True)
class LiveTable:
    """A table as it is. `not_valid` constraints and `invalid` indexes exist but were never finished.

    `policies` are those of row-level security, in force or not; `mixed` are triggers that chunks have enabled and the
    hypertable disabled, or the other way round. `unindexed` says which chunks lack an index that the table has;
    `columnstore` are the compressed chunks that may be compressed anew, where the declaration asks for that.
    """

    table: Table
    not_valid: frozenset[str] = frozenset()
    invalid: frozenset[str] = frozenset()
    policies: tuple[Policy, ...] = ()
    mixed: frozenset[str] = frozenset()
    jobs: tuple[PolicyJob, ...] = ()
    weight: Weight = Weight()
    unindexed: Mapping[str, Sequence[UnindexedChunk]] = field(default_factory=dict)
    columnstore: tuple[ColumnstoreChunk, ...] = ()

    @property
    def object(self) -> Table:
        """The table itself, under the name that every live object has."""
        return self.table


@dataclass(frozen=True)
class Comparison(Compared[Table, LiveTable]):
    """A table compared."""

    @property
    def weight(self) -> Weight:
        """What a change touches; nothing for a table that is about to be created."""
        return self.live.weight if self.live else Weight()

    @property
    def has_columnstore(self) -> bool:
        """Whether the live table has the columnstore enabled, which forbids some changes."""
        return self.live is not None and self.live.table.compression is not None

    @property
    def transaction(self) -> Transaction:
        """Changes to tables with rows commit one by one, so that each lock is short; all others go together."""
        return Transaction.OWN if self.weight.has_rows else Transaction.SHARED

    @property
    def beside_writers(self) -> bool:
        """Whether indexes are to be built beside writers. The embedded server has none, and cannot."""
        return self.weight.has_rows and not self.single_process

    @property
    def relation(self) -> str:
        """What ALTER calls it."""
        return "TABLE"

    @property
    def index_schema(self) -> str:
        """The schema that its indexes are in."""
        return self.declared.schema

    @property
    def renames_indexes(self) -> bool:
        """Whether its owner may rename its indexes."""
        return True

    def once_created(self) -> Comparison:
        """The comparison as it stands right after CREATE TABLE, which makes columns and constraints."""
        bare = replace(self.wanted, indexes=(), hypertable=None, compression=None, retention=None, reorder=None,
                       triggers=(), row_security=None, comment=None,
                       columns=tuple(replace(column, comment=None) for column in self.wanted.columns),
                       keys=tuple(replace(key, comment=None) for key in self.wanted.keys),
                       foreign_keys=tuple(replace(key, comment=None) for key in self.wanted.foreign_keys),
                       checks=tuple(replace(check, comment=None) for check in self.wanted.checks))
        return replace(self, live=LiveTable(bare))


def compression_of(settings: Compression | None, jobs: tuple[PolicyJob, ...]) -> Compression | None:
    """The columnstore settings with what the table's first columnstore job adds to them."""
    job = next((job for job in jobs if job.procedure == "policy_compression"), None)
    if settings is None or job is None:
        return settings
    return replace(settings, after=job.after, schedule=job.schedule, paused=job.paused)


def retention_of(jobs: tuple[PolicyJob, ...]) -> Retention | None:
    """What the table's first retention job says."""
    job = next((job for job in jobs if job.procedure == "policy_retention" and job.after), None)
    return Retention(job.after or "", job.schedule, job.paused) if job else None


def reorder_of(jobs: tuple[PolicyJob, ...]) -> Reorder | None:
    """What the table's first reorder job says."""
    job = next((job for job in jobs if job.procedure == "policy_reorder" and job.after), None)
    return Reorder(job.after or "", job.schedule, job.paused) if job else None


def default_time_index(table: Table, hypertable: Hypertable) -> str:
    """The name that `create_hypertable` gives to the index it adds unless told not to."""
    return f"{table.name}_{hypertable.time}_idx"


@dataclass(frozen=True)
class Undeclared:
    """Something live that nobody declares; `signature` is its name, with a function's arguments, or a job's number."""

    kind: str
    name: str
    signature: str
    schema: str = "public"
    has_rows: bool = False
    foreign_keys: tuple[str, ...] = ()
