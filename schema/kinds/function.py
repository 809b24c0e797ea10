"""Functions and procedures: replaced in place where the server allows it, else dropped and created again with their
grants."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from schema.catalog.readers import functions
from schema.errors import UnsafeChangeError
from schema.kinds import comment, rights
from schema.kinds.kind import Drop, Kind, ServerWords
from schema.kinds.overloads import overload_of
from schema.model.change import renames
from schema.model.change.diff import Diff
from schema.model.change.step import Action, Hazard, Step
from schema.model.live.routines import LiveFunction
from schema.model.names import ident, literal
from schema.model.objects import Function

FunctionDiff = Diff[Function, LiveFunction]
LABELS = {"returns": "result", "security_definer": "security definer"}
FIELDS = ("arguments", "returns", "language", "volatility", "parallel", "strict", "security_definer", "settings",
          "leakproof", "cost", "rows", "support", "window", "transforms", "library", "body")
# What a procedure cannot have.
OF_FUNCTIONS = ("leakproof", "cost", "rows", "support", "window")
_DEFAULT = re.compile(r"\s+DEFAULT\s|\s*=", re.I)


def choose(canonical: Function, live: LiveFunction, siblings: Sequence[Function]) -> LiveFunction | None:
    """Return the overload that has the declared arguments; where none has them, the only one that is no sibling's."""
    return overload_of(canonical, live, siblings, _is_called_like)


def creation(function: Function) -> Iterable[tuple[str, str]]:
    """Return (part, SQL) that create the function in an empty schema, but for what only a superuser may declare."""
    if needs_server(function):
        yield function.full_name, definition(replace(function, leakproof=False, support=None))


def needs_server(function: Function) -> bool:
    """Whether the server spells it otherwise: a function in C is plain values, and only a superuser can create it."""
    return function.language.lower() not in ("c", "internal")


def canonicalise(function: Function, scratch: LiveFunction) -> Function:
    """Return the declared function as the server spelled the scratch one; a body that it does not parse stays as it is
    written, and so does what only a superuser may declare."""
    created = scratch.object
    support = function.support and function.support.removeprefix("pg_catalog.").removeprefix("public.")
    return replace(created, name=function.name, schema=function.schema, comment=function.comment,
                   body=created.body if function.is_parsed else function.body, leakproof=function.leakproof,
                   support=support)


def definition(function: Function, *, replacing: bool = False) -> str:
    """CREATE FUNCTION or CREATE PROCEDURE as SQL."""
    head = f"CREATE {'OR REPLACE ' if replacing else ''}{_kind(function)} {ident(function.full_name)}" \
           f"({function.arguments})"
    words = [] if function.returns is None else [f"RETURNS {function.returns}"]
    words.append(f"LANGUAGE {ident(function.language)}")
    if function.returns is not None:
        words += [function.volatility.upper()] if function.volatility != "volatile" else []
        words += [f"PARALLEL {function.parallel.upper()}"] if function.parallel != "unsafe" else []
        words += ["STRICT"] if function.strict else []
        words += ["LEAKPROOF"] if function.leakproof else []
        words += ["WINDOW"] if function.window else []
        words += [f"COST {function.cost:g}"] if function.cost is not None else []
        words += [f"ROWS {function.rows:g}"] if function.rows is not None else []
        words += [f"SUPPORT {function.support}"] if function.support else []
    words += ["SECURITY DEFINER"] if function.security_definer else []
    words += [f"SET {setting}" for setting in function.settings]
    words += [f"TRANSFORM {', '.join(f'FOR TYPE {type_}' for type_ in function.transforms)}"] \
        if function.transforms else []
    return f"{head}\n    {' '.join(words)}\n    {_body(function)}"


def _body(function: Function) -> str:
    if function.is_parsed:
        return function.body.strip().rstrip(";")
    if function.library is not None:
        return f"AS {literal(function.library)}, {literal(function.body)}"
    quote = _quote(function.body)
    return f"AS {quote}{function.body}{quote}"


def steps(diff: FunctionDiff) -> tuple[list[Step], list[str]]:
    """Create the function, replace it, or drop and create it again; no step where it is as declared."""
    declared, name = diff.declared, diff.name
    steps, live_comment = [], None
    if diff.live is None:
        steps.append(Step(Action.CREATE, name, definition(declared), f"the {_kind(declared).lower()} does not exist"))
    else:
        live = diff.present
        live_comment = live.object.comment
        if diff.context.former_name:
            steps.append(_rename(diff, diff.context.former_name))
        why = _why(diff.canonical, live.object)
        if why and _is_replaceable(diff):
            steps.append(Step(Action.REPLACE, name, definition(declared, replacing=True), why))
        elif why:
            steps.append(_again(diff, why))
            live_comment = None
    comment_step = comment.step(f"{_kind(declared)} {called(diff.canonical)}", name, declared.comment, live_comment)
    return [*steps, *([comment_step] if comment_step else [])], []


