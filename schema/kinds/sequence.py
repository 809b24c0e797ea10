"""Sequences that no serial or identity column has: altered in place, so that their numbers and grants stay."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from schema.catalog.readers.foundations import sequences
from schema.kinds import comment
from schema.kinds.kind import Drop, Kind, ServerWords
from schema.model.change import renames
from schema.model.change.diff import Diff
from schema.model.change.step import Action, Hazard, Step
from schema.model.declarations.foundations import Sequence
from schema.model.live.objects import LiveObject
from schema.model.names import ident

SequenceDiff = Diff[Sequence, LiveObject[Sequence]]
TYPES = {"smallint": 15, "integer": 31, "bigint": 63}
ALIASES = {"int2": "smallint", "int": "integer", "int4": "integer", "int8": "bigint"}


def creation(sequence: Sequence) -> Iterable[tuple[str, str]]:
    """(part, SQL) that make the sequence where nothing is; what owns it is told once that is there."""
    options = " ".join(text for text, is_default in _options(plain(sequence)).values() if not is_default)
    unlogged = "UNLOGGED " if sequence.unlogged else ""
    yield sequence.full_name, f"CREATE {unlogged}SEQUENCE {ident(sequence.full_name)} {options}".rstrip()


def _options(sequence: Sequence) -> dict[str, tuple[str, bool]]:
    """Each option as SQL, by the property's name, with whether a new sequence has it anyway."""
    minimum, maximum = sequence.minimum, sequence.maximum
    start = sequence.start if sequence.start is not None else _bounds(sequence)[sequence.increment < 0]
    return {
        "type": (f"AS {sequence.type}", sequence.type == "bigint"),
        "increment": (f"INCREMENT BY {sequence.increment}", sequence.increment == 1),
        "minimum": ("NO MINVALUE" if minimum is None else f"MINVALUE {minimum}", minimum is None),
        "maximum": ("NO MAXVALUE" if maximum is None else f"MAXVALUE {maximum}", maximum is None),
        "start": (f"START WITH {start}", sequence.start is None),
        "cache": (f"CACHE {sequence.cache}", sequence.cache == 1),
        "cycle": ("CYCLE" if sequence.cycle else "NO CYCLE", not sequence.cycle)}


def _bounds(sequence: Sequence) -> tuple[int, int]:
    """The lowest and the highest number, declared or the type's."""
    least, most = _type_bounds(sequence)
    return (least if sequence.minimum is None else sequence.minimum,
            most if sequence.maximum is None else sequence.maximum)


def _type_bounds(sequence: Sequence) -> tuple[int, int]:
    limit = 2 ** TYPES[sequence.type]
    return (1, limit - 1) if sequence.increment > 0 else (-limit, -1)


def plain(sequence: Sequence) -> Sequence:
    """The declaration with the server's word for its type, without what a sequence of that type has anyway."""
    typed = replace(sequence, type=ALIASES.get(sequence.type.lower(), sequence.type.lower()), renamed_from=None,
                    allow=(), owned_by=sequence.owned_by and sequence.owned_by.removeprefix("public."))
    least, most = _type_bounds(typed)
    typed = replace(typed, minimum=None if typed.minimum == least else typed.minimum,
                    maximum=None if typed.maximum == most else typed.maximum)
    return replace(typed, start=None if typed.start == _bounds(typed)[typed.increment < 0] else typed.start)


def settle(canonical: Sequence, _: Sequence | None) -> Sequence:
    """The declaration as the server has it: defaults left out, whatever they are."""
    return plain(canonical)


