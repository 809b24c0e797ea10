"""Functions and procedures: replaced in place where the server allows it, else dropped and made again with their
grants."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Any

from schema.catalog.readers import functions
from schema.errors import UnsafeChangeError
from schema.kinds import comment, rights
from schema.kinds.kind import Drop, Kind, ServerWords, nothing_alone
from schema.model import renames
from schema.model.live import Compared, LiveFunction
from schema.model.names import ident
from schema.model.objects import Function
from schema.model.step import Action, Hazard, Step

FunctionComparison = Compared[Function, LiveFunction]
LABELS = {"returns": "result", "security_definer": "security definer"}
_DEFAULT = re.compile(r"\s+DEFAULT\s|\s*=", re.I)


def compared(declared: Function, wanted: Function, live: LiveFunction | None, *rest: Any) -> FunctionComparison:
    """Compare with that overload that has the declared arguments; where none has, with the only one there is.

    What else bears the name is somebody else's, and left alone.
    """
    found = live
    if live is not None:
        of_the_name = [replace(live, overloads=()), *live.overloads]
        same = [each for each in of_the_name if _is_called_like(each, wanted)]
        found = same[0] if same else of_the_name[0] if len(of_the_name) == 1 else None
    return Compared(declared, wanted, found, *rest)


def creation(function: Function) -> Iterable[tuple[str, str]]:
    """(part, SQL) that make the function where nothing is."""
    yield function.full_name, definition(function)


def wanted(function: Function, found: LiveFunction) -> Function:
    """The declared function with all but the body, which is verbatim, in the server's words."""
    made = found.object
    return replace(made, name=function.name, schema=function.schema, comment=function.comment, body=function.body)


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


def steps(comparison: FunctionComparison, _: Collection[str]) -> tuple[list[Step], list[str]]:
    """Create the function, replace it, or drop and make it again; no step where it is as declared."""
    declared, name = comparison.declared, comparison.name
    found, live_comment = [], None
    if comparison.live is None:
        found.append(Step(Action.CREATE, name, definition(declared), f"the {_kind(declared).lower()} does not exist"))
    else:
        live = comparison.present
        live_comment = live.object.comment
        if comparison.renamed:
            found.append(_rename(comparison, comparison.renamed))
        why = _why(comparison.wanted, live.object)
        if why and _is_replaceable(comparison):
            found.append(Step(Action.REPLACE, name, definition(declared, replacing=True), why))
        elif why:
            found.append(_again(comparison, why))
            live_comment = None
    said = comment.step(f"{_kind(declared)} {_called(comparison.wanted)}", name, declared.comment, live_comment)
    return [*found, *([said] if said else [])], []


def _rename(comparison: FunctionComparison, old: str) -> Step:
    kind = _kind(comparison.present.object)
    step = renames.step(kind, old, comparison.declared)
    return replace(step, sql=step.sql.replace(f"{kind} {ident(old)}",
                                              f"{kind} {ident(old)}({comparison.present.signature})", 1))


def _again(comparison: FunctionComparison, why: str) -> Step:
    """Drop and make again in one transaction. With other arguments, whoever calls it as it was fails: a hazard."""
    declared, live = comparison.declared, comparison.present
    if live.dependants:
        raise UnsafeChangeError(f"{comparison.name}: {why}, so it has to be dropped and made again, and "
                                f"{', '.join(live.dependants)} depends on it; declare it as it is, or give the new "
                                "one another name and change what depends on the old one")
    statements = [f"DROP {_kind(live.object)} {ident(comparison.name)}({live.signature})", definition(declared),
                  *rights.again(_kind(declared), _called(comparison.wanted), live.rights)]
    hazards = () if _is_called_like(live, comparison.wanted) else (Hazard.DROPS_FUNCTION,)
    return Step(Action.REPLACE, comparison.name, ";\n".join(statements), why, hazards)


def _why(wanted: Function, live: Function) -> str:
    """What differs, for people; nothing where all is as declared."""
    differing = [field for field in ("arguments", "returns", "language", "volatility", "parallel", "strict",
                                     "security_definer", "settings", "body")
                 if getattr(wanted, field) != getattr(live, field)]
    found = [f"{LABELS.get(field, field)} {_shown(getattr(live, field))}" for field in differing if field != "body"]
    return ", ".join([*(f"it has {each}" for each in found), *(["its body differs"] if "body" in differing else [])])


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    text = ", ".join(value) if isinstance(value, tuple) else value
    return f"({text})" if text else "none"


def _is_replaceable(comparison: FunctionComparison) -> bool:
    """Whether CREATE OR REPLACE takes it: same kind, result, names and types of arguments; no default taken away."""
    wanted, live = comparison.wanted, comparison.present.object
    before, after = _split(live.arguments), _split(wanted.arguments)
    return wanted.returns == live.returns and len(before) == len(after) and all(
        _bare(new) == _bare(old) and (_bare(new) != new or _bare(old) == old)
        for new, old in zip(after, before, strict=True))


def _is_called_like(live: LiveFunction, wanted: Function) -> bool:
    """Whether callers give the live function what the declared one takes."""
    given = [each for each in map(_bare, _split(wanted.arguments)) if not each.lower().startswith("out ")]
    types = _split(live.inputs)
    return _kind(live.object) == _kind(wanted) and len(given) == len(types) and all(
        each == type_ or each.endswith(f" {type_}") for each, type_ in zip(given, types, strict=True))


def _called(function: Function) -> str:
    """Name and arguments as COMMENT and GRANT take them."""
    return f"{ident(function.full_name)}({', '.join(map(_bare, _split(function.arguments)))})"


def _bare(argument: str) -> str:
    return _DEFAULT.split(argument, maxsplit=1)[0]


def _split(arguments: str) -> list[str]:
    """Arguments one by one: commas in parentheses and strings do not part them."""
    found, depth, quoted = [""], 0, False
    for char in arguments:
        quoted ^= char == "'"
        depth += 0 if quoted else (char in "([") - (char in ")]")
        if char == "," and depth == 0 and not quoted:
            found.append("")
        else:
            found[-1] += char
    return [each.strip() for each in found if each.strip()]


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
    server_words=ServerWords(creation, wanted), steps=steps, lint=nothing_alone, compared=compared,
    drops=(Drop("function", "DROP FUNCTION {}", Hazard.DROPS_FUNCTION),
           Drop("procedure", "DROP PROCEDURE {}", Hazard.DROPS_FUNCTION)))
