"""Enums: values are added in their places and renamed in place; PostgreSQL can neither drop nor move one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from schema.catalog.readers.foundations import enums
from schema.errors import UnsupportedError
from schema.kinds import comment
from schema.kinds.kind import Drop, Kind, ServerWords
from schema.model.change import renames
from schema.model.change.diff import Diff
from schema.model.change.step import Action, Hazard, Step, Transaction
from schema.model.live.objects import LiveObject
from schema.model.names import LONGEST_BYTES, ident, literal
from schema.model.objects import Enum

EnumDiff = Diff[Enum, LiveObject[Enum]]
# The catalog takes a lock on the type alone: neither rows nor writers of the tables that use it are touched.
COST = "no table is read or locked"


def creation(enum: Enum) -> Iterable[tuple[str, str]]:
    """Return (part, SQL) that create the type in an empty schema."""
    values = ", ".join(literal(value) for value in enum.values)
    yield enum.full_name, f"CREATE TYPE {ident(enum.full_name)} AS ENUM ({values})"


def canonicalise(enum: Enum, _: LiveObject[Enum]) -> Enum:
    """The declared enum: its values are what they are."""
    return replace(enum, renames=())


def steps(diff: EnumDiff) -> tuple[list[Step], list[str]]:
    """Create the type, or give it its name, its values and its comment; no step where all is so."""
    declared, name = diff.declared, diff.name
    if diff.live is None:
        steps = [Step(Action.CREATE, name, text, "the type does not exist") for _, text in creation(declared)]
        live_comment = None
    else:
        live = diff.live.object
        steps = [renames.step("TYPE", diff.context.former_name, declared)] if diff.context.former_name else []
        values = list(live.values)
        steps += _rename_values(declared, values)
        steps += _add_values(declared, values)
        live_comment = live.comment
    comment_step = comment.step(f"TYPE {ident(name)}", name, declared.comment, live_comment)
    return [*steps, *([comment_step] if comment_step else [])], []


def _rename_values(enum: Enum, values: list[str]) -> list[Step]:
    """Rename live values that the declaration renames; changes `values` to what they are afterwards."""
    steps = []
    for value in enum.renames:
        if value.old in values and value.new not in values:
            values[values.index(value.old)] = value.new
            steps.append(Step(Action.ALTER, enum.full_name,
                              f"ALTER TYPE {ident(enum.full_name)} RENAME VALUE {literal(value.old)} "
                              f"TO {literal(value.new)}", "the value bears its former name", cost=COST))
    return steps


def _add_values(enum: Enum, values: list[str]) -> list[Step]:
    """Add the values that are missing, each in its place. In a transaction of its own: it can be used only then."""
    gone = [value for value in values if value not in enum.values]
    if gone:
        raise UnsupportedError(f"{enum.full_name}: value {literal(gone[0])} is no longer declared, and PostgreSQL "
                               "cannot drop an enum's value; declare it again (or in renames), or declare a new enum "
                               "and change the columns' type to that")
    kept = [value for value in enum.values if value in values]
    if kept != values:
        raise UnsupportedError(f"{enum.full_name}: the values are in the order ({', '.join(values)}), declared as "
                               f"({', '.join(kept)}), and PostgreSQL cannot move them; declare the order that is "
                               "there, or declare a new enum and change the columns' type to that")
    steps = []
    for place, value in enumerate(enum.values):
        if value in values:
            continue
        where = f"AFTER {literal(enum.values[place - 1])}" if place else (
            f"BEFORE {literal(values[0])}" if values else "")
        steps.append(Step(Action.ALTER, enum.full_name,
                          f"ALTER TYPE {ident(enum.full_name)} ADD VALUE {literal(value)} "
                                          f"{where}".rstrip(), "the value does not exist",
                          transaction=Transaction.OWN, cost=COST))
        values.insert(place, value)
    return steps


def errors(enum: Enum) -> Iterable[str]:
    """Values that are declared twice, or longer than PostgreSQL takes."""
    for value, count in Counter(enum.values).items():
        if count > 1:
            yield f"{enum.full_name}: value {value!r} is declared twice; keep one"
        if len(value.encode()) > LONGEST_BYTES:
            yield (f"{enum.full_name}: value {value!r} has {len(value.encode())} bytes; PostgreSQL takes "
                   f"{LONGEST_BYTES}: shorten it")


KIND = Kind(
    Enum, resource="schema:Enum", page="enum.md", read=enums.read, server_words=ServerWords(creation, canonicalise),
    steps=steps, lint=errors, drops=(Drop("enum", "DROP TYPE {}", Hazard.DROPS_TYPE),))
