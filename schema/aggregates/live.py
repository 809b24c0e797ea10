"""A continuous aggregate as it is and as it is compared, and the same seen as the hypertable that holds it; pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from schema.aggregates import aggregate_query
from schema.aggregates.aggregate_query import Bucket
from schema.aggregates.refresh_windows import Moment
from schema.model.live import ColumnstoreChunk, Compared, Comparison, LiveTable, PolicyJob, Weight
from schema.model.objects import ContinuousAggregate, Hypertable, Table

# The names that an aggregate bears while it is being built, and while it waits to be dropped; and what its comment says
# then, without which nobody's aggregate is taken for one of ours.
BESIDE, OLD = "__new", "__old"
BUILDING, REPLACED = "being built, to be renamed when it is complete", "replaced, to be dropped"
# What the comment of a column says that was added and whose older buckets are not computed yet.
UNFILLED = "not computed yet before "


INDEXES = "_timescaledb_internal"  # the schema of every index on an aggregate


@dataclass(frozen=True)
class Grant:
    """What `grantee` (None: everybody) may do with the aggregate, or with one column of it."""

    privilege: str
    grantee: str | None
    column: str | None = None
    grantable: bool = False


@dataclass(frozen=True)
class Dependant:
    """A view, materialized view or function that stands on the aggregate and uses these columns of it."""

    kind: str
    name: str
    query: str | None = None
    options: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Column:
    """A column of the aggregate; `unfilled` is where its computed buckets begin while it is being filled."""

    name: str
    type: str
    unfilled: Moment | None = None


@dataclass(frozen=True)
class LiveAggregate:
    """A continuous aggregate as it is. `relation` is the hypertable that holds it, `source` what it reads, `above` are
    the aggregates that read it, `columnstore` the compressed chunks that may be compressed anew."""

    object: ContinuousAggregate
    owner: str = ""
    relation: str = ""
    source: str = ""
    chunk: str = "0"
    columns: tuple[Column, ...] = ()
    above: tuple[str, ...] = ()
    invalid: frozenset[str] = frozenset()
    jobs: tuple[PolicyJob, ...] = ()
    grants: tuple[Grant, ...] = ()
    dependants: tuple[Dependant, ...] = ()
    weight: Weight = field(default_factory=Weight)
    columnstore: tuple[ColumnstoreChunk, ...] = ()

    @property
    def bucket(self) -> Bucket:
        """Its grouping by time."""
        return bucket_of(self.object)

    def owns_index(self, name: str) -> bool:
        """Whether the index is one that TimescaleDB made of itself, for time or a group."""
        return name.startswith(f"{self.relation.rpartition('.')[2]}_")


@dataclass(frozen=True)
class Span:
    """The first and last row of the source (None: it is empty), the first bucket that is ready, the last one built
    beside, how long the source's chunks are, and where its rows begin where retention has dropped older ones."""

    first: Moment | None
    last: Moment | None
    chunk: str
    live_first: Moment | None = None
    beside_last: Moment | None = None
    dropped: Moment | None = None


@dataclass(frozen=True)
class AggregateComparison(Compared[ContinuousAggregate, LiveAggregate]):
    """An aggregate compared. `beside` and `old` are those that an interrupted rebuild left.

    `moves`: its source is going to be built anew, or was. `span` is read where something has to be computed. `staying`
    are aggregates that stand on it and are not built anew by this plan; `old_source` is the source's former self, which
    nothing else stands on.
    """

    beside: LiveAggregate | None = None
    old: LiveAggregate | None = None
    span: Span | None = None
    moves: bool = False
    staying: tuple[str, ...] = ()
    old_source: str | None = None

    @property
    def weight(self) -> Weight:
        """What a change touches."""
        return self.live.weight if self.live else Weight()

    def with_live(self, live: LiveAggregate | None) -> AggregateComparison:
        """The comparison as it stands with another live aggregate."""
        return replace(self, live=live)

    def as_table(self) -> Comparison:
        """The hypertable that holds the aggregate, compared: for the parts that both kinds have."""
        live = self.present
        found = LiveTable(as_table(live.object, live.chunk), invalid=live.invalid, jobs=live.jobs, weight=live.weight,
                          columnstore=live.columnstore)
        return Materialized(as_table(self.declared, live.chunk), as_table(self.wanted, live.chunk), found,
                            self.server_version, self.single_process, self.timescaledb)


@dataclass(frozen=True)
class Materialized(Comparison):
    """The hypertable of an aggregate, compared; it is changed under the aggregate's name."""

    @property
    def relation(self) -> str:
        """The word that ALTER takes before the relation's name."""
        return "MATERIALIZED VIEW"

    @property
    def index_schema(self) -> str:
        """The schema that TimescaleDB keeps the aggregate's indexes in."""
        return INDEXES

    @property
    def renames_indexes(self) -> bool:
        """Whether the owner may rename its indexes."""
        return False  # that takes the right to create in TimescaleDB's own schema


def bucket_of(aggregate: ContinuousAggregate) -> Bucket:
    """The aggregate's grouping by time; one that has none is never made, so any will do for it."""
    return aggregate_query.bucket(aggregate.query) or Bucket("0", "", "time_bucket")


def as_table(aggregate: ContinuousAggregate, chunk: str = "0") -> Table:
    """The aggregate as the hypertable that holds it, under the aggregate's name."""
    return Table(aggregate.name, (), indexes=aggregate.indexes, compression=aggregate.compression,
                 hypertable=Hypertable(bucket_of(aggregate).name, chunk), retention=aggregate.retention,
                 schema=aggregate.schema)
