"""What a database can be declared to hold: frozen values in SQL's own words; pure, no driver, no server."""

from __future__ import annotations

from dataclasses import dataclass

from schema.model.declared import KINDS as KINDS
from schema.model.declared import Declared as Declared
from schema.model.declared import Object as Object
from schema.model.declared import kind_of as kind_of
from schema.model.declared import qualified as qualified
from schema.model.versions import since


@dataclass(frozen=True)
class Column:
    """One column. `serial` owns a sequence and defaults to its next value; `default` and `generated` are SQL."""

    name: str
    type: str
    null: bool = True
    default: str | None = None
    serial: bool = False
    identity: str | None = None
    generated: str | None = None
    comment: str | None = None
    renamed_from: str | None = None


@dataclass(frozen=True)
class Key:
    """A primary or unique constraint."""

    name: str
    columns: tuple[str, ...]
    primary: bool = False
    comment: str | None = None


@dataclass(frozen=True)
class ForeignKey:
    """Rows of `columns` exist in `table` (`schema.table` outside of public)."""

    name: str
    columns: tuple[str, ...]
    table: str
    references: tuple[str, ...] = ("id",)
    on_delete: str = "no action"
    on_update: str = "no action"
    comment: str | None = None


@dataclass(frozen=True)
class Check:
    """Every row satisfies `expression`, or leaves it unknown (NULL)."""

    name: str
    expression: str
    comment: str | None = None


@dataclass(frozen=True)
class Index:
    """An index; `columns` are SQL terms: a name or an expression in parentheses, then opclass, DESC, NULLS FIRST."""

    name: str
    columns: tuple[str, ...]
    unique: bool = False
    method: str = "btree"
    include: tuple[str, ...] = ()
    where: str | None = None
    comment: str | None = None


@dataclass(frozen=True)
class Trigger:
    """`calls` (a function with its arguments) whenever `fires` says, such as "BEFORE INSERT OR UPDATE OF email".

    `each` is row or statement, `when` a condition on OLD and NEW, `referencing` the transition tables.
    """

    name: str
    fires: str
    calls: str
    each: str = "row"
    when: str | None = None
    referencing: str | None = None
    disabled: bool = False
    comment: str | None = None


@dataclass(frozen=True)
class Policy:
    """A row-level security policy: rows are visible where `using` holds and may be written where `check` holds.

    `command` is all, select, insert, update or delete; a policy that is not `permissive` is restrictive.
    """

    name: str
    using: str | None = None
    check: str | None = None
    command: str = "all"
    roles: tuple[str, ...] = ("public",)
    permissive: bool = True
    comment: str | None = None


@dataclass(frozen=True)
class RowSecurity:
    """Row-level security is on, for the owner too where `forced`; without a policy nobody sees a row."""

    policies: tuple[Policy, ...] = ()
    forced: bool = False


@dataclass(frozen=True)
class Dimension:
    """A further dimension of a hypertable: hashed into `partitions`, or ranges of `interval`; one of the two."""

    column: str
    partitions: int | None = None
    interval: str | None = None


@dataclass(frozen=True)
class Hypertable:
    """Partitioned by `time` into chunks of `chunk` (an interval, or a number where the column is an integer).

    `now` names the function that tells the present in an integer column's unit, which policies need there.
    `tablespaces` are those that new chunks are spread over.
    """

    time: str
    chunk: str
    dimensions: tuple[Dimension, ...] = ()
    now: str | None = None
    tablespaces: tuple[str, ...] = ()


@dataclass(frozen=True)
class Compression:
    """Chunks older than `after` go to the columnstore; without `after` no policy does it, without `schedule` the
    server's own holds. Settings reach future chunks only, but for those compressed chunks that are younger than
    `recompress`, which are compressed anew."""

    after: str | None = None
    segment_by: tuple[str, ...] = ()
    order_by: tuple[str, ...] = ()
    schedule: str | None = None
    paused: bool = False
    recompress: str | None = None


@dataclass(frozen=True)
class Retention:
    """Chunks whose rows are all older than `drop_after` are dropped. No `schedule`: the server's."""

    drop_after: str
    schedule: str | None = None
    paused: bool = False


@dataclass(frozen=True)
class Reorder:
    """Chunks are rewritten in the order of `index`, one by one, once they are no longer written to."""

    index: str
    schedule: str | None = None
    paused: bool = False


@dataclass(frozen=True)
class Table(Declared, kind="table"):
    """A table and everything that lives and dies with it."""

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


@dataclass(frozen=True)
class Refresh:
    """The aggregate follows its source from `start` to `end` before now (None: without limit) every `schedule`."""

    start: str | None = None
    end: str | None = None
    schedule: str = "1 hour"
    paused: bool = False


@dataclass(frozen=True)
class ContinuousAggregate(Declared, kind="aggregate"):
    """A query over a hypertable or another aggregate, grouped by time_bucket, kept ready and brought up to date.

    With `real_time`, what is not materialized yet is computed when asked for.
    """

    name: str
    query: str
    real_time: bool = False
    refresh: Refresh | None = None
    indexes: tuple[Index, ...] = ()
    compression: Compression | None = None
    retention: Retention | None = None


@dataclass(frozen=True)
class View(Declared, kind="view"):
    """A named query."""

    name: str
    query: str
    security_invoker: bool = since(15, False)


@dataclass(frozen=True)
class Function(Declared, kind="function"):
    """A function, or a procedure where nothing is returned (`returns` None); `body` is its text. One for each name."""

    name: str
    body: str
    arguments: str = ""
    returns: str | None = "void"
    language: str = "plpgsql"
    volatility: str = "volatile"
    parallel: str = "unsafe"
    strict: bool = False
    security_definer: bool = False
    settings: tuple[str, ...] = ()


@dataclass(frozen=True)
class ValueRename:
    """An enum's value that is now called otherwise."""

    old: str
    new: str


@dataclass(frozen=True)
class Enum(Declared, kind="enum"):
    """A type whose values are these, in this order."""

    name: str
    values: tuple[str, ...]
    renames: tuple[ValueRename, ...] = ()


@dataclass(frozen=True)
class Job(Declared, kind="job"):
    """A procedure (`schema.name` outside of public) that TimescaleDB runs every `schedule` with `config` (JSON)."""

    name: str
    procedure: str
    schedule: str
    config: str | None = None
    paused: bool = False
    fixed_schedule: bool = True
    timezone: str | None = None
    max_runtime: str | None = None
    max_retries: int | None = None
    retry_period: str | None = None


@dataclass(frozen=True)
class Statistics(Declared, kind="statistics"):
    """What the planner learns of these columns together whenever `table` (`schema.table` outside of public) is
    analyzed; the order of `columns` and of `kinds` tells nothing."""

    name: str
    table: str
    columns: tuple[str, ...]
    kinds: tuple[str, ...] = ("ndistinct", "dependencies", "mcv")
