"""Recognise expressions that a dump and restore has spelled differently as still equal to the declared ones.

The server spells an expression differently again when it parses its own output: status IN ('a', 'b') on a varchar
becomes ANY (ARRAY['a'::character varying, 'b'::character varying]::text[]), and that, parsed again, an array of text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from schema.model.live import Compared, Comparison
from schema.model.objects import Check, Column, Index, Table

Part = Check | Index | Column
# Puts tables into the server's words.
Wording = Callable[[Sequence[Table]], Sequence[Table]]


def settled(comparisons: Sequence[Compared[Any, Any]], worded: Wording) -> list[Compared[Any, Any]]:
    """Return the comparisons with each wanted expression replaced by the live one where a second parse makes them
    equal.

    Asks the server only where an expression differs.
    """
    asking = [comparison for comparison in comparisons
              if isinstance(comparison, Comparison) and comparison.live and _differs(comparison)]
    if not asking:
        return list(comparisons)
    again = dict(zip(map(id, asking), worded([_bare(comparison.wanted) for comparison in asking]), strict=True))
    return [_settle(comparison, again[id(comparison)])
            if isinstance(comparison, Comparison) and id(comparison) in again else comparison
            for comparison in comparisons]


def _bare(wanted: Table) -> Table:
    return replace(wanted, triggers=(), row_security=None, foreign_keys=(), hypertable=None, compression=None,
                   retention=None, reorder=None)


def _differs(comparison: Comparison) -> bool:
    live = comparison.present.table
    wanted = comparison.wanted
    parts: list[Part] = [*wanted.checks, *wanted.indexes, *wanted.columns]
    live_parts: list[Part] = [*live.checks, *live.indexes, *live.columns]
    live_by_name = {(type(part), part.name): part for part in live_parts}
    return any((type(part), part.name) in live_by_name and _words(part) != _words(live_by_name[type(part), part.name])
               for part in parts)


def _settle(comparison: Comparison, again: Table) -> Comparison:
    live, wanted = comparison.present.table, comparison.wanted

    def chosen(group: str) -> tuple[Any, ...]:
        live_parts = {part.name: part for part in getattr(live, group)}
        reread = {part.name: part for part in getattr(again, group)}
        return tuple(replace(part, **_words(live_parts[part.name]))
                     if part.name in live_parts and _words(reread[part.name]) == _words(live_parts[part.name]) else part
                     for part in getattr(wanted, group))

    return replace(comparison, wanted=replace(wanted, checks=chosen("checks"), indexes=chosen("indexes"),
                                              columns=chosen("columns")))


def _words(part: Part) -> dict[str, Any]:
    """Return the fields of a part that the server spells."""
    if isinstance(part, Check):
        return {"expression": part.expression}
    if isinstance(part, Index):
        return {"columns": part.columns, "where": part.where}
    return {"generated": part.generated, "default": part.default}
