"""Objects as nested plain properties, as Pulumi and JSON carry them, and properties as objects."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, TypeVar, cast

from schema.errors import DeclarationError
from schema.model.objects import CLASS_BY_KIND, Object, kind_of

T = TypeVar("T")
# Numbers become floats on their way, which hold larger integers only roughly: those go as text.
EXACT = 2 ** 53


def to_dict(value: Object) -> dict[str, Any]:
    """Convert the object into a nested plain dict, `kind` first, without nulls and without fields at their defaults."""
    return {"kind": kind_of(value), **_plain(value)}


def from_dict(values: Mapping[str, Any]) -> Object:
    """Build the object from properties of `to_dict`; accepts whole numbers that have become floats.

    Raises DeclarationError for an unknown kind or key, and for a missing required key.
    """
    rest = dict(values)
    cls = CLASS_BY_KIND.get(str(rest.pop("kind", "table")))
    if cls is None:
        raise DeclarationError(f"object of kind {values['kind']!r} is not known; use one of {', '.join(CLASS_BY_KIND)}")
    return _build(cls, rest, str(rest.get("name", "object")))


def _plain(value: Any) -> dict[str, Any]:
    properties = {}
    for field in fields(value):
        item = getattr(value, field.name)
        if item == field.default:
            continue
        # None that is no default (a procedure returns nothing) would get lost on the way: the empty text stands for it.
        properties[field.name] = "" if item is None else _plain_item(item)
    return properties


def _plain_item(item: Any) -> Any:
    if is_dataclass(item):
        return _plain(item)
    if isinstance(item, int) and abs(item) > EXACT:
        return str(item)
    return [_plain_item(element) for element in item] if isinstance(item, tuple) else item


def _build(cls: type[T], values: Mapping[str, Any], where: str) -> T:
    hints = _hints(cast(Any, cls))
    for key in values:
        if key not in hints:
            raise DeclarationError(f"{where}: key {key!r} is not known; use one of {', '.join(hints)}")
    try:
        return cls(**{key: _coerce(hints[key], item, f"{where}.{key}") for key, item in values.items()})
    except TypeError as error:
        raise DeclarationError(f"{where}: {error}; give every required key") from None


@cache
def _hints(cls: type[Any]) -> dict[str, Any]:
    """Return the types of a class's fields; cached, as resolving them takes longer than building an object."""
    return typing.get_type_hints(cls)


def _coerce(hint: Any, item: Any, where: str) -> Any:
    options = [option for option in typing.get_args(hint) if option is not types.NoneType]
    if typing.get_origin(hint) is types.UnionType:
        return None if item is None or item == "" else _coerce(options[0], item, where)
    if typing.get_origin(hint) is tuple:
        return tuple(_coerce(options[0], element, where) for element in item)
    if is_dataclass(hint):
        return _build(cast(type[Any], hint), item, where)
    if hint is str and isinstance(item, float) and item.is_integer():
        return str(int(item))
    return hint(item)
