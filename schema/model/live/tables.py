"""Live tables and hypertables, and what a change to one would touch; pure values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from schema.model.live.jobs import PolicyJob
from schema.model.objects import Hypertable, Policy, Table


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


def default_time_index(table: Table, hypertable: Hypertable) -> str:
    """The name that `create_hypertable` gives to the index it adds unless told not to."""
    return f"{table.name}_{hypertable.time}_idx"
