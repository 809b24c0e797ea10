"""Storage parameters, options of identities and terms of indexes in one spelling; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from schema.model.names import quoted
from schema.model.objects import Column, Index, Numbers
from schema.model.sql_names import plain

# Replica identities that are no index.
IDENTITIES = ("default", "full", "nothing")
_QUOTE = "'"
BITS = {"smallint": 15, "int2": 15, "integer": 31, "int": 31, "int4": 31, "bigint": 63, "int8": 63}
# A column's name as an index term begins with it; anything else is an expression.
_COLUMN = re.compile(r'\s*(?P<name>"(?:[^"]|"")+"|[A-Za-z_]\w*\b)(?!\s*[(.])')


def options(given: Iterable[str]) -> tuple[str, ...]:
    """Return storage parameters as "name = value", in their order, which means nothing."""
    return tuple(map(_option, given))


def name_of(option: str) -> str:
    """The name of a storage parameter given as "name = value"."""
    return option.partition("=")[0].strip().lower()


def _option(given: str) -> str:
    return f"{name_of(given)} = {given.partition('=')[2].strip().strip(_QUOTE)}"


def bounds(type_: str, increment: int) -> tuple[int, int]:
    """The lowest and the highest number of a sequence of this type that has no bounds of its own."""
    limit = 2 ** BITS.get(type_.lower(), 63)
    return (1, limit - 1) if increment > 0 else (-limit, -1)


def numbers(given: Numbers | None, type_: str) -> Numbers | None:
    """Return the options without what a sequence of this type has anyway; None where it has nothing else."""
    if given is None:
        return None
    lowest, highest = bounds(type_, given.increment)
    bare = replace(given, minimum=None if given.minimum == lowest else given.minimum,
                   maximum=None if given.maximum == highest else given.maximum)
    first = start(bare, type_)
    bare = replace(bare, start=None)
    bare = replace(bare, start=None if first == start(bare, type_) else first)
    return None if bare == Numbers() else bare


def start(given: Numbers, type_: str) -> int:
    """The first number."""
    lowest, highest = bounds(type_, given.increment)
    ends = (lowest if given.minimum is None else given.minimum, highest if given.maximum is None else given.maximum)
    return ends[given.increment < 0] if given.start is None else given.start


def column(given: Column) -> Column:
    """Return the column with its numbers, storage and compression as they are compared."""
    return replace(given, numbers=numbers(given.numbers, given.type),
                   storage=given.storage and given.storage.lower(),
                   compression=given.compression and given.compression.lower())


def targets(given: Sequence[int]) -> tuple[int, ...]:
    """Return the statistics targets of an index's terms without the server's own (-1) at the end."""
    last = max((place for place, target in enumerate(given, 1) if target >= 0), default=0)
    return tuple(given[:last])


def bare_index(index: Index) -> Index:
    """Return what an index is apart from its name, comment and statistics targets: what must be built."""
    return replace(index, name="", comment=None, statistics=())


def column_of(term: str) -> str | None:
    """The column that an index term begins with; None for an expression."""
    match = _COLUMN.match(term)
    return plain(match["name"]) if match else None


def term(given: str) -> str:
    """Return an index term with the name of a column quoted only where that is necessary."""
    match = _COLUMN.match(given)
    return f"{quoted(plain(match['name']))}{given[match.end():]}" if match else given
