"""Sequences: those that a column has of its own anyway are not declared beside it."""

from __future__ import annotations

import re
from collections import abc

from schema.kinds.sequence import ALIASES, TYPES
from schema.model.declarations.foundations import Sequence
from schema.model.objects import Object, Table
from schema.model.sql_names import names_in

_NEXT_NUMBER = re.compile(r"\s*nextval\s*\(\s*'[^']*'(?:\s*::\s*regclass)?\s*\)\s*\Z", re.I)


def errors(objects: abc.Sequence[Object]) -> abc.Iterable[str]:
    """Yield the sequences whose owner is a serial column in all but the word."""
    defaults = {f"{table.full_name}.{column.name}": column.default for table in objects if isinstance(table, Table)
                for column in table.columns if ALIASES.get(column.type.lower(), column.type.lower()) in TYPES}
    for sequence in objects:
        if not isinstance(sequence, Sequence) or sequence.owned_by is None:
            continue
        default = defaults.get(sequence.owned_by.removeprefix("public."))
        if default is not None and _NEXT_NUMBER.match(default) and sequence.name in names_in([default]):
            yield (f"{sequence.full_name}: {sequence.owned_by} owns it and takes its next number, which is what serial "
                   "means; declare the column serial=True without a default and without this sequence, or leave "
                   "owned_by away")
