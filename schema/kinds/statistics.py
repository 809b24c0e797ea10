"""Extended statistics: what the planner learns about several columns together, and about expressions; created again
where they differ, as ANALYZE brings back all that they hold."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from schema.catalog.readers import statistics
from schema.kinds import comment
from schema.kinds.kind import Drop, Kind, ServerWords
from schema.model.change import renames
from schema.model.change.diff import Diff
from schema.model.change.step import Action, Hazard, Step
from schema.model.live.objects import LiveObject
from schema.model.names import ident, idents, repeated
from schema.model.objects import Statistics

StatisticsDiff = Diff[Statistics, LiveObject[Statistics]]
KEPT = ("ndistinct", "dependencies", "mcv")
COST = "SHARE UPDATE EXCLUSIVE on the table, no scan; empty until the table is analyzed"


def definition(declared: Statistics) -> str:
    """CREATE STATISTICS as SQL."""
    terms = ", ".join([*([idents(declared.columns)] if declared.columns else []),
                       *(f"({expression})" for expression in declared.expressions)])
    kinds = "" if _is_single(declared) else f" ({', '.join(declared.kinds)})"
    return f"CREATE STATISTICS {ident(declared.full_name)}{kinds} ON {terms} FROM {ident(declared.table)}"


def _is_single(declared: Statistics) -> bool:
    """Whether it is of one expression alone, of which no kinds are kept."""
    return not declared.columns and len(declared.expressions) == 1


def creation(declared: Statistics) -> Iterable[tuple[str, str]]:
    """(part, SQL) that make the statistics where nothing but their table is."""
    yield declared.full_name, definition(declared)


def canonicalise(declared: Statistics, scratch: LiveObject[Statistics]) -> Statistics:
    """The declared statistics with their expressions in the server's words."""
    return replace(declared, expressions=scratch.object.expressions)


def needs_server(declared: Statistics) -> bool:
    """Expressions alone have words of the server's."""
    return bool(declared.expressions)


def steps(diff: StatisticsDiff) -> tuple[list[Step], list[str]]:
    """Create the statistics object, or drop and create it again where it differs; no step where it is as declared."""
    declared, name = diff.declared, diff.name
    steps: list[Step] = []
    live_comment = None
    if diff.live is None:
        steps.append(Step(Action.CREATE, name, definition(declared), "the statistics object does not exist"))
    else:
        live = diff.live.object
        steps += [renames.step("STATISTICS", diff.context.former_name, declared)] if diff.context.former_name else []
        live_comment = live.comment
        if replace(diff.canonical, comment=live.comment) != live:
            again = f"DROP STATISTICS {ident(name)}; {definition(declared)}"
            steps.append(Step(Action.REPLACE, name, again, f"it is {definition(live)}", cost=COST))
            live_comment = None
    comment_step = comment.step(f"STATISTICS {ident(name)}", name, declared.comment, live_comment)
    return [*steps, *([comment_step] if comment_step else [])], []


def settle(canonical: Statistics, live: Statistics | None) -> Statistics:
    """Return the declaration with columns and kinds in the live order, where they are the same: order means nothing."""
    plain = replace(canonical, table=canonical.table.removeprefix("public."), renamed_from=None, allow=())
    plain = replace(plain, kinds=()) if _is_single(plain) else plain
    if live is None:
        return plain
    return replace(plain, columns=_in_order(plain.columns, live.columns), kinds=_in_order(plain.kinds, live.kinds),
                   expressions=_in_order(plain.expressions, live.expressions))


def _in_order(canonical: tuple[str, ...], live: tuple[str, ...]) -> tuple[str, ...]:
    return live if sorted(canonical) == sorted(live) else canonical


def errors(declared: Statistics) -> Iterable[str]:
    """Fewer than two columns and no expression, what is named twice, kinds that are not known."""
    name = declared.full_name
    if len(declared.columns) < 2 and not declared.expressions:
        yield (f"{name}: {len(declared.columns)} columns are declared, and PostgreSQL takes from 2 on, or an "
               "expression; add columns, or expressions")
    yield from (f"{name}: {twice} is declared twice; keep one"
                for twice in repeated((*declared.columns, *declared.expressions, *declared.kinds)))
    yield from (f"{name}: kind {kind!r} is not known; use one of {', '.join(KEPT)}"
                for kind in declared.kinds if kind not in KEPT)
    if not declared.kinds and not _is_single(declared):
        yield f"{name}: no kind is declared; use one of {', '.join(KEPT)}"


KIND = Kind(
    Statistics, resource="schema:Statistics", page="statistics.md", read=statistics.read,
    server_words=ServerWords(creation, canonicalise, needs_server),
    settle=settle, steps=steps, lint=errors,
    drops=(Drop("statistics object", "DROP STATISTICS {}", Hazard.DROPS_STATISTICS, first=True),))
