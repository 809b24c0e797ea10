"""Declarations as Python source in the style of this house; pure."""

from __future__ import annotations

import keyword
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from typing import Any

from schema.model import objects as declarations
from schema.model.objects import Column, Object, Schema, Table, kind_of

WIDTH = 120
INDENT = "    "


@dataclass(frozen=True)
class Call:
    """A call with its arguments, (keyword or None, code); a tuple where `name` is empty."""

    name: str
    arguments: tuple[tuple[str | None, Code], ...]
    spread: bool = False


Code = Call | str


def python(objects: Sequence[Object], title: str, remarks: Sequence[str] = (),
           differences: Sequence[str] = ()) -> str:
    """Return a module that declares the objects as DECLARED, in their order.

    `remarks` on what is left out and `differences`, what a plan of it would do, become comments at its top.
    """
    constants = _constants(objects)
    used: set[str] = set()
    bodies = [f"{constants[declared]} = {_layout(_object(declared, used), len(constants[declared]) + 3, '')}"
              for declared in objects]
    names = Call("", tuple((None, constants[declared]) for declared in objects))
    parts = [_string(title, docstring=True)]
    for heading, lines in (("Not declared here:", remarks), ("A plan of this finds:", differences)):
        if lines:
            parts.append("\n".join(f"# {line}" for text in (heading, *lines) for line in text.splitlines()))
    parts.append("\n".join(_imports(used)))
    return "\n\n".join([*parts, *bodies, f"DECLARED = {_layout(names, 11, '')}"]) + "\n"


def _constants(objects: Sequence[Object]) -> dict[Object, str]:
    """Choose a unique constant name for each object."""
    constants: dict[Object, str] = {}
    taken = {"DECLARED"}
    for declared in objects:
        plain = _identifier(declared.full_name)
        tries = (plain, f"{plain}_{kind_of(declared).upper()}", *(f"{plain}_{n}" for n in range(2, len(objects) + 2)))
        constants[declared] = next(name for name in tries if name not in taken)
        taken.add(constants[declared])
    return constants


def _identifier(name: str) -> str:
    """Return the name in capitals, as Python takes it and reads it back: in the normal form NFKC (PEP 3131)."""
    letters = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).upper())
    plain = re.sub(" +", "_", "".join(letter if f"_{letter}".isidentifier() else " " for letter in letters))
    return plain if plain.isidentifier() and not keyword.iskeyword(plain) else f"_{plain}"


def _imports(used: set[str]) -> Iterator[str]:
    helpers = sorted(name for name in used if name not in vars(declarations))
    if helpers:
        yield f"from schema.model.columns import {', '.join(helpers)}"
    classes = sorted(used.difference(helpers))
    line = f"from schema.model.objects import {', '.join(classes)}"
    if classes:
        yield line if len(line) <= WIDTH else "\n".join(
            ["from schema.model.objects import (", *(f"{INDENT}{name}," for name in classes), ")"])


def _object(declared: Object, used: set[str]) -> Call:
    """Return a declared object's code: its name, then every other argument by keyword, one to a line."""
    used.add(type(declared).__name__)
    order = ("schema", "comment", "renamed_from", "allow")
    # A schema is in itself.
    given = {name: _code(value, used) for name, value in _given(declared)
             if name != "name" and not (name == "schema" and isinstance(declared, Schema))}
    first = [name for name in order if name in given]
    last = [name for name in ("grants", "owner") if name in given]
    names = [*first, *(name for name in given if name not in (*order, *last)), *last]
    code: list[tuple[str | None, Code]] = [(None, _string(declared.name)), *((name, given[name]) for name in names)]
    return Call(type(declared).__name__, tuple(code), spread=isinstance(declared, Table))


def _code(value: Any, used: set[str]) -> Code:
    if isinstance(value, Column):
        return _column(value, used)
    if is_dataclass(value) and not isinstance(value, type):
        used.add(type(value).__name__)
        required = {field.name for field in fields(value) if field.default is MISSING}
        own = type(value).__annotations__
        arguments = sorted(_given(value), key=lambda argument: (argument[0] not in required, argument[0] not in own))
        return Call(type(value).__name__, tuple((None if name in required else name, _code(item, used))
                                                for name, item in arguments))
    if isinstance(value, tuple):
        return Call("", tuple((None, _code(item, used)) for item in value),
                    spread=any(isinstance(item, Column) for item in value))
    return _string(value) if isinstance(value, str) else repr(value)


