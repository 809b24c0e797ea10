"""What both schemas of a pair have in common: in which schema each table is, and its time column's name."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

from schema.model.names import quoted
from schema.model.objects import Grant

SCHEMAS = ("public", "public", "Other Place", "order")
TABLES = ("alpha", "Beta Table", "user")
TIMES = ("at", "time", "timestamp", "position", "Measured At")
COMMENTS = (None, "A comment", "It's \"quoted\" \\ odd")
READER, WRITER, EVERYBODY = "pg_monitor", "pg_read_all_stats", "public"


@dataclass(frozen=True)
class Place:
    """A table of both schemas. `hyper` is None, "both" or "second": which of them has it as a hypertable, which cannot
    be undone; on column `time`, which cannot be changed. `identity` is that of its id, as chunks take none later."""

    name: str
    schema: str
    hyper: str | None
    time: str
    identity: str | None

    @property
    def sql(self) -> str:
        """The table's name as SQL."""
        return sql_name(self.schema, self.name)


@dataclass(frozen=True)
class Layout:
    """The tables of a pair by name, the schema of its types, sequences and functions, and what of its types only seldom
    differs between its schemas, as nothing that stands on them could stay."""

    places: dict[str, Place]
    types: str
    moods: int
    share: str
    word: str | None

    def type(self, name: str) -> str:
        """The name of what is in the schema of types as SQL."""
        return sql_name(self.types, name)


def sql_name(schema: str, name: str) -> str:
    """Return the name as SQL, with its schema outside of public."""
    return quoted(name) if schema == "public" else f"{quoted(schema)}.{quoted(name)}"


@st.composite
def layouts(draw: st.DrawFn) -> Layout:
    """Draw where everything is."""
    return Layout({name: Place(name, draw(st.sampled_from(SCHEMAS)), draw(st.sampled_from((None, "both", "second"))),
                               draw(st.sampled_from(TIMES)),
                               draw(st.sampled_from((None, None, "serial", "always", "by default"))))
                   for name in TABLES}, draw(st.sampled_from(SCHEMAS)), draw(st.integers(2, 4)),
                  draw(st.sampled_from(("numeric", "numeric(10,2)"))), draw(st.sampled_from((None, '"C"'))))


def comments() -> st.SearchStrategy[str | None]:
    """Draw a comment, or none."""
    return st.sampled_from(COMMENTS)


@st.composite
def grants(draw: st.DrawFn, *privileges: str, columns: tuple[str, ...] = ()) -> tuple[Grant, ...] | None:
    """Draw who else may do these; None where that is not declared, and by column where it can be."""
    if draw(st.integers(0, 2)):
        return None
    chosen = draw(st.lists(st.sampled_from((READER, WRITER, EVERYBODY)), unique=True))
    drawn = []
    for role in chosen:
        some = tuple(sorted(draw(st.lists(st.sampled_from(privileges), min_size=1, unique=True))))
        by_column = columns and {*some} <= {"select", "insert", "update"} and draw(st.integers(0, 1))
        part = tuple(sorted(draw(st.lists(st.sampled_from(columns), min_size=1, max_size=2, unique=True)))) \
            if by_column else ()
        drawn.append(Grant(role, some, part, grantable=role != EVERYBODY and draw(st.booleans())))
    return tuple(drawn)
