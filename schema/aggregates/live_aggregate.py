"""Live continuous aggregates, their diffs, and both seen as the hypertable that holds the aggregate; pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from schema.aggregates import aggregate_query
from schema.aggregates.aggregate_query import Bucket
from schema.aggregates.query_change import Change
from schema.aggregates.refresh_windows import Moment, later
from schema.model.change.diff import Context, Diff, TableDiff
from schema.model.live.jobs import PolicyJob
from schema.model.live.tables import LiveTable
from schema.model.names import LONGEST_BYTES, ident
from schema.model.objects import ContinuousAggregate, Hypertable, Index, Table
from schema.model.table_options import bare_index

# The suffixes of an aggregate's name while it is being built, and while it waits to be dropped. Only an aggregate whose
# comment says so, too, is taken for one of ours.
NEW, OLD = "__new", "__old"
BUILDING, REPLACED = "being built, to be renamed when it is complete", "replaced, to be dropped"
# The comment of an added column whose older buckets are not computed yet.
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
    """A view, materialized view or function that depends on the aggregate and uses these columns of it."""

    kind: str
    name: str
    query: str | None = None
    options: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Column:
    """A column of the aggregate; while it is being filled, its computed buckets begin at `unfilled`.

    `stale`: it was renamed, and the view's stored query has its former name.
    """

    name: str
    type: str
    unfilled: Moment | None = None
    stale: bool = False


@dataclass(frozen=True)
class LiveAggregate:
    """A live continuous aggregate. `relation` is the hypertable that holds it, `source` the relation that it reads,
    `above` are the aggregates that read it. Indexes of `lent_names` have no name of their own on the server."""

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
    lent_names: frozenset[str] = frozenset()

    @property
    def bucket(self) -> Bucket:
        """Its grouping by time."""
        return bucket_of(self.object)

    def owns_index(self, name: str) -> bool:
        """Whether the index has no name of its own: TimescaleDB created it, for time or a group, or somebody without a
        name."""
        return name.startswith(f"{self.relation.rpartition('.')[2]}_")

    def unnamed_indexes(self) -> list[Index]:
        """The indexes without a name of their own, but for the one on time that every new aggregate has; they have
        names here that fit any server: with the aggregate's in place of its hypertable's."""
        prefix = f"{self.relation.rpartition('.')[2]}_"
        taken = {index.name for index in self.object.indexes}
        # The indexes of all aggregates are in one schema.
        own = self.object.name if self.object.schema == "public" else f"{self.object.schema}_{self.object.name}"
        names = {index: f"{own}_{index.name.removeprefix(prefix)}"[:LONGEST_BYTES]
                 for index in self.object.indexes if index.name.startswith(prefix)
                 and index.columns != (f"{ident(self.bucket.name)} DESC",)}
        return [replace(index, name=name) for index, name in names.items() if name not in taken]

    def index_names(self) -> set[str]:
        """The names that indexes have on the server, but for those that are nobody's choice."""
        return {index.name for index in self.object.indexes} - self.lent_names

    def named_like(self, canonical: ContinuousAggregate) -> LiveAggregate:
        """Return the aggregate with those indexes that have no name of their own under the names of declared ones that
        are the same."""
        present = {index.name for index in self.object.indexes}
        free = {replace(index, name=""): index.name for index in canonical.indexes if index.name not in present}
        names = {index.name: free.pop(replace(index, name="")) for index in self.object.indexes
                 if self.owns_index(index.name) and index.name not in self.invalid and replace(index, name="") in free}
        indexes = tuple(replace(index, name=names.get(index.name, index.name)) for index in self.object.indexes)
        return replace(self, object=replace(self.object, indexes=indexes), lent_names=frozenset(names.values()))

    def carried_indexes(self, declared: Iterable[Index]) -> list[Index]:
        """The indexes without a name of their own that a new aggregate in its place gets, too, as nobody declares
        them."""
        known = set(map(bare_index, declared))
        return [replace(index, name="") for index in self.unnamed_indexes() if bare_index(index) not in known]

    def declarable_indexes(self) -> list[Index]:
        """All indexes but the one on time that every new aggregate has."""
        return [*(index for index in self.object.indexes if not self.owns_index(index.name)), *self.unnamed_indexes()]


