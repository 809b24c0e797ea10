"""Short constructors for columns of the usual types; a column is nullable unless `null` is False."""

from __future__ import annotations

from schema.model.objects import Column


def big_serial(name: str, comment: str | None = None) -> Column:
    """A bigint numbered by a sequence of its own."""
    return Column(name, "bigint", null=False, serial=True, comment=comment)


def big_int(name: str, comment: str | None = None, *, null: bool = True) -> Column:
    """A 64-bit integer."""
    return Column(name, "bigint", null, comment=comment)


def integer(name: str, comment: str | None = None, *, null: bool = True, default: str | None = None) -> Column:
    """A 32-bit integer."""
    return Column(name, "integer", null, default, comment=comment)


def decimal(name: str, precision: int, scale: int, comment: str | None = None, *, null: bool = True) -> Column:
    """An exact number of `precision` digits, `scale` of them after the point."""
    return Column(name, f"numeric({precision},{scale})", null, comment=comment)


def varchar(name: str, length: int, comment: str | None = None, *, null: bool = True,
            default: str | None = None) -> Column:
    """Text of at most `length` characters."""
    return Column(name, f"varchar({length})", null, default, comment=comment)


def text(name: str, comment: str | None = None, *, null: bool = True) -> Column:
    """Text of any length."""
    return Column(name, "text", null, comment=comment)


def boolean(name: str, comment: str | None = None, *, null: bool = True, default: str | None = None) -> Column:
    """True or false."""
    return Column(name, "boolean", null, default, comment=comment)


def jsonb(name: str, comment: str | None = None, *, null: bool = True, default: str | None = None) -> Column:
    """A JSON document in binary form."""
    return Column(name, "jsonb", null, default, comment=comment)


def timestamp(name: str, comment: str | None = None, *, null: bool = True, default: str | None = None) -> Column:
    """A moment in UTC, without a time zone."""
    return Column(name, "timestamp", null, default, comment=comment)
