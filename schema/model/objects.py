"""Declarations of database objects: frozen values in SQL's own terms; pure, no driver, no server."""

from __future__ import annotations

from dataclasses import dataclass

from schema.model.declarations.foundations import Attribute as Attribute
from schema.model.declarations.foundations import Check as Check
from schema.model.declarations.foundations import Collation as Collation
from schema.model.declarations.foundations import CompositeType as CompositeType
from schema.model.declarations.foundations import Domain as Domain
from schema.model.declarations.foundations import Extension as Extension
from schema.model.declarations.foundations import Sequence as Sequence
from schema.model.declarations.policies import Compression as Compression
from schema.model.declarations.policies import Dimension as Dimension
from schema.model.declarations.policies import Hypertable as Hypertable
from schema.model.declarations.policies import JobSettings as JobSettings
from schema.model.declarations.policies import Refresh as Refresh
from schema.model.declarations.policies import Reorder as Reorder
from schema.model.declarations.policies import Retention as Retention
from schema.model.declarations.routines import Aggregate as Aggregate
from schema.model.declarations.routines import Function as Function
from schema.model.declarations.routines import Job as Job
from schema.model.declarations.row_security import Policy as Policy
from schema.model.declarations.row_security import RowSecurity as RowSecurity
from schema.model.declarations.schemas import DefaultGrant as DefaultGrant
from schema.model.declarations.schemas import Schema as Schema
from schema.model.declarations.table_parts import Column as Column
from schema.model.declarations.table_parts import Exclusion as Exclusion
from schema.model.declarations.table_parts import ForeignKey as ForeignKey
from schema.model.declarations.table_parts import Index as Index
from schema.model.declarations.table_parts import Key as Key
from schema.model.declarations.table_parts import Numbers as Numbers
from schema.model.declarations.table_parts import Trigger as Trigger
from schema.model.declared import CLASS_BY_KIND as CLASS_BY_KIND
from schema.model.declared import Declared as Declared
from schema.model.declared import Grant as Grant
from schema.model.declared import Object as Object
from schema.model.declared import kind_of as kind_of
from schema.model.declared import qualified as qualified
from schema.model.versions import since


@dataclass(frozen=True)
class Table(Declared, kind="table"):
    """A table with its columns, constraints, indexes, triggers and policies.

    `options` are storage parameters, such as "fillfactor = 70" or "toast.autovacuum_enabled = off". `replica_identity`
    is default, full, nothing, or the name of a unique index; `cluster` names the index that CLUSTER follows.
    """

    name: str
    columns: tuple[Column, ...]
    keys: tuple[Key, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    checks: tuple[Check, ...] = ()
    indexes: tuple[Index, ...] = ()
    hypertable: Hypertable | None = None
    compression: Compression | None = None
    retention: Retention | None = None
    reorder: Reorder | None = None
    triggers: tuple[Trigger, ...] = ()
    row_security: RowSecurity | None = None
    exclusions: tuple[Exclusion, ...] = ()
    options: tuple[str, ...] = ()
    unlogged: bool = False
    replica_identity: str = "default"
    cluster: str | None = None


@dataclass(frozen=True)
class ContinuousAggregate(Declared, kind="aggregate"):
    """A continuous aggregate: a query over a hypertable or another aggregate that groups by time_bucket, stored and
    refreshed.

    With `real_time`, rows that are not materialized yet are computed by each query. `further_refreshes` are policies of
    other windows than `refresh`. `chunk` is how long its chunks are; None: as the server has it.
    """

    name: str
    query: str
    real_time: bool = False
    refresh: Refresh | None = None
    indexes: tuple[Index, ...] = ()
    compression: Compression | None = None
    retention: Retention | None = None
    further_refreshes: tuple[Refresh, ...] = ()
    chunk: str | None = None


@dataclass(frozen=True)
class ViewColumn:
    """What a column of a view has beside the query: the default for an INSERT through the view, a comment."""

    name: str
    default: str | None = None
    comment: str | None = None


@dataclass(frozen=True)
class View(Declared, kind="view"):
    """A view.

    With `security_barrier` no function of a caller sees rows that the query leaves out. `check_option`, local or
    cascaded, refuses rows written through the view that it would not show. `columns` are those that have a default or
    a comment.
    """

    name: str
    query: str
    security_invoker: bool = since(15, False)
    security_barrier: bool = False
    check_option: str | None = None
    columns: tuple[ViewColumn, ...] = ()
    triggers: tuple[Trigger, ...] = ()


@dataclass(frozen=True)
class MaterializedView(Declared, kind="materialized_view"):
    """A query whose rows are stored until they are computed again, with indexes; not `with_data`: empty until then.

    `columns` are those that have a comment. `options` are storage parameters such as "fillfactor = 70", `method` is
    the table access method.
    """

    name: str
    query: str
    indexes: tuple[Index, ...] = ()
    columns: tuple[ViewColumn, ...] = ()
    options: tuple[str, ...] = ()
    tablespace: str | None = None
    method: str | None = None
    with_data: bool = True


@dataclass(frozen=True)
class ValueRename:
    """A new name for a value of an enum."""

    old: str
    new: str


@dataclass(frozen=True)
class Enum(Declared, kind="enum"):
    """An enum type with these values, in this order."""

    name: str
    values: tuple[str, ...]
    renames: tuple[ValueRename, ...] = ()


@dataclass(frozen=True)
class Statistics(Declared, kind="statistics"):
    """Extended statistics: what ANALYZE collects about these columns of `table` (`schema.table` outside public)
    together, and about expressions.

    The order of `columns`, of `expressions` and of `kinds` has no meaning. Statistics of one expression alone have no
    kinds.
    """

    name: str
    table: str
    columns: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ("ndistinct", "dependencies", "mcv")
    expressions: tuple[str, ...] = since(14, ())
