"""Functions and procedures: replaced in place where the server allows it, else dropped and created again with their
grants."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from schema.catalog.readers import functions
from schema.errors import UnsafeChangeError
from schema.kinds import comment, rights
from schema.kinds.kind import Drop, Kind, ServerWords, nothing_alone
from schema.model import renames
from schema.model.diff import Diff
from schema.model.live import LiveFunction
from schema.model.names import ident
from schema.model.objects import Function
from schema.model.step import Action, Hazard, Step

FunctionDiff = Diff[Function, LiveFunction]
LABELS = {"returns": "result", "security_definer": "security definer"}
_DEFAULT = re.compile(r"\s+DEFAULT\s|\s*=", re.I)


def choose(canonical: Function, live: LiveFunction) -> LiveFunction | None:
    """Return the overload that has the declared arguments; where none has them, the only one there is, else None.

    All others of the name belong to somebody else and are left alone.
    """
    overloads = [replace(live, overloads=()), *live.overloads]
    same = [overload for overload in overloads if _is_called_like(overload, canonical)]
    if same:
        return same[0]
    return overloads[0] if len(overloads) == 1 else None


def creation(function: Function) -> Iterable[tuple[str, str]]:
    """Return (part, SQL) that create the function in an empty schema."""
    yield function.full_name, definition(function)


def canonicalise(function: Function, scratch: LiveFunction) -> Function:
    """Return the declared function as the server spelled the scratch one; the body stays as it is written."""
    created = scratch.object
    return replace(created, name=function.name, schema=function.schema, comment=function.comment, body=function.body)


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
    words += ["SECURITY DEFINER"] if function.security_definer else []
    words += [f"SET {setting}" for setting in function.settings]
    quote = _quote(function.body)
    return f"{head}\n    {' '.join(words)}\n    AS {quote}{function.body}{quote}"


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
    comment_step = comment.step(f"{_kind(declared)} {_called(diff.canonical)}", name, declared.comment, live_comment)
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
                  *rights.restore(_kind(declared), _called(diff.canonical), live.rights)]
    hazards = () if _is_called_like(live, diff.canonical) else (Hazard.DROPS_FUNCTION,)
    return Step(Action.REPLACE, diff.name, ";\n".join(statements), why, hazards)


def _why(canonical: Function, live: Function) -> str:
    """What differs, for people; nothing where all is as declared."""
    differing = [field for field in ("arguments", "returns", "language", "volatility", "parallel", "strict",
                                     "security_definer", "settings", "body")
                 if getattr(canonical, field) != getattr(live, field)]
    whys = [f"it has {LABELS.get(field, field)} {_shown(getattr(live, field))}" for field in differing
            if field != "body"]
    return ", ".join([*whys, *(["its body differs"] if "body" in differing else [])])


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    text = ", ".join(value) if isinstance(value, tuple) else value
    return f"({text})" if text else "none"


def _is_replaceable(diff: FunctionDiff) -> bool:
    """Whether CREATE OR REPLACE takes it: same kind, result, names and types of arguments; no default taken away."""
    canonical, live = diff.canonical, diff.present.object
    before, after = _split(live.arguments), _split(canonical.arguments)
    return canonical.returns == live.returns and len(before) == len(after) and all(
        _bare(new) == _bare(old) and (_bare(new) != new or _bare(old) == old)
        for new, old in zip(after, before, strict=True))


def _is_called_like(live: LiveFunction, canonical: Function) -> bool:
    """Whether the live function takes the arguments of the declared one."""
    given = [argument for argument in map(_bare, _split(canonical.arguments))
             if not argument.lower().startswith("out ")]
    types = _split(live.inputs)
    return _kind(live.object) == _kind(canonical) and len(given) == len(types) and all(
        argument == type_ or argument.endswith(f" {type_}") for argument, type_ in zip(given, types, strict=True))


def _called(function: Function) -> str:
    """Name and arguments as COMMENT and GRANT take them."""
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


KIND = Kind(
    Function, resource="schema:Function", page="function.md", read=functions.read,
    server_words=ServerWords(creation, canonicalise), steps=steps, lint=nothing_alone, choose=choose,
    drops=(Drop("function", "DROP FUNCTION {}", Hazard.DROPS_FUNCTION),
           Drop("procedure", "DROP PROCEDURE {}", Hazard.DROPS_FUNCTION)))
