"""SQL text taken apart just far enough to exchange names in it, and to see which names it holds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from schema.model.names import ident

# A string, a dollar-quoted string, a comment, a quoted name, a plain name with its qualifier, or anything else.
_TOKEN = re.compile(r"""
    (?P<opaque>[eE]?'(?:[^'\\]|''|\\.)*' | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$ | --[^\n]* | /\*.*?\*/)
  | (?P<name>"(?:[^"]|"")+" | [A-Za-z_]\w*)
  | (?P<other>\d[\w.]* | .)
""", re.X | re.S)


# A string that is nothing but a qualified name, as regclass and TimescaleDB's functions take it.
_NAME_IN_STRING = re.compile(r"""'(?P<schema>"[^"']+"|[A-Za-z_]\w*)\.(?P<name>"[^"']+"|[A-Za-z_]\w*)'\Z""")


def requalify(sql: str, schemas: Mapping[str, str]) -> str:
    """`sql` with each schema name that qualifies something exchanged; comments and strings stay as they are, but for
    strings that are a qualified name and nothing else."""
    found = list(_TOKEN.finditer(sql))
    parts = []
    for place, token in enumerate(found):
        text = token[0]
        follows = found[place + 1][0] if place + 1 < len(found) else ""
        if token["name"] and follows == "." and (place == 0 or found[place - 1][0] != "."):
            name = plain(text)
            text = ident(schemas[name]) if name in schemas else text
        elif (within := _NAME_IN_STRING.match(text)) and plain(within["schema"]) in schemas:
            text = f"'{ident(schemas[plain(within['schema'])])}.{within['name']}'"
        parts.append(text)
    return "".join(parts)


def rename(sql: str, names: Mapping[str, str], *, after: str = "", before: str = "") -> str:
    """`sql` with each of these names exchanged wherever it stands as a name of its own.

    With `after` or `before` only where that stands next to it: "::" before a type, "(" behind a function.
    """
    if not names:
        return sql
    found = list(_TOKEN.finditer(sql))
    places = [token.start() for token in found if token["name"] and plain(token[0]) in names
              and sql[:_qualified_from(found, token)].endswith(after) and sql.startswith(before, token.end())]
    return "".join(ident(names[plain(token[0])]) if token.start() in places else token[0] for token in found)


def _qualified_from(found: Sequence[re.Match[str]], token: re.Match[str]) -> int:
    """Where a name begins, with the schema before it if there is one."""
    place = found.index(token)
    qualified = place > 1 and found[place - 1][0] == "." and found[place - 2]["name"]
    return found[place - 2].start() if qualified else token.start()


def names_in(texts: Iterable[str]) -> frozenset[str]:
    """Every name in these SQL texts, unquoted; what is inside of strings is seen too, for regclass literals."""
    return frozenset(plain(word) for text in texts for word in re.findall(r'"(?:[^"]|"")+"|[A-Za-z_]\w*', text))


def tokens(sql: str) -> Iterable[str]:
    """The SQL cut into strings, comments, names and single characters; put together it is the same again."""
    return (token[0] for token in _TOKEN.finditer(sql))


def plain(name: str) -> str:
    """A name as the catalog has it: without quotes, in small letters where it was not quoted."""
    return name[1:-1].replace('""', '"') if name.startswith('"') else name.lower()


def order_term(term: str) -> str:
    """An order-by term as the catalog writes it: ASC and default NULLS left out."""
    name, *rest = term.split()
    words = " ".join(rest).upper().removeprefix("ASC").strip()
    if words == "DESC NULLS FIRST":
        words = "DESC"
    if words == "NULLS LAST":
        words = ""
    return f"{name} {words}".strip()
