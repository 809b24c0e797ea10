"""Expressions that a dump and a restore have put into other words, and that are still the declared ones.

The server does not word an expression the same once it has read its own words: status IN ('a', 'b') on a varchar
becomes ANY (ARRAY['a'::character varying, 'b'::character varying]::text[]), and that, read again, an array of text.
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
    """The comparisons, where a live expression is what the wanted one becomes when it is read once more, with the live
    words in place of the wanted. Asks the server only where an expression differs."""
    asking = [each for each in comparisons if isinstance(each, Comparison) and each.live and _differs(each)]
    if not asking:
        return list(comparisons)
    again = dict(zip(map(id, asking), worded([_bare(each.wanted) for each in asking]), strict=True))
    return [_settle(each, again[id(each)]) if isinstance(each, Comparison) and id(each) in again else each
            for each in comparisons]


def _bare(wanted: Table) -> Table:
    return replace(wanted, triggers=(), row_security=None, foreign_keys=(), hypertable=None, compression=None,
                   retention=None, reorder=None)


def _differs(comparison: Comparison) -> bool:
    live = comparison.present.table
    wanted = comparison.wanted
    parts: list[Part] = [*wanted.checks, *wanted.indexes, *wanted.columns]
    there: list[Part] = [*live.checks, *live.indexes, *live.columns]
    found = {(type(each), each.name): each for each in there}
    return any((type(each), each.name) in found and _words(each) != _words(found[type(each), each.name])
               for each in parts)


def _settle(comparison: Comparison, again: Table) -> Comparison:
    live, wanted = comparison.present.table, comparison.wanted

    def chosen(group: str) -> tuple[Any, ...]:
        found = {each.name: each for each in getattr(live, group)}
        reread = {each.name: each for each in getattr(again, group)}
        return tuple(replace(each, **_words(found[each.name]))
                     if each.name in found and _words(reread[each.name]) == _words(found[each.name]) else each
                     for each in getattr(wanted, group))

    return replace(comparison, wanted=replace(wanted, checks=chosen("checks"), indexes=chosen("indexes"),
                                              columns=chosen("columns")))


def _words(part: Part) -> dict[str, Any]:
    """What the server words of a part."""
    if isinstance(part, Check):
        return {"expression": part.expression}
    if isinstance(part, Index):
        return {"columns": part.columns, "where": part.where}
    return {"generated": part.generated, "default": part.default}
