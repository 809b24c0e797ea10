"""A continuous aggregate's query taken apart: its columns, what it groups by, and the buckets of time; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from schema.model.names import ident
from schema.model.sql_names import plain, rename, tokens

_QUOTED = re.compile(r"(?:interval\s*)?'(?P<text>[^']*)'(?:::\s*interval)?\Z", re.I)
_NUMBER = re.compile(r"\(?(?P<text>\d+)\)?(?:::\s*\w+)?\Z")
# Where the server, which begins a line with it, puts FROM; a comparison with IS DISTINCT FROM begins none.
_FROM = re.compile(r"\n\s*FROM\s")


@dataclass(frozen=True)
class Query:
    """A query in the server's words: expression by column name, in order, and everything from FROM on."""

    columns: Mapping[str, str]
    rest: str

    def text(self) -> str:
        """The query again."""
        found = [sql if _implied(sql) == name else f"{sql} AS {ident(name)}" for name, sql in self.columns.items()]
        return f"SELECT {', '.join(found)}{self.rest}"

    def with_source_columns(self, names: Mapping[str, str]) -> Query:
        """The same over a source whose columns bear new names; its own columns keep theirs."""
        return Query({name: rename(sql, names) for name, sql in self.columns.items()}, rename(self.rest, names))


@dataclass(frozen=True)
class Bucket:
    """The grouping by time: `width` (an interval, or a number) of the source's column `time`, called `name`."""

    width: str
    time: str
    name: str


def parse(query: str) -> Query | None:
    """The query taken apart; None for one that is not in the server's words."""
    begin = re.match(r"\s*SELECT\s", query)
    end = next((found.start() for found in _FROM.finditer(query) if _depth(query[:found.start()]) == 0), None)
    if begin is None or end is None:
        return None
    items = [_item(item) for item in split(query[begin.end():end])]
    return Query(dict(items), query[end:])


def bucket(query: str) -> Bucket | None:
    """The first time_bucket of a query, in anybody's words; None where there is none."""
    found = list(tokens(query))
    place = next((n for n, token in enumerate(found) if token.lower() == "time_bucket"), None)
    if place is None:
        return None
    opening = next((n for n in range(place + 1, len(found)) if found[n] == "("), None)
    closing = opening and _closing(found, opening)
    if not opening or not closing:
        return None
    arguments = split("".join(found[opening + 1:closing]))
    if len(arguments) < 2:
        return None
    width = _QUOTED.match(arguments[0].strip()) or _NUMBER.match(arguments[0].strip())
    return Bucket(width["text"] if width else arguments[0].strip(), _last_name(arguments[1]),
                  _alias(found[closing + 1:]) or "time_bucket")


def same(one: str, other: str) -> bool:
    """Whether two queries in the server's words say the same; the order of the columns does not count."""
    first, second = parse(one), parse(other)
    if first is None or second is None:
        return one == other
    return dict(first.columns) == dict(second.columns) and first.rest.split() == second.rest.split()


def split(sql: str) -> list[str]:
    """SQL cut at the commas that stand in no parentheses."""
    parts, depth = [""], 0
    for piece in tokens(sql):
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(piece, 0)
        if piece == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += piece
    return [part.strip() for part in parts]


def _item(sql: str) -> tuple[str, str]:
    """(name, expression) of one column."""
    found = list(tokens(sql))
    words = [n for n, token in enumerate(found) if token.strip()]
    if len(words) > 2 and found[words[-2]].upper() == "AS":
        return plain(found[words[-1]]), "".join(found[:words[-2]]).strip()
    return _implied(sql) or sql, sql


def _implied(sql: str) -> str:
    """The name that a column has without AS: that of the source's column; nothing for other expressions."""
    found = [piece for piece in tokens(sql) if piece.strip()]
    simple = len(found) in (1, 3) and all(piece == "." for piece in found[1::2])
    return plain(found[-1]) if simple else ""


def _depth(sql: str) -> int:
    return sum({"(": 1, ")": -1}.get(token, 0) for token in tokens(sql))


def _closing(found: Sequence[str], opening: int) -> int | None:
    depth = 0
    for place in range(opening, len(found)):
        depth += {"(": 1, ")": -1}.get(found[place], 0)
        if depth == 0:
            return place
    return None


def _last_name(sql: str) -> str:
    names = [token for token in tokens(sql) if re.match(r'[A-Za-z_"]', token)]
    return plain(names[-1]) if names else sql


def _alias(found: Sequence[str]) -> str | None:
    words: Iterator[str] = (token for token in found if token.strip())
    first = next(words, "")
    if first.upper() == "AS":
        first = next(words, "")
    usable = re.match(r'[A-Za-z_"]', first) and first.upper() not in ("FROM", "AT")
    return plain(first) if usable else None
