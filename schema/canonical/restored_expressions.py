"""Recognise expressions that a dump and restore has spelled differently as still equal to the declared ones.

The server spells an expression differently again when it parses its own output: status IN ('a', 'b') on a varchar
becomes ANY (ARRAY['a'::character varying, 'b'::character varying]::text[]), and that, parsed again, an array of text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from schema.errors import DeclarationError
from schema.model.foundations import Domain
from schema.model.objects import Check, Column, Index, Table

Part = Check | Index | Column
# Returns the canonical form of tables.
Canonicalise = Callable[[Sequence[Table]], Sequence[Table]]


def accept_restored(pairs: Sequence[tuple[Table, Table]], canonicalise: Canonicalise) -> list[Table]:
    """Return the canonical tables of the (canonical, live) pairs, with the live spelling of an expression where the
    canonical one becomes that when the server reads it once more. Asks the server only where an expression differs."""
    differing = [n for n, (canonical, live) in enumerate(pairs) if _differs(canonical, live)]
    tables = [canonical for canonical, _ in pairs]
    if differing:
        reread = canonicalise([_without_other_parts(tables[n]) for n in differing])
        for n, table in zip(differing, reread, strict=True):
            tables[n] = _accept(tables[n], pairs[n][1], table)
    return tables


def _without_other_parts(table: Table) -> Table:
    return replace(table, triggers=(), row_security=None, foreign_keys=(), hypertable=None, compression=None,
                   retention=None, reorder=None)


def _differs(canonical: Table, live: Table) -> bool:
    parts: list[Part] = [*canonical.checks, *canonical.indexes, *canonical.columns]
    live_parts: list[Part] = [*live.checks, *live.indexes, *live.columns]
    live_by_name = {(type(part), part.name): part for part in live_parts}
    return any((type(part), part.name) in live_by_name and _words(part) != _words(live_by_name[type(part), part.name])
               for part in parts)


def _accept(canonical: Table, live: Table, reread: Table) -> Table:
    def parts(group: str) -> tuple[Any, ...]:
        live_parts = {part.name: part for part in getattr(live, group)}
        reread_parts = {part.name: part for part in getattr(reread, group)}
        return tuple(
            replace(part, **_words(live_parts[part.name]))
            if part.name in live_parts and _words(reread_parts[part.name]) == _words(live_parts[part.name]) else part
            for part in getattr(canonical, group))

    return replace(canonical, checks=parts("checks"), indexes=parts("indexes"), columns=parts("columns"))


def _words(part: Part) -> dict[str, Any]:
    """Return the fields of a part that the server spells."""
    if isinstance(part, Check):
        return {"expression": part.expression}
    if isinstance(part, Index):
        return {"columns": part.columns, "where": part.where}
    return {"generated": part.generated, "default": part.default}


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
