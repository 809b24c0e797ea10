"""Tokenize SQL far enough to replace the names in it, and to list them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence

from schema.model.names import ident

# A string, a dollar-quoted string, a comment, a quoted name, a plain name with its qualifier, or anything else.
_TOKEN = re.compile(r"""
    (?P<opaque>[eE]?'(?:[^'\\]|''|\\.)*' | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$ | --[^\n]* | /\*.*?\*/)
  | (?P<name>"(?:[^"]|"")+" | [A-Za-z_]\w*)
  | (?P<other>\d[\w.]* | .)
""", re.X | re.S)


# A string that is nothing but a qualified name, as regclass and TimescaleDB's functions take it.
_NAME_IN_STRING = re.compile(r"""'(?P<schema>"[^"']+"|[A-Za-z_]\w*)\.(?P<name>"[^"']+"|[A-Za-z_]\w*)'\Z""")

# What may follow the column in an order-by term.
_ORDER = re.compile(r"(?:\s+(?:ASC|DESC))?(?:\s+NULLS\s+(?:FIRST|LAST))?\s*\Z", re.I)


def requalify(sql: str, schemas: Mapping[str, str], names: Mapping[str, Collection[str]] | None = None) -> str:
    """Replace the schema names that qualify names in `sql`, by the mapping `schemas`; with `names`, only those that
    qualify one of the schema's names there.

    Comments and strings stay as they are, except strings that are one qualified name and nothing else.
    """
    def replaced(schema: str, name: str) -> bool:
        return schema in schemas and (names is None or plain(name) in names.get(schema, ()))

    matches = list(_TOKEN.finditer(sql))
    parts = []
    for place, token in enumerate(matches):
        text = token[0]
        follows = matches[place + 1][0] if place + 1 < len(matches) else ""
        if token["name"] and follows == "." and (place == 0 or matches[place - 1][0] != "."):
            name = matches[place + 2][0] if place + 2 < len(matches) else ""
            text = ident(schemas[plain(text)]) if replaced(plain(text), name) else text
        elif (within := _NAME_IN_STRING.match(text)) and replaced(plain(within["schema"]), within["name"]):
            text = f"'{ident(schemas[plain(within['schema'])])}.{within['name']}'"
        parts.append(text)
    return "".join(parts)


def rename(sql: str, names: Mapping[str, str], *, after: str = "", before: str = "") -> str:
    """Replace each of these names in `sql` wherever it is an identifier of its own.

    With `after` or `before` only where that text is adjacent: "::" before a type, "(" after a function.
    """
    if not names:
        return sql
    matches = list(_TOKEN.finditer(sql))
    places = [token.start() for token in matches if token["name"] and plain(token[0]) in names
              and sql[:_qualified_from(matches, token)].endswith(after) and sql.startswith(before, token.end())]
    return "".join(ident(names[plain(token[0])]) if token.start() in places else token[0] for token in matches)


def _qualified_from(matches: Sequence[re.Match[str]], token: re.Match[str]) -> int:
    """Return where a name begins, including its schema."""
    place = matches.index(token)
    qualified = place > 1 and matches[place - 1][0] == "." and matches[place - 2]["name"]
    return matches[place - 2].start() if qualified else token.start()


def names_in(texts: Iterable[str]) -> frozenset[str]:
    """Return every name in these SQL texts, unquoted; names in strings are included, as in regclass literals."""
    return frozenset(plain(word) for text in texts for word in re.findall(r'"(?:[^"]|"")+"|[A-Za-z_]\w*', text))


def pairs_in(texts: Iterable[str]) -> frozenset[tuple[str, str]]:
    """Return every pair of names with a dot between them in these SQL texts, unquoted: what may be schema and name."""
    name = r'"(?:[^"]|"")+"|[A-Za-z_]\w*'
    return frozenset((plain(first), plain(second)) for text in texts for first, second in
                     re.findall(rf"({name})\s*\.\s*(?=({name}))", text))


def tokens(sql: str) -> Iterable[str]:
    """Split the SQL into strings, comments, names and single characters; joined, they give the same text."""
    return (token[0] for token in _TOKEN.finditer(sql))


def plain(name: str) -> str:
    """Return a name as the catalog stores it: without quotes; in lower case where it was not quoted."""
    return name[1:-1].replace('""', '"') if name.startswith('"') else name.lower()


def column_name(term: str) -> str:
    """Return the column that a segment-by or order-by term names: quoted as SQL has it, or as it is in the catalog."""
    return _ORDER.sub("", term.strip(), count=1) if not term.strip().startswith('"') else plain(_quoted(term.strip()))


def order_term(term: str) -> str:
    """Return an order-by term as the catalog writes it, without ASC and without default NULLS."""
    name = column_name(term)
    rest = term.strip()[len(_quoted(term.strip())):] if term.strip().startswith('"') else term.strip()[len(name):]
    words = " ".join(rest.split()).upper().removeprefix("ASC").strip()
    if words == "DESC NULLS FIRST":
        words = "DESC"
    if words == "NULLS LAST":
        words = ""
    return f"{ident(name)} {words}".strip()


def _quoted(text: str) -> str:
    """The quoted name that the text begins with."""
    match = re.match(r'"(?:[^"]|"")+"', text)
    return match[0] if match else text