def steps(diff: SequenceDiff) -> tuple[list[Step], list[str]]:
    """Create the sequence, or alter what differs; no step where it is as declared. What owns it comes last."""
    declared, canonical, name = diff.declared, diff.canonical, diff.name
    on = ident(name)
    steps: list[Step] = []
    live_comment = owner = None
    if diff.live is None:
        steps += [Step(Action.CREATE, name, text, "the sequence does not exist") for _, text in creation(declared)]
    else:
        live = diff.live.object
        steps += [renames.step("SEQUENCE", diff.context.former_name, declared)] if diff.context.former_name else []
        steps += _altered(diff, live)
        live_comment, owner = live.comment, live.owned_by
    comment_step = comment.step(f"SEQUENCE {on}", name, declared.comment, live_comment)
    steps += [comment_step] if comment_step else []
    if canonical.owned_by != owner:
        column = ident(declared.owned_by) if declared.owned_by else "NONE"
        steps.append(Step(Action.ALTER, name, f"ALTER SEQUENCE {on} OWNED BY {column}",
                          f"it is owned by {owner or 'no column'}", last=True))
    return steps, []


def _altered(diff: SequenceDiff, live: Sequence) -> list[Step]:
    """One ALTER SEQUENCE for all that differs, and one for whether it is logged."""
    canonical, on = diff.canonical, ident(diff.name)
    differing = [option for option in _options(canonical) if getattr(canonical, option) != getattr(live, option)]
    if {"type", "increment"} & set(differing):
        # The server keeps bounds and start where these change.
        differing = [option for option in _options(canonical) if option in {*differing, "minimum", "maximum", "start"}]
    steps = []
    if differing:
        was = ", ".join(text for option, (text, _) in _options(live).items() if option in differing)
        options = " ".join(_options(canonical)[option][0] for option in differing)
        steps.append(Step(Action.ALTER, diff.name, f"ALTER SEQUENCE {on} {options}", f"it has {was}"))
    if canonical.unlogged != live.unlogged:
        steps.append(Step(Action.ALTER, diff.name,
                          f"ALTER SEQUENCE {on} SET {'UNLOGGED' if canonical.unlogged else 'LOGGED'}",
                          f"it is {'unlogged' if live.unlogged else 'logged'}"))
    return steps


def errors(declared: Sequence) -> Iterable[str]:
    """Types that count nothing, bounds that leave no number, an owner that is no column."""
    name = declared.full_name
    if ALIASES.get(declared.type.lower(), declared.type.lower()) not in TYPES:
        yield f"{name}: type {declared.type!r} counts nothing; use one of {', '.join(TYPES)}"
        return
    if declared.increment == 0:
        yield f"{name}: increment is 0; declare another"
        return
    if declared.cache < 1:
        yield f"{name}: cache is {declared.cache}; declare 1 or more"
    least, most = _bounds(plain(declared))
    limit = 2 ** TYPES[plain(declared).type]
    if not -limit <= least < most < limit:
        yield f"{name}: its numbers go from {least} to {most}, which {declared.type} does not have; correct the bounds"
    elif declared.start is not None and not least <= declared.start <= most:
        yield f"{name}: start is {declared.start}, and its numbers go from {least} to {most}; correct one of them"
    if declared.owned_by is not None:
        table, _, column = declared.owned_by.rpartition(".")
        schema, _, table = table.rpartition(".")
        if not table or not column:
            yield f"{name}: owned_by is {declared.owned_by!r} and must be table.column or schema.table.column"
        elif (schema or "public") != declared.schema:
            yield (f"{name}: its owner {declared.owned_by} is in schema {schema or 'public'} and must be in "
                   f"{declared.schema}, as the sequence is; declare both in one schema")


def unchanged(sequence: Sequence, _: LiveObject[Sequence]) -> Sequence:
    """The declared sequence: its options are plain values."""
    return sequence


KIND = Kind(
    Sequence, resource="schema:Sequence", page="sequence.md", read=sequences.read,
    server_words=ServerWords(creation, unchanged, lambda _: False), settle=settle, steps=steps, lint=errors,
    # Its owner's drop may have taken it along.
    drops=(Drop("sequence", "DROP SEQUENCE IF EXISTS {}", Hazard.DROPS_SEQUENCE),))
