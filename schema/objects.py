"""What a database can be declared to hold: frozen values in SQL's own words; pure, no driver, no server."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from typing import Any, TypeVar, cast

from schema.errors import DeclarationError

T = TypeVar("T")


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


@dataclass(frozen=True)
class Key:
    """A primary or unique constraint."""

    name: str
    columns: tuple[str, ...]
    primary: bool = False


@dataclass(frozen=True)
class ForeignKey:
    """Rows of `columns` exist in `table` (`schema.table` outside of public)."""

    name: str
    columns: tuple[str, ...]
    table: str
    references: tuple[str, ...] = ("id",)
    on_delete: str = "no action"
    on_update: str = "no action"


@dataclass(frozen=True)
class Check:
    """Every row satisfies `expression`, or leaves it unknown (NULL)."""

    name: str
    expression: str


@dataclass(frozen=True)
class Index:
    """An index; `columns` are SQL terms: a name or an expression in parentheses, then opclass, DESC, NULLS FIRST."""

    name: str
    columns: tuple[str, ...]
    unique: bool = False
    method: str = "btree"
    include: tuple[str, ...] = ()
    where: str | None = None


@dataclass(frozen=True)
class Hypertable:
    """Partitioned by `time` into chunks of `chunk` (an interval, or a number where the column is an integer)."""

    time: str
    chunk: str


@dataclass(frozen=True)
class Compression:
    """Chunks older than `after` go to the columnstore; without `after` no policy does it, without `schedule` the
    server's own holds."""

    after: str | None
    segment_by: tuple[str, ...] = ()
    order_by: tuple[str, ...] = ()
    schedule: str | None = None
    paused: bool = False


@dataclass(frozen=True)
class Retention:
    """Chunks whose rows are all older than `drop_after` are dropped. No `schedule`: the server's."""

    drop_after: str
    schedule: str | None = None
    paused: bool = False


@dataclass(frozen=True)
class Table:
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
    comment: str | None = None
    schema: str = "public"

    @property
    def full_name(self) -> str:
        """The name as people write it: the schema only where it is not public."""
        return self.name if self.schema == "public" else f"{self.schema}.{self.name}"


Object = Table
KINDS: dict[str, type[Object]] = {"table": Table}


def to_dict(value: Object) -> dict[str, Any]:
    """The object as a nested plain dict (`kind` first): no nulls, nothing that is at its default."""
    kind = next(name for name, cls in KINDS.items() if isinstance(value, cls))
    return {"kind": kind, **_plain(value)}


def from_dict(values: Mapping[str, Any]) -> Object:
    """The object that `to_dict` wrote, also after numbers became floats. Raises DeclarationError for a wrong key."""
    rest = dict(values)
    cls = KINDS.get(str(rest.pop("kind", "table")))
    if cls is None:
        raise DeclarationError(f"object of kind {values['kind']!r} is not known; use one of {', '.join(KINDS)}")
    return _build(cls, rest, str(rest.get("name", "object")))


def _plain(value: Any) -> dict[str, Any]:
    found = {}
    for field in fields(value):
        item = getattr(value, field.name)
        if item is None or (field.default is not MISSING and item == field.default):
            continue
        found[field.name] = _plain_item(item)
    return found


def _plain_item(item: Any) -> Any:
    if is_dataclass(item):
        return _plain(item)
    return [_plain_item(each) for each in item] if isinstance(item, tuple) else item


def _build(cls: type[T], values: Mapping[str, Any], where: str) -> T:
    hints = typing.get_type_hints(cls)
    for key in values:
        if key not in hints:
            raise DeclarationError(f"{where}: key {key!r} is not known; use one of {', '.join(hints)}")
    try:
        return cls(**{key: _coerce(hints[key], item, f"{where}.{key}") for key, item in values.items()})
    except TypeError as error:
        raise DeclarationError(f"{where}: {error}; give every required key") from None


def _coerce(hint: Any, item: Any, where: str) -> Any:
    options = [each for each in typing.get_args(hint) if each is not types.NoneType]
    if typing.get_origin(hint) is types.UnionType:
        return None if item is None else _coerce(options[0], item, where)
    if typing.get_origin(hint) is tuple:
        return tuple(_coerce(options[0], each, where) for each in item)
    if is_dataclass(hint):
        return _build(cast(type[Any], hint), item, where)
    if hint is str and isinstance(item, float) and item.is_integer():
        return str(int(item))
    return hint(item)
