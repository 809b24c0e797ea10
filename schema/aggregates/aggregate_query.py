"""A continuous aggregate's query taken apart: its columns, what it groups by, and the buckets of time; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from schema.model.names import ident
from schema.model.sql_names import plain, rename, tokens

_QUOTED = re.compile(r"(?:interval\s*)?'(?P<text>[^']*)'(?:::\s*interval)?\Z", re.I)
_INTEGER = r"(?:bigint|int8|integer|int4|int|smallint|int2)"
_NUMBER = re.compile(rf"(?:{_INTEGER}\s*)?\(?\s*'?(?P<text>\d+)'?\s*\)?(?:::\s*\w+)?\Z", re.I)
# A number of an integer type, as the server prints a constant and as it prints one that is cast.
_CONSTANT = re.compile(rf"(?:'(?P<quoted>\d+)'|\((?P<number>\d+)\))::{_INTEGER}\b", re.I)
_NAMED = re.compile(r'\s*(?P<name>"?\w+"?)\s*(?:=>|:=)\s*', re.S)
# Where the server, which begins a line with it, puts FROM; a comparison with IS DISTINCT FROM begins none.
_FROM = re.compile(r"\n\s*FROM\s")


@dataclass(frozen=True)
class Query:
    """A canonical query: expression by column name, in order, and everything from FROM on."""

    columns: Mapping[str, str]
    rest: str

    def text(self) -> str:
        """Return the query as SQL."""
        columns = [sql if _implied(sql) == name else f"{sql} AS {ident(name)}" for name, sql in self.columns.items()]
        return f"SELECT {', '.join(columns)}{self.rest}"

    def with_source_columns(self, names: Mapping[str, str]) -> Query:
        """Return the same query over a source with renamed columns; its own columns keep their names."""
        return Query({name: rename(sql, names) for name, sql in self.columns.items()}, rename(self.rest, names))


@dataclass(frozen=True)
class Bucket:
    """The grouping by time: `width` (an interval, or a number) of the source's column `time`, called `name`."""

    width: str
    time: str
    name: str


def parse(query: str) -> Query | None:
    """Return the query taken apart; None for one that is not in canonical form."""
    begin = re.match(r"\s*SELECT\s", query)
    end = next((match.start() for match in _FROM.finditer(query) if _depth(query[:match.start()]) == 0), None)
    if begin is None or end is None:
        return None
    items = [_item(item) for item in split(query[begin.end():end])]
    return Query(dict(items), query[end:])


def bucket(query: str) -> Bucket | None:
    """Return the first time_bucket of a query, canonical or not; None where there is none."""
    pieces = list(tokens(query))
    place = next((n for n, token in enumerate(pieces) if token.lower() == "time_bucket"), None)
    if place is None:
        return None
    opening = next((n for n in range(place + 1, len(pieces)) if pieces[n] == "("), None)
    closing = opening and _closing(pieces, opening)
    if not opening or not closing:
        return None
    arguments = _arguments("".join(pieces[opening + 1:closing]))
    if len(arguments) < 2:
        return None
    text = arguments[0].strip()
    width = _NUMBER.match(text) or _QUOTED.match(text)
    return Bucket(width["text"] if width else text, _last_name(arguments[1]),
                  _alias(pieces[closing + 1:]) or "time_bucket")


def _arguments(sql: str) -> list[str]:
    """The width and the time of a time_bucket, wherever their names put them; then the others."""
    named = [(match["name"].strip('"').lower() if (match := _NAMED.match(argument)) else "",
              argument[match.end():] if match else argument) for argument in split(sql)]
    by_name = {name: text for name, text in named if name}
    positional = [text for name, text in named if not name]
    first = [by_name[name] for name in ("bucket_width",) if name in by_name] or positional[:1]
    rest = positional if "bucket_width" in by_name else positional[1:]
    second = [by_name[name] for name in ("ts",) if name in by_name] or rest[:1]
    return [*first, *second]


def zoned(query: str) -> bool:
    """Whether the query's time_bucket counts in a time zone; False where it has none."""
    pieces = list(tokens(query))
    place = next((n for n, token in enumerate(pieces) if token.lower() == "time_bucket"), None)
    opening = next((n for n in range(place + 1, len(pieces)) if pieces[n] == "("), None) if place is not None else None
    closing = _closing(pieces, opening) if opening else None
    if not opening or not closing:
        return False
    arguments = split("".join(pieces[opening + 1:closing]))
    third = arguments[2].strip() if len(arguments) > 2 else ""
    text = bool(re.match(r"'[^']*[A-Za-z][^']*'(?:::text)?\Z", third))
    return text or any(match["name"].strip('"').lower() == "timezone" for argument in arguments
                       if (match := _NAMED.match(argument)))


def same(first: str, second: str) -> bool:
    """Whether two canonical queries are equal; the order of the columns and how constants are cast do not count."""
    first, second = (_CONSTANT.sub(lambda match: f"'{match['quoted'] or match['number']}'", text)
                     for text in (first, second))
    one, two = parse(first), parse(second)
    if one is None or two is None:
        return first == second
    return dict(one.columns) == dict(two.columns) and one.rest.split() == two.rest.split()


def relations(query: str) -> frozenset[str]:
    """Return the names, without their schemas, of what a query reads: those after FROM, JOIN and the commas between."""
    found, reads = set[str](), False
    pieces = [piece for piece in tokens(query) if piece.strip()]
    for place, piece in enumerate(pieces):
        word = piece.upper()
        if word in ("FROM", "JOIN") or (word == "," and reads):
            parts = pieces[place + 1:place + 4]
            found.add(plain(parts[2] if parts[1:2] == ["."] and len(parts) > 2 else parts[0]) if parts else "")
        reads = word == "FROM" or (reads and word not in ("WHERE", "GROUP", "ON", "USING"))
    return frozenset(found)


def split(sql: str) -> list[str]:
    """Return SQL cut at the commas outside of parentheses."""
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
    pieces = list(tokens(sql))
    words = [n for n, token in enumerate(pieces) if token.strip()]
    if len(words) > 2 and pieces[words[-2]].upper() == "AS":
        return plain(pieces[words[-1]]), "".join(pieces[:words[-2]]).strip()
    return _implied(sql) or sql, sql


def _implied(sql: str) -> str:
    """The name that a column has without AS: that of the source's column; empty for other expressions."""
    pieces = [piece for piece in tokens(sql) if piece.strip()]
    simple = len(pieces) in (1, 3) and all(piece == "." for piece in pieces[1::2])
    return plain(pieces[-1]) if simple else ""


def _depth(sql: str) -> int:
    return sum({"(": 1, ")": -1}.get(token, 0) for token in tokens(sql))


def _closing(pieces: Sequence[str], opening: int) -> int | None:
    depth = 0
    for place in range(opening, len(pieces)):
        depth += {"(": 1, ")": -1}.get(pieces[place], 0)
        if depth == 0:
            return place
    return None


def _last_name(sql: str) -> str:
    names = [token for token in tokens(sql) if re.match(r'[A-Za-z_"]', token)]
    return plain(names[-1]) if names else sql


def _alias(pieces: Sequence[str]) -> str | None:
    words: Iterator[str] = (token for token in pieces if token.strip())
    first = next(words, "")
    if first.upper() == "AS":
        first = next(words, "")
    usable = re.match(r'[A-Za-z_"]', first) and first.upper() not in ("FROM", "AT")
    return plain(first) if usable else None
