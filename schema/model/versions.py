"""Since which PostgreSQL a declared property can be had, said where the property is declared; pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field, fields, is_dataclass
from typing import Any, TypeVar

from schema.model.declared import Declared

T = TypeVar("T")


def since(version: int, default: T) -> T:
    """A dataclass field that servers before this major version cannot have; `default` is what all can have."""
    value: T = field(default=default, metadata={"since": version})
    return value


def too_new(declared: Declared, server_version: int) -> Iterator[tuple[str, str, int]]:
    """(part, property, major version) of all that a server of this version (170004) cannot have of the object."""
    yield from _too_new(declared.full_name, declared, server_version // 10000)


def _too_new(part: str, value: Any, major: int) -> Iterator[tuple[str, str, int]]:
    yield from ((part, name, needed) for name, needed in getattr(value, "newer", ()) if needed > major)
    for item in fields(value):
        content = getattr(value, item.name)
        needed = item.metadata.get("since", 0)
        if needed > major and content != item.default:
            yield part, item.name, needed
        for nested in content if isinstance(content, tuple) else (content,):
            if is_dataclass(nested) and not isinstance(nested, type):
                name = getattr(nested, "name", None)
                yield from _too_new(f"{part}.{name or item.name}", nested, major)
