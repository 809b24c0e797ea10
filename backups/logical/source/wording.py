"""The structure's lines as the server words them once its own wording was read in again: the same before and after."""

from __future__ import annotations

import re
from collections.abc import Iterable

_QUOTED = r"""'(?:[^']|'')*'|"(?:[^"]|"")*\""""
_MARK = re.compile(rf"{_QUOTED}|(?P<array>\(ARRAY\[)")
_PART = re.compile(rf"{_QUOTED}|(?P<sign>[\[\](),])")
_CAST = re.compile(r'\)::(?P<type>(?:"(?:[^"]|"")+"|[\w.$ ]|\(\d+(?:,-?\d+)?\))+)\[\]')
# Casts among text types, and parentheses.
_LEFT_OUT = re.compile(r"::(character varying|text|bpchar)(\[\])?|[()]")


def settled(lines: Iterable[str]) -> list[str]:
    """Return the lines without what a dump and a restore change of their wording, sorted.

    An array that was cast as a whole is cast element by element, VALUES within a set operation has one spelling, casts
    among text types and parentheses are left out.
    """
    return sorted(_LEFT_OUT.sub("", cast_by_element(line.replace("(VALUES (", "( VALUES ("))) for line in lines)


def cast_by_element(line: str) -> str:
    """Return the line with `ARRAY[(a)::t, (b)::t]` for `(ARRAY[a, b])::t[]`: so the server reads its own wording."""
    position = 0
    while mark := _next_array(line, position):
        elements, end = _elements(line, mark.end())
        cast = _CAST.match(line, end)
        if cast is None:
            position = mark.end()
            continue
        inner = ", ".join(f"({element})::{cast['type']}{'[]' if element.startswith('ARRAY[') else ''}"
                          for element in elements)
        line = f"{line[:mark.start()]}ARRAY[{inner}]{line[cast.end():]}"
        position = mark.start()
    return line


def _next_array(line: str, position: int) -> re.Match[str] | None:
    return next((mark for mark in _MARK.finditer(line, position) if mark["array"]), None)


def _elements(line: str, start: int) -> tuple[list[str], int]:
    """The elements of the array whose first one begins at `start`, and where its bracket is behind."""
    elements: list[str] = []
    begin, depth = start, 0
    for part in _PART.finditer(line, start):
        sign = part["sign"]
        if sign in ("]", ")") and not depth:
            return [*elements, line[begin:part.start()]], part.end()
        depth += {"[": 1, "(": 1, "]": -1, ")": -1}.get(sign, 0)
        if sign == "," and not depth:
            elements.append(line[begin:part.start()])
            begin = part.end() + 1
    return elements, len(line)