@dataclass(frozen=True)
class Span:
    """The times between which buckets have to be computed.

    `first` and `last` row of the source (None: it is empty), length of the source's chunks, first bucket of the live
    aggregate, last bucket of the one being built, and where the source's rows begin since retention dropped older ones.
    """

    first: Moment | None
    last: Moment | None
    chunk: str
    live_first: Moment | None = None
    building_last: Moment | None = None
    dropped: Moment | None = None


@dataclass(frozen=True)
class AggregateContext(Context[LiveAggregate]):
    """What planning an aggregate needs to know, apart from its three forms.

    `change` is what its query needs; `source_rebuilt`: the relation that it reads is replaced by a new one, by this
    plan or by an interrupted one. `span` is read where buckets have to be computed. An interrupted rebuild left
    `building`, the unfinished new aggregate, or `replaced`, the old one. `staying` are aggregates that read the old one
    and are not rebuilt by this plan; `old_source` is the name of a replaced source that nothing reads any more.
    """

    change: Change = field(default_factory=Change)
    source_rebuilt: bool = False
    span: Span | None = None
    building: LiveAggregate | None = None
    replaced: LiveAggregate | None = None
    staying: tuple[str, ...] = ()
    old_source: str | None = None


@dataclass(frozen=True)
class AggregateDiff(Diff[ContinuousAggregate, LiveAggregate]):
    """The diff of a continuous aggregate."""

    context: AggregateContext = field(default_factory=AggregateContext)

    @property
    def loses_history(self) -> bool:
        """Whether a rebuild loses buckets of the live aggregate."""
        return self.live is not None and lost_history(self.live, self.context.span)

    def as_table(self) -> TableDiff:
        """Return the diff of the hypertable that holds the aggregate, for the parts that tables have, too."""
        live, context = self.present, self.context
        table = LiveTable(as_table(live.object, live.chunk), invalid=live.invalid, jobs=live.jobs)
        return MaterializedDiff(
            as_table(self.declared, live.chunk), as_table(self.canonical, live.chunk), table,
            Context(context.server_version, context.timescaledb, context.single_process, context.allow,
                    weight=context.weight, columnstore=context.columnstore))


@dataclass(frozen=True)
class MaterializedDiff(TableDiff):
    """The diff of the hypertable that holds an aggregate; it is changed under the aggregate's name."""

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
        return False  # that needs the right to create objects in TimescaleDB's own schema


def bucket_of(aggregate: ContinuousAggregate) -> Bucket:
    """The aggregate's grouping by time; a placeholder where there is none: the server creates no such aggregate."""
    return aggregate_query.bucket(aggregate.query) or Bucket("0", "", "time_bucket")


def as_table(aggregate: ContinuousAggregate, chunk: str = "0") -> Table:
    """Return the aggregate as the hypertable that holds it, under the aggregate's name."""
    return Table(aggregate.name, (), indexes=aggregate.indexes, compression=aggregate.compression,
                 hypertable=Hypertable(bucket_of(aggregate).name, chunk), retention=aggregate.retention,
                 schema=aggregate.schema)


def lost_history(live: LiveAggregate, span: Span | None) -> bool:
    """Whether the live aggregate holds buckets whose rows its source no longer has, all of them or some."""
    if span is None or span.live_first is None:
        return False
    if span.dropped is not None and _before(span.live_first, span.dropped):
        return True
    return span.first is None or not _before(span.first, later(span.live_first, live.bucket.width))


def _before(one: Moment, other: Moment) -> bool:
    return bool(one < other)  # type: ignore[operator]  # both are of the time column's type