def _rename(diff: FunctionDiff, old: str) -> Step:
    kind = _kind(diff.present.object)
    step = renames.step(kind, old, diff.declared)
    return replace(step, sql=step.sql.replace(f"{kind} {ident(old)}",
                                              f"{kind} {ident(old)}({diff.present.signature})", 1))


def _again(diff: FunctionDiff, why: str) -> Step:
    """Drop and create it again in one transaction. With other arguments, its old callers fail: a hazard."""
    declared, live = diff.declared, diff.present
    if live.dependants:
        raise UnsafeChangeError(f"{diff.name}: {why}, so it has to be dropped and made again, and "
                                f"{', '.join(live.dependants)} depends on it; declare it as it is, or give the new "
                                "one another name and change what depends on the old one")
    statements = [f"DROP {_kind(live.object)} {ident(diff.name)}({live.signature})", definition(declared),
                  *rights.restore(_kind(declared), called(diff.canonical), live.rights)]
    hazards = () if _is_called_like(live, diff.canonical) else (Hazard.DROPS_FUNCTION,)
    return Step(Action.REPLACE, diff.name, ";\n".join(statements), why, hazards)


def _why(canonical: Function, live: Function) -> str:
    """What differs, for people; nothing where all is as declared."""
    differing = [field for field in FIELDS if getattr(canonical, field) != getattr(live, field)]
    whys = [f"it has {LABELS.get(field, field)} {_shown(getattr(live, field))}" for field in differing
            if field != "body"]
    return ", ".join([*whys, *(["its body differs"] if "body" in differing else [])])


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    text = ", ".join(value) if isinstance(value, tuple) else value if value is None else str(value)
    return f"({text})" if text else "none"


def _is_replaceable(diff: FunctionDiff) -> bool:
    """Whether CREATE OR REPLACE takes it: same kind, result, names and types of arguments; no default taken away."""
    canonical, live = diff.canonical, diff.present.object
    before, after = _split(live.arguments), _split(canonical.arguments)
    same_kind = canonical.returns == live.returns and canonical.window == live.window
    return same_kind and len(before) == len(after) and all(
        _bare(new) == _bare(old) and (_bare(new) != new or _bare(old) == old)
        for new, old in zip(after, before, strict=True))


def _is_called_like(live: LiveFunction, canonical: Function) -> bool:
    """Whether the live function takes the arguments of the declared one."""
    given = [argument for argument in map(_bare, _split(canonical.arguments))
             if not argument.lower().startswith("out ")]
    types = _split(live.inputs)
    return _kind(live.object) == _kind(canonical) and len(given) == len(types) and all(
        argument == type_ or argument.endswith(f" {type_}") for argument, type_ in zip(given, types, strict=True))


def called(function: Function) -> str:
    """Return name and arguments as COMMENT and GRANT take them: without defaults."""
    return f"{ident(function.full_name)}({', '.join(map(_bare, _split(function.arguments)))})"


def _bare(argument: str) -> str:
    return _DEFAULT.split(argument, maxsplit=1)[0]


def _split(arguments: str) -> list[str]:
    """Arguments one by one: commas in parentheses and strings do not part them."""
    parts, depth, quoted = [""], 0, False
    for char in arguments:
        quoted ^= char == "'"
        depth += 0 if quoted else (char in "([") - (char in ")]")
        if char == "," and depth == 0 and not quoted:
            parts.append("")
        else:
            parts[-1] += char
    return [argument.strip() for argument in parts if argument.strip()]


def _kind(function: Function) -> str:
    return "PROCEDURE" if function.returns is None else "FUNCTION"


def _quote(body: str) -> str:
    """A dollar quote that the body does not hold."""
    number = 0
    while (quote := f"$body{number or ''}$") in body:
        number += 1
    return "$$" if "$" not in body else quote


def errors(function: Function) -> Iterable[str]:
    """Return what is wrong in a function by itself: an empty body, and what a procedure cannot have."""
    name = function.full_name
    if not function.body.strip():
        yield f"{name}: the body is empty, and whatever calls it would do nothing; write the body"
    if function.returns is None:
        yield from (f"{name}: {field} is declared, which a procedure cannot have; leave it out"
                    for field in OF_FUNCTIONS if getattr(function, field) not in (None, False))


KIND = Kind(
    Function, resource="schema:Function", page="function.md", read=functions.read,
    server_words=ServerWords(creation, canonicalise, needs_server), steps=steps, lint=errors, choose=choose,
    drops=(Drop("function", "DROP FUNCTION {}", Hazard.DROPS_FUNCTION),
           Drop("procedure", "DROP PROCEDURE {}", Hazard.DROPS_FUNCTION)))
