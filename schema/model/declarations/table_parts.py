"""Columns, constraints, indexes and triggers of a table, as frozen values; pure."""

from __future__ import annotations

from dataclasses import dataclass

from schema.model.versions import since


@dataclass(frozen=True)
class Numbers:
    """How an identity column counts: as a sequence does. Without bounds those of the type, without `start` the first
    within them."""

    start: int | None = None
    increment: int = 1
    minimum: int | None = None
    maximum: int | None = None
    cache: int = 1
    cycle: bool = False


@dataclass(frozen=True)
class Column:
    """One column. `default`, `generated` and `collation` are SQL.

    `serial` means a default from a sequence that the column owns. `numbers` are the options of an identity. A generated
    column that is `virtual` is computed when it is read. `storage` is plain, external, extended or main, `compression`
    pglz or lz4, `statistics` the statistics target; without them the type's or the server's own.
    """

    name: str
    type: str
    null: bool = True
    default: str | None = None
    serial: bool = False
    identity: str | None = None
    generated: str | None = None
    comment: str | None = None
    renamed_from: str | None = None
    collation: str | None = None
    storage: str | None = None
    compression: str | None = since(14, None)
    statistics: int | None = None
    numbers: Numbers | None = None
    virtual: bool = since(18, False)


@dataclass(frozen=True)
class Key:
    """A primary or unique constraint.

    `include` are columns that its index carries along. Unless `nulls_distinct`, NULL equals NULL. The last column of a
    key `without_overlaps` is a range, and no two rows of equal other columns overlap in it. A `deferrable` one is
    checked at the end of the transaction where that is asked for, or always (`initially_deferred`). `options` are
    storage parameters of its index, such as "fillfactor = 70".
    """

    name: str
    columns: tuple[str, ...]
    primary: bool = False
    comment: str | None = None
    include: tuple[str, ...] = ()
    nulls_distinct: bool = since(15, True)
    deferrable: bool = False
    initially_deferred: bool = False
    without_overlaps: bool = since(18, False)
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class ForeignKey:
    """A foreign key: the values of `columns` must exist in `references` of `table` (`schema.table` outside public).

    `match` is simple or full. `set_columns` are those that ON DELETE SET NULL or SET DEFAULT sets, where not all. With
    `period` the last columns are ranges, and the rows referred to must cover the referring range. Unless `valid`, rows
    from before need not fulfil it; unless `enforced`, no row need.
    """

    name: str
    columns: tuple[str, ...]
    table: str
    references: tuple[str, ...] = ("id",)
    on_delete: str = "no action"
    on_update: str = "no action"
    comment: str | None = None
    match: str = "simple"
    set_columns: tuple[str, ...] = since(15, ())
    deferrable: bool = False
    initially_deferred: bool = False
    period: bool = since(18, False)
    valid: bool = True
    enforced: bool = since(18, True)


@dataclass(frozen=True)
class Exclusion:
    """An exclusion constraint: no two rows give true for all `elements`, which are index terms with an operator, such
    as "room WITH =", "during WITH &&"; `statistics` are their statistics targets, as an index has them."""

    name: str
    elements: tuple[str, ...]
    method: str = "gist"
    include: tuple[str, ...] = ()
    where: str | None = None
    deferrable: bool = False
    initially_deferred: bool = False
    options: tuple[str, ...] = ()
    comment: str | None = None
    statistics: tuple[int, ...] = ()


@dataclass(frozen=True)
class Index:
    """An index.

    `columns` are SQL terms: a column name or an expression in parentheses, then collation, operator class, DESC, NULLS
    FIRST. In a unique one that is not `nulls_distinct`, NULL equals NULL. `options` are storage parameters, such as
    "fillfactor = 70". `statistics` are the statistics targets of the terms in their order, which only expressions have;
    -1 is the server's own.
    """

    name: str
    columns: tuple[str, ...]
    unique: bool = False
    method: str = "btree"
    include: tuple[str, ...] = ()
    where: str | None = None
    comment: str | None = None
    nulls_distinct: bool = since(15, True)
    options: tuple[str, ...] = ()
    statistics: tuple[int, ...] = ()


@dataclass(frozen=True)
class Trigger:
    """A trigger that calls the function `calls` (with its arguments) on `fires`, such as "BEFORE INSERT OR UPDATE OF
    email".

    `each` is row or statement, `when` a condition on OLD and NEW, `referencing` the transition tables. A `constraint`
    trigger can be `deferrable`, and names another table in `from_table`. `role` is the replication role in which it
    fires: origin (and local), replica, or always.
    """

    name: str
    fires: str
    calls: str
    each: str = "row"
    when: str | None = None
    referencing: str | None = None
    disabled: bool = False
    comment: str | None = None
    constraint: bool = False
    deferrable: bool = False
    initially_deferred: bool = False
    from_table: str | None = None
    role: str = "origin"
