"""Aggregate functions: replaced in place where the server allows it, else dropped and created again with grants."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from schema.catalog.readers import aggregate_functions
from schema.errors import UnsafeChangeError
from schema.kinds import comment, rights
from schema.kinds.kind import Drop, Kind, ServerWords
from schema.kinds.overloads import overload_of
from schema.model.change import renames
from schema.model.change.diff import Diff
from schema.model.change.step import Action, Hazard, Step
from schema.model.live.routines import LiveAggregateFunction
from schema.model.names import ident, literal
from schema.model.objects import Aggregate

AggregateDiff = Diff[Aggregate, LiveAggregateFunction]
MODIFIES = ("read_only", "shareable", "read_write")


def choose(canonical: Aggregate, live: LiveAggregateFunction,
           siblings: Sequence[Aggregate]) -> LiveAggregateFunction | None:
    """Return the overload that has the declared arguments; where none has them, the only one that is no sibling's."""
    return overload_of(canonical, live, siblings, _is_called_like)


def _is_called_like(live: LiveAggregateFunction, canonical: Aggregate) -> bool:
    return live.object.arguments == canonical.arguments


def creation(declared: Aggregate) -> Iterable[tuple[str, str]]:
    """Return (part, SQL) that create the aggregate function in an empty schema, unless only a superuser may."""
    if needs_server(declared):
        yield declared.full_name, definition(declared)


def needs_server(declared: Aggregate) -> bool:
    """Whether the server spells it otherwise: only a superuser can create one whose state is internal."""
    return "internal" not in (declared.stype.lower(), (declared.mstype or "").lower())


def canonicalise(declared: Aggregate, scratch: LiveAggregateFunction) -> Aggregate:
    """Return the declared aggregate function as the server spelled the scratch one."""
    return replace(scratch.object, name=declared.name, schema=declared.schema, comment=declared.comment)


def definition(declared: Aggregate, *, replacing: bool = False) -> str:
    """CREATE AGGREGATE as SQL."""
    words = [f"SFUNC = {declared.sfunc}", f"STYPE = {declared.stype}", *_optional(declared)]
    return (f"CREATE {'OR REPLACE ' if replacing else ''}AGGREGATE {ident(declared.full_name)}({declared.arguments}) "
            f"(\n    {', '.join(words)}\n)")


def _optional(declared: Aggregate) -> Iterable[str]:
    for name, value in (
            ("SSPACE", declared.sspace), ("FINALFUNC", declared.finalfunc),
            ("FINALFUNC_EXTRA", declared.finalfunc_extra), ("FINALFUNC_MODIFY", declared.finalfunc_modify),
            ("COMBINEFUNC", declared.combinefunc), ("SERIALFUNC", declared.serialfunc),
            ("DESERIALFUNC", declared.deserialfunc), ("INITCOND", _text(declared.initcond)),
            ("MSFUNC", declared.msfunc), ("MINVFUNC", declared.minvfunc), ("MSTYPE", declared.mstype),
            ("MSSPACE", declared.msspace), ("MFINALFUNC", declared.mfinalfunc),
            ("MFINALFUNC_EXTRA", declared.mfinalfunc_extra), ("MFINALFUNC_MODIFY", declared.mfinalfunc_modify),
            ("MINITCOND", _text(declared.minitcond)), ("SORTOP", declared.sortop),
            ("HYPOTHETICAL", declared.hypothetical)):
        if value is True:
            yield name
        elif value not in (None, False):
            yield f"{name} = {value}"
    if declared.parallel != "unsafe":
        yield f"PARALLEL = {declared.parallel.upper()}"


def _text(value: str | None) -> str | None:
    return None if value is None else literal(value)


def steps(diff: AggregateDiff) -> tuple[list[Step], list[str]]:
    """Create the aggregate function, replace it, or drop and create it again; no step where it is as declared."""
    declared, name, steps, live_comment = diff.declared, diff.name, list[Step](), None
    if diff.live is None:
        steps.append(Step(Action.CREATE, name, definition(declared), "the aggregate function does not exist"))
    else:
        live = diff.live.object
        live_comment = live.comment
        if diff.context.former_name:
            step = renames.step("AGGREGATE", diff.context.former_name, declared)
            steps.append(replace(step, sql=step.sql.replace(" RENAME", f"({live.arguments}) RENAME", 1)))
        if replace(diff.canonical, comment=live.comment) != live:
            why = f"it is {definition(live)}"
            if _is_replaceable(diff):
                steps.append(Step(Action.REPLACE, name, definition(declared, replacing=True), why))
            else:
                steps.append(_again(diff, why))
                live_comment = None
    comment_step = comment.step(f"AGGREGATE {_called(diff.canonical)}", name, declared.comment, live_comment)
    return [*steps, *([comment_step] if comment_step else [])], []


def _is_replaceable(diff: AggregateDiff) -> bool:
    """Whether CREATE OR REPLACE takes it: the same arguments, kind and result."""
    scratch, live = diff.context.scratch, diff.present
    return scratch is not None and scratch.returns == live.returns and \
        diff.canonical.arguments == live.object.arguments and diff.canonical.hypothetical == live.object.hypothetical


def _again(diff: AggregateDiff, why: str) -> Step:
    """Drop and create it again in one transaction. With other arguments, its old callers fail: a hazard."""
    live, scratch = diff.present, diff.context.scratch
    if live.dependants:
        raise UnsafeChangeError(f"{diff.name}: {why}, so it has to be dropped and created again, and "
                                f"{', '.join(live.dependants)} depends on it; declare it as it is, or give the new "
                                "one another name and change what depends on the old one")
    inputs = scratch.inputs if scratch else live.inputs
    statements = [f"DROP AGGREGATE {_called(replace(live.object, name=diff.declared.name))}", definition(diff.declared),
                  *rights.restore("AGGREGATE", f"{ident(diff.name)}({inputs})",
                                  replace(live.rights, owner=None))]
    statements += [f"ALTER AGGREGATE {_called(diff.canonical)} OWNER TO {live.rights.owner}"] \
        if live.rights.owner else []
    hazards = () if diff.canonical.arguments == live.object.arguments else (Hazard.DROPS_AGGREGATE_FUNCTION,)
    return Step(Action.REPLACE, diff.name, ";\n".join(statements), why, hazards)


def _called(declared: Aggregate) -> str:
    """Name and arguments as COMMENT, ALTER and DROP take them."""
    return f"{ident(declared.full_name)}({declared.arguments})"


def errors(declared: Aggregate) -> Iterable[str]:
    """Return what is wrong in an aggregate function by itself: moving-aggregate parts that go together, and words that
    are not known."""
    together = {name: getattr(declared, name) for name in ("msfunc", "minvfunc", "mstype")}
    if any(together.values()) and not all(together.values()):
        lacking = ", ".join(name for name, value in together.items() if value is None)
        yield f"{declared.full_name}: {lacking} is lacking; msfunc, minvfunc and mstype go together"
    for name in ("finalfunc_modify", "mfinalfunc_modify"):
        if getattr(declared, name) not in (None, *MODIFIES):
            yield (f"{declared.full_name}: {name} {getattr(declared, name)!r} is not known; use one of "
                   f"{', '.join(MODIFIES)}")


KIND = Kind(
    Aggregate, resource="schema:Aggregate", page="aggregate-function.md", read=aggregate_functions.read,
    server_words=ServerWords(creation, canonicalise, needs_server), steps=steps, lint=errors, choose=choose,
    drops=(Drop("aggregate function", "DROP AGGREGATE {}", Hazard.DROPS_AGGREGATE_FUNCTION),))
