"""Recognise expressions that the server spells in two ways as equal.

The server spells an expression differently again when it parses its own output: status IN ('a', 'b') on a varchar
becomes ANY (ARRAY['a'::character varying, 'b'::character varying]::text[]), and that, parsed again, an array of text.
So a restored database differs in words from its declaration, and what was adopted from the server from the server.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Any

from schema.errors import DeclarationError
from schema.model.declarations.foundations import Domain
from schema.model.objects import Check, Column, Exclusion, Index, Policy, Table, Trigger

Part = Check | Index | Column | Exclusion | Trigger | Policy
# The fields of a part that the server spells.
WORDS: dict[type[Any], tuple[str, ...]] = {
    Check: ("expression",), Index: ("columns", "where"), Column: ("generated", "default"),
    Exclusion: ("elements", "where"), Trigger: ("when",), Policy: ("using", "check")}
# Returns the canonical form of tables.
Canonicalise = Callable[[Sequence[Table]], Sequence[Table]]


def accept_restored(pairs: Sequence[tuple[Table, Table]], canonicalise: Canonicalise) -> list[Table]:
    """Return the canonical tables of the (canonical, live) pairs, with the live spelling of an expression where one of
    both becomes the other when the server reads it once more. Asks the server only where an expression differs."""
    tables = [canonical for canonical, _ in pairs]
    for reads_live in (False, True):
        differing = [n for n, (_, live) in enumerate(pairs) if _differing(tables[n], live)]
        asked = [_only(_with_columns(pairs[n][1], tables[n]) if reads_live else tables[n],
                       _differing(tables[n], pairs[n][1])) for n in differing]
        for n, table in zip(differing, _reread(asked, canonicalise), strict=True):
            if table is not None:
                live = pairs[n][1]
                tables[n] = _accept(tables[n], live, tables[n] if reads_live else live, table)
    return tables


def _with_columns(live: Table, canonical: Table) -> Table:
    """The live table with the canonical columns: expressions as they are read again after a change of types."""
    words = {column.name: _words(column) for column in live.columns}
    return replace(live, columns=tuple(replace(column, **words.get(column.name, {})) for column in canonical.columns))


def _reread(tables: Sequence[Table], canonicalise: Canonicalise) -> Sequence[Table | None]:
    """The tables in the server's words, None for one that it cannot make from its own words beside the declared."""
    if not tables:
        return ()
    try:
        return canonicalise(tables)
    except DeclarationError:
        if len(tables) == 1:
            return (None,)
        return [again for table in tables for again in _reread([table], canonicalise)]


def _parts(table: Table) -> list[Part]:
    policies = table.row_security.policies if table.row_security else ()
    return [*table.checks, *table.indexes, *table.columns, *table.exclusions, *table.triggers, *policies]


def _differing(canonical: Table, live: Table) -> set[tuple[type[Any], str]]:
    """The parts, by class and name, that both have and that the server spells differently."""
    words = {(type(part), part.name): _words(part) for part in _parts(live)}
    return {(type(part), part.name) for part in _parts(canonical)
            if words.get((type(part), part.name), _words(part)) != _words(part)}


def _only(table: Table, differing: Collection[tuple[type[Any], str]]) -> Table:
    """The table with its columns and those parts alone that differ."""
    def kept(parts: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(part for part in parts if (type(part), part.name) in differing)

    security = table.row_security
    policies = kept(security.policies) if security else ()
    return Table(table.name, table.columns, checks=kept(table.checks), indexes=kept(table.indexes),
                 exclusions=kept(table.exclusions), triggers=kept(table.triggers), schema=table.schema,
                 row_security=replace(security, policies=policies) if security and policies else None)


def _accept(canonical: Table, live: Table, goal: Table, reread: Table) -> Table:
    """The canonical table with the live words of those parts that, read once more, are what `goal` has."""
    words = {(type(part), part.name): _words(part) for part in _parts(live)}
    goals = {(type(part), part.name): _words(part) for part in _parts(goal)}
    again = {(type(part), part.name): _words(part) for part in _parts(reread)}

    def parts(group: Sequence[Any]) -> tuple[Any, ...]:
        keys = [(type(part), part.name) for part in group]
        return tuple(replace(part, **words[key]) if key in words and key in again and again[key] == goals[key] else part
                     for key, part in zip(keys, group, strict=True))

    security = canonical.row_security
    return replace(canonical, checks=parts(canonical.checks), indexes=parts(canonical.indexes),
                   columns=parts(canonical.columns), exclusions=parts(canonical.exclusions),
                   triggers=parts(canonical.triggers),
                   row_security=security and replace(security, policies=parts(security.policies)))


def _words(part: Part) -> dict[str, Any]:
    """The fields of a part that the server spells."""
    return {name: getattr(part, name) for name in WORDS[type(part)]}


def accept_restored_domains(pairs: Sequence[tuple[Domain, Domain]],
                            canonicalise: Callable[[Sequence[Domain]], Sequence[Domain]]) -> list[Domain]:
    """Return the canonical domains of the (canonical, live) pairs, with the live spelling of a check where the server,
    reading both once more, spells them alike. Asks the server only where a check differs."""
    domains = [canonical for canonical, _ in pairs]
    for n, (canonical, live) in enumerate(pairs):
        spelled = {check.name: check.expression for check in live.checks}
        differing = tuple(check for check in canonical.checks
                          if check.name in spelled and spelled[check.name] != check.expression)
        if not differing:
            continue
        present = tuple(replace(check, expression=spelled[check.name]) for check in differing)
        try:
            forms = [canonicalise([replace(canonical, checks=checks)])[0] for checks in (differing, present)]
        except DeclarationError:
            continue  # the live check cannot be created beside what is declared, so it is another one
        alike = {one.name for one, other in zip(forms[0].checks, forms[1].checks, strict=True)
                 if one.expression == other.expression}
        domains[n] = replace(canonical, checks=tuple(
            replace(check, expression=spelled[check.name]) if check.name in alike else check
            for check in canonical.checks))
    return domains