def _given(value: Any) -> list[tuple[str, Any]]:
    """List the fields that differ from their defaults, in their order."""
    return [(field.name, getattr(value, field.name)) for field in fields(value)
            if field.default is MISSING or getattr(value, field.name) != field.default]


def _column(column: Column, used: set[str]) -> Call:
    """Return a column's code, as a call of its short constructor where one fits."""
    given = dict(_given(column))
    rest = [(name, _code(value, used)) for name, value in given.items() if name not in ("name", "type")]
    name = _string(column.name)
    helper, arguments, takes = _helper(column.type, column)
    if helper is None or not takes.issuperset(given.keys() - {"name", "type"}):
        used.add("Column")
        return Call("Column", ((None, name), (None, _string(column.type)), *rest))
    used.add(helper)
    if helper == "big_serial":
        rest = [(key, code) for key, code in rest if key not in ("null", "serial")]
    comment: list[tuple[str | None, Code]] = [(None, code) for key, code in rest if key == "comment"]
    return Call(helper, ((None, name), *((None, argument) for argument in arguments), *comment,
                         *((key, code) for key, code in rest if key != "comment")))


def _helper(type_: str, column: Column) -> tuple[str | None, tuple[str, ...], set[str]]:
    """Return the short constructor for columns of this type, its arguments after the name, and what else it takes."""
    if type_ == "bigint" and column.serial and not column.null:
        return "big_serial", (), {"comment", "null", "serial"}
    if size := re.fullmatch(r"varchar\((\d+)\)", type_):
        return "varchar", (size[1],), {"comment", "null", "default"}
    if size := re.fullmatch(r"numeric\((\d+),(\d+)\)", type_):
        return "decimal", (size[1], size[2]), {"comment", "null"}
    plain = {"bigint": "big_int", "text": "text"}
    if type_ in plain:
        return plain[type_], (), {"comment", "null"}
    if type_ in ("integer", "boolean", "jsonb", "timestamp"):
        return type_, (), {"comment", "null", "default"}
    return None, (), set()


def _layout(code: Code, column: int, indent: str, trailing: int = 1) -> str:
    """Return the code, starting at `column`, on one line where it fits, else with one argument to a line."""
    if isinstance(code, str):
        return code if column + len(code) + trailing <= WIDTH or not code.startswith('"') or '"""' in code \
            else _wrapped(code, column, indent, trailing)
    flat = _flat(code)
    if not code.spread and "\n" not in flat and column + len(flat) + trailing <= WIDTH:
        return flat
    inner = indent + INDENT
    lines = []
    for key, value in code.arguments:
        head = f"{inner}{key}=" if key else inner
        lines.append(f"{head}{_layout(value, len(head), inner)},")
    return "\n".join([f"{code.name}(", *lines, f"{indent})"])


def _flat(code: Code) -> str:
    if isinstance(code, str):
        return code
    inside = ", ".join(f"{key}={_flat(value)}" if key else _flat(value) for key, value in code.arguments)
    return f"{code.name}({inside}{',' if not code.name and len(code.arguments) == 1 else ''})"


def _wrapped(code: str, column: int, indent: str, trailing: int) -> str:
    """Split a long string at spaces into several in parentheses."""
    inner = indent + INDENT
    room = WIDTH - len(inner) - 2 - trailing
    pieces = [""]
    for word in re.split(r"(?<= )(?=[^ ])", code[1:-1]):
        if pieces[-1] and len(pieces[-1]) + len(word) > room:
            pieces.append("")
        pieces[-1] += word
    if len(pieces) == 1:
        return code
    lines = [f'{inner}"{piece}"' for piece in pieces]
    return "(\n" + "\n".join(lines) + ")"


def _string(text: str, *, docstring: bool = False) -> str:
    """Return a string literal in double quotes; in triple quotes where it has several lines."""
    escaped = text.replace("\\", "\\\\")
    if "\n" in text or docstring:
        body = re.sub(r'"{3,}|"+\Z', lambda quotes: quotes[0].replace('"', '\\"'), escaped)
        return f'"""{_visible(body)}"""'
    return '"' + _visible(escaped.replace('"', '\\"')) + '"'


def _visible(text: str) -> str:
    """Escape everything that is neither printable nor a line end."""
    return "".join(letter if letter.isprintable() or letter == "\n" else letter.encode("unicode_escape").decode()
                   for letter in text)
