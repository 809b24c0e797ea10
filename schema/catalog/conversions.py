"""What a change of a column's type does to its values: the expression that converts one, and whether one may change
by it; pure."""

from __future__ import annotations

import re

from schema.model.names import literal

_BUILT_IN = re.compile(r"(smallint|integer|bigint|numeric|real|double|text|character|\"char\"|name|boolean|date|time|"
                       r"timestamp|interval|json|jsonb|uuid|bytea|inet|cidr|macaddr|macaddr8|bit|money|xml|oid|point|line|"
                       r"lseg|box|path|polygon|circle|tsvector|tsquery|pg_lsn|\w+range|\w+multirange)\b")
_NUMERIC = re.compile(r"numeric\((\d+),(\d+)\)\Z")
_VARCHAR = re.compile(r"character varying\((\d+)\)\Z")
_STRING = re.compile(r"(text|character varying(\(\d+\))?|character(\(\d+\))?)(\[\])*\Z")
_BITS = re.compile(r"bit( varying)?(\(\d+\))?(\[\])*\Z")
# What is no integer is refused as out of range, whoever casts it.
_INTEGERS = ("smallint", "integer", "bigint")
_TIMESTAMPS = {"timestamp without time zone", "timestamp with time zone"}
_EXACT = {("real", "double precision"), ("date", "timestamp without time zone"), ("date", "timestamp with time zone"),
          *((integer, "numeric") for integer in _INTEGERS)}


def converted(name: str, target: str, canonical: str, live: str) -> str:
    """Return SQL that converts a column of type `live` by an explicit cast; `target` is the new type as declared,
    `canonical` as the server calls it."""
    if {live, canonical} == _TIMESTAMPS:
        return f"{name} AT TIME ZONE 'UTC'"
    # One enum becomes another by the names of its values.
    own = not (_BUILT_IN.match(live) or _BUILT_IN.match(canonical))
    return f"{name}::text::{target}" if own else f"{name}::{target}"


def changed(name: str, target: str, canonical: str, live: str, *, collated: bool = False) -> str:
    """Return a condition on rows whose value is another one when it is converted and converted back; `collated` where
    the column has another order of text than its type."""
    forth = converted(name, target, canonical, live)
    if (live, canonical) == ("json", "jsonb"):
        # Order and blanks aside, jsonb leaves out keys that are there twice.
        bare = (f"length(regexp_replace({value}::text, '[[:space:]]', '', 'g'))" for value in (forth, name))
        return " <> ".join(bare)
    back = converted(f"({forth})", live, live, canonical)
    text = "::text" if live in ("json", "xml", "point", "line", "lseg", "box", "path", "polygon", "circle") else ""
    # Two orders of text meet where one type is a domain; whether texts are equal is a matter of neither.
    order = ' COLLATE "C"' if collated or _STRING.match(live) else ""
    return f"({back}){text}{order} IS DISTINCT FROM {name}{text}"


def is_exact(live: str, canonical: str) -> bool:
    """Whether every value stays what it is, or is refused by the server."""
    return (live == canonical or keeps_storage(live, canonical) or canonical in ("text", "character varying")
            or (live, canonical) in _EXACT or {live, canonical} == _TIMESTAMPS
            or (live in _INTEGERS and canonical in _INTEGERS))


def is_refused(live: str, canonical: str) -> bool:
    """Whether the server itself, when it assigns and does not cast, refuses a value that does not fit."""
    return bool((_STRING.match(live) and _STRING.match(canonical)) or (_BITS.match(live) and _BITS.match(canonical)))


def keeps_storage(live: str, canonical: str) -> bool:
    """Whether every stored value is already one of the new type, so that nothing is rewritten."""
    before, after = _VARCHAR.match(live), _VARCHAR.match(canonical)
    if before:
        return canonical in ("text", "character varying") or bool(after and int(after[1]) >= int(before[1]))
    before, after = _NUMERIC.match(live), _NUMERIC.match(canonical)
    if before:
        return canonical == "numeric" or bool(after and int(after[1]) >= int(before[1]) and after[2] == before[2])
    return (live, canonical) in {("text", "character varying"), ("character varying", "text")}


def guard(table: str, column: str, condition: str) -> str:
    """Return SQL that locks the table and raises where a row meets the condition; `table` and `column` are SQL."""
    text = (f"BEGIN IF EXISTS (SELECT FROM {table} WHERE {condition}) THEN RAISE EXCEPTION USING ERRCODE = "
            f"'data_exception', MESSAGE = {literal(f'values of {column} do not fit the new type and would change')}; "
            "END IF; END")
    return f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE; DO {literal(text)}"
