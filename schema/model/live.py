"""Live objects: what the server holds, in its own spelling; pure values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Generic, Protocol, TypeVar

from schema.model.objects import (
    Aggregate,
    Compression,
    Declared,
    Function,
    Grant,
    Hypertable,
    Job,
    JobSettings,
    MaterializedView,
    Policy,
    Refresh,
    Reorder,
    Retention,
    Table,
    View,
)

# What the config of a refresh job says of its batches, as Refresh has it, too.
BATCHES = ("buckets_per_batch", "max_batches_per_execution", "refresh_newest_first", "include_tiered_data")
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
    or otherwise; `is_kept`: the owner has all that owners have."""

    owner: str | None = None
    granted: tuple[Grant, ...] = ()
    is_own: bool = True
    is_usual: bool = True
    is_kept: bool = True


@dataclass(frozen=True)
class LiveFunction:
    """A live function. `signature` is what DROP takes, `inputs` are the types that distinguish it from the other
    functions of its name (`overloads`), `dependants` are the objects that keep it from being dropped."""

    object: Function
    signature: str
    inputs: str
    rights: Rights = Rights()
    dependants: tuple[str, ...] = ()
    overloads: tuple[LiveFunction, ...] = ()


@dataclass(frozen=True)
class LiveAggregateFunction:
    """A live aggregate function; `returns` is its result, all else as for functions."""

    object: Aggregate
    returns: str
    inputs: str
    rights: Rights = Rights()
    dependants: tuple[str, ...] = ()
    overloads: tuple[LiveAggregateFunction, ...] = ()

    @property
    def signature(self) -> str:
        """Its arguments as DROP takes them."""
        return self.object.arguments


@dataclass(frozen=True)
class LiveView:
    """A live view; `columns` are (name, type with collation), `rules` the statements that create its rules again."""

    object: View
    columns: tuple[tuple[str, str], ...] = ()
    rights: Rights = Rights()
    rules: tuple[str, ...] = ()


@dataclass(frozen=True)
class LiveMaterializedView:
    """A live materialized view; `columns` are names, `settings` what it would lose if it were created again."""

    object: MaterializedView
    columns: tuple[str, ...] = ()
    rights: Rights = Rights()
    settings: tuple[str, ...] = ()


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


@dataclass(frozen=True)
class PolicyJob:
    """The background job of a policy; `after` is compress_after, drop_after or index_name of its config.

    `created_before` is its limit where it goes by the chunks' creation. `settings` are those that differ from what the
    server chooses by itself; `timezone` is the job's own.
    """

    id: int
    procedure: str
    after: str | None
    schedule: str
    paused: bool
    timezone: str | None = None
    created_before: str | None = None
    settings: JobSettings = field(default_factory=JobSettings)
    config: Mapping[str, Any] = field(default_factory=dict)

    @property
    def window(self) -> str:
        """The part of the data that a refresh policy works on, for people."""
        return f"from {self.config.get('start_offset') or 'the beginning'} to {self.config.get('end_offset') or 'now'}"


@dataclass(frozen=True)
class LiveJob:
    """A live user-defined job; `named` is False where the server keeps no name for it. `doubles` are the numbers of
    other jobs that do the same."""

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
class ChangedValues:
    """How many rows a column's new type changes: None where not counted; not `comparable` where it has no way back."""
    column: str
    rows: int | None
    comparable: bool = True


@dataclass(frozen=True)
class Weight:
    """What a change to a table would touch; read only for tables that differ from their declaration."""

    has_rows: bool = False
    bytes: int = 0
    chunks: int = 0
    compressed_chunks: int = 0
    expired_chunks: int = 0
    columnstore_columns: frozenset[str] = frozenset()
    readable: bool = True
    changed_values: tuple[ChangedValues, ...] = ()

    def changed(self, column: str) -> ChangedValues:
        """What the column's new type does to its values."""
        return next((values for values in self.changed_values if values.column == column), ChangedValues(column, None))

    def text(self) -> str:
        """The weight for people, or nothing for an empty table."""
        size = f"{self.bytes / 2**20:.1f} MiB" if self.has_rows else ""
        if not self.has_rows or not self.chunks:
            return size
        compressed = f", {self.compressed_chunks} in the columnstore" if self.compressed_chunks else ""
        return f"{self.chunks} chunks{compressed}, {size}"


@dataclass(frozen=True)
class LiveTable:
    """A live table. `not_valid` constraints and `invalid` indexes exist but were never finished.

    `policies` are those of row-level security, in force or not; `mixed` are triggers that chunks have enabled and the
    hypertable disabled, or the other way round. `unindexed`: chunks that lack an index of their table. Only a `toasted`
    table can keep parameters of its TOAST table.
    """

    table: Table
    not_valid: frozenset[str] = frozenset()
    invalid: frozenset[str] = frozenset()
    policies: tuple[Policy, ...] = ()
    mixed: frozenset[str] = frozenset()
    jobs: tuple[PolicyJob, ...] = ()
    unindexed: Mapping[str, Sequence[UnindexedChunk]] = field(default_factory=dict)
    toasted: bool = True

    @property
    def object(self) -> Table:
        """The table itself, under the name that every live object has."""
        return self.table


def compression_of(settings: Compression | None, jobs: tuple[PolicyJob, ...]) -> Compression | None:
    """The columnstore settings with what the table's first columnstore job adds to them."""
    job = next((job for job in jobs if job.procedure == "policy_compression"), None)
    if settings is None or job is None:
        return settings
    return replace(settings, after=job.after, created_before=job.created_before, schedule=job.schedule,
                   paused=job.paused, **_settings(job))


def retention_of(jobs: tuple[PolicyJob, ...]) -> Retention | None:
    """What the table's first retention job says."""
    job = next((job for job in jobs if job.procedure == "policy_retention"), None)
    return Retention(job.after, job.schedule, job.paused, job.created_before, **_settings(job)) if job else None


def reorder_of(jobs: tuple[PolicyJob, ...]) -> Reorder | None:
    """What the table's first reorder job says."""
    return next((Reorder(job.after, job.schedule, job.paused, **_settings(job)) for job in jobs
                 if job.procedure == "policy_reorder" and job.after), None)


def refreshes_of(jobs: tuple[PolicyJob, ...]) -> tuple[Refresh, ...]:
    """What the aggregate's refresh jobs say, oldest first."""
    return tuple(refresh_of(job) for job in jobs if job.procedure == "policy_refresh_continuous_aggregate")


def refresh_of(job: PolicyJob) -> Refresh:
    """What one refresh job says."""
    start, end = (None if job.config.get(key) is None else str(job.config[key])
                  for key in ("start_offset", "end_offset"))
    return Refresh(start, end, job.schedule, job.paused, **{key: job.config.get(key) for key in BATCHES},
                   **_settings(job))


def _settings(job: PolicyJob) -> dict[str, Any]:
    return {setting.name: getattr(job.settings, setting.name) for setting in fields(JobSettings)}


def default_time_index(table: Table, hypertable: Hypertable) -> str:
    """The name that `create_hypertable` gives to the index it adds unless told not to."""
    return f"{table.name}_{hypertable.time}_idx"


@dataclass(frozen=True)
class Undeclared:
    """A live object that nobody declares; `signature` is its name, with a function's arguments, or a job's number."""

    kind: str
    name: str
    signature: str
    schema: str = "public"
    has_rows: bool = False
    foreign_keys: tuple[str, ...] = ()
