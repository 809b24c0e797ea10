"""Read declarations in Python source without running it: what `python()` writes, and nothing else."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any

from schema.errors import DeclarationError
from schema.model import columns, objects
from schema.model.objects import Object

_MODULES: Mapping[str, Any] = {"schema.model.objects": objects, "schema.model.columns": columns}


def read_source(code: str) -> tuple[Object, ...]:
    """Return the DECLARED of a module that holds nothing but a docstring, imports of declarations, and constants that
    are calls of these on literals, tuples and constants before them.

    Raises DeclarationError with the line of anything else; none of it is run.
    """
    known: dict[str, Callable[..., Any]] = {}
    constants: dict[str, Any] = {}
    for number, statement in enumerate(_parsed(code).body):
        if isinstance(statement, ast.ImportFrom) and statement.module in _MODULES and not statement.level:
            known |= {name.name: _imported(statement, name) for name in statement.names}
        elif isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name) \
                and len(statement.targets) == 1:
            constants[statement.targets[0].id] = _value(statement.value, known, constants)
        elif not (number == 0 and isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)):
            raise _refused(statement)
    return tuple(constants.get("DECLARED", ()))


def _parsed(code: str) -> ast.Module:
    try:
        return ast.parse(code)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None) or 1
        raise DeclarationError(f"line {line}: no Python: {error}; please report it") from None


def _imported(statement: ast.ImportFrom, name: ast.alias) -> Callable[..., Any]:
    value = vars(_MODULES[statement.module or ""]).get(name.name)
    # A class of declarations, or a constructor of columns: no module, and nothing that these modules import.
    if name.asname or not callable(value) or not str(value.__module__).startswith("schema.model."):
        raise _refused(statement)
    made: Callable[..., Any] = value
    return made


def _value(node: ast.expr, known: Mapping[str, Callable[..., Any]], constants: Mapping[str, Any]) -> Any:
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
        return -_number(node.operand)
    if isinstance(node, ast.Tuple):
        return tuple(_value(item, known, constants) for item in node.elts)
    if isinstance(node, ast.Name) and node.id in constants:
        return constants[node.id]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in known:
        named = {word.arg: _value(word.value, known, constants) for word in node.keywords if word.arg is not None}
        if len(named) == len(node.keywords):
            return known[node.func.id](*(_value(item, known, constants) for item in node.args), **named)
    raise _refused(node)


def _number(node: ast.Constant) -> int | float:
    if isinstance(node.value, int | float):
        return node.value
    raise _refused(node)


def _refused(node: ast.stmt | ast.expr) -> DeclarationError:
    return DeclarationError(f"line {node.lineno}: {ast.unparse(node)[:60]!r} is no part of a declaration, so it was "
                            "not run; please report it")
