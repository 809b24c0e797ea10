"""Names and literals as SQL text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

_PLAIN = re.compile(r"[a-z_][a-z0-9_]*\Z")
RESERVED = set("""all analyse analyze and any array as asc asymmetric authorization binary both case cast check
    collate collation column concurrently constraint create cross current_catalog current_date current_role
    current_schema current_time current_timestamp current_user default deferrable desc distinct do else end except
    false fetch for foreign freeze from full grant group having ilike in initially inner intersect into is isnull join
    lateral leading left like limit localtime localtimestamp natural not notnull null offset on only or order outer
    overlaps placing primary references returning right select session_user similar some symmetric system_user table
    tablesample then to trailing true union unique user using variadic verbose when where window with""".split())  # noqa: SIM905 (a list of 77 words reads better so)

LONGEST_BYTES = 63


def ident(name: str) -> str:
    """Return the name as SQL, quoted only where that is necessary; `schema.table` is quoted part by part."""
    return ".".join(quoted(part) for part in name.split("."))


def quoted(name: str) -> str:
    """Return one name, dots and all, as SQL; quoted only where that is necessary."""
    if _PLAIN.match(name) and name not in RESERVED:
        return name
    return '"' + name.replace('"', '""') + '"'


def idents(names: Iterable[str]) -> str:
    """Return the names as a comma-separated SQL list."""
    return ", ".join(ident(name) for name in names)


def literal(text: str | None) -> str:
    """Return the text as a SQL string literal, or NULL for None."""
    if text is None:
        return "NULL"
    quoted = "'" + text.replace("'", "''") + "'"
    return "E" + quoted.replace("\\", "\\\\") if "\\" in text else quoted


def with_article(noun: str) -> str:
    """Return the noun, such as a word for a kind of object, behind "a" or "an"."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def repeated(names: Iterable[str]) -> list[str]:
    """Return the names that stand there more than once, each once."""
    return [name for name, count in Counter(names).items() if count > 1]
