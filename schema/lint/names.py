"""Names: declared once, short enough, and without dots; allowances."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from schema.lint.finding import Lint
from schema.model.names import LONGEST_BYTES
from schema.model.objects import ContinuousAggregate, Function, Job, Object, Table
from schema.model.step import Hazard

KNOWN = frozenset((*Hazard, *Lint))


def errors(objects: Sequence[Object]) -> Iterable[str]:
    """Names that PostgreSQL would cut, take apart or refuse."""
    # Relations and types share their names; functions and jobs have names of their own.
    found = Counter((type(each) if isinstance(each, Function | Job) else Table, each.full_name) for each in objects)
    yield from (f"{name}: declared twice; keep one" for (_, name), count in found.items() if count > 1)
    for each in objects:
        for name in (each.schema, each.name, *_parts(each)):
            yield from _name(each.full_name, name)
        for name in sorted(set(each.allow) - KNOWN):
            yield f"{each.full_name}: allow {name!r} is not known; use one of {', '.join(sorted(KNOWN))}"


def _name(owner: str, name: str) -> Iterable[str]:
    if not name:
        yield f"{owner}: a name is empty; give it"
    if len(name.encode()) > LONGEST_BYTES:
        yield (f"{owner}: name {name!r} has {len(name.encode())} bytes; PostgreSQL cuts at {LONGEST_BYTES}: shorten it")
    if "." in name:
        yield f"{owner}: name {name!r} has a dot, which stands between schema and name; use another character"


def _parts(each: Object) -> Iterable[str]:
    """The names of what is inside the object."""
    if isinstance(each, Table):
        groups = (each.columns, each.keys, each.foreign_keys, each.checks, each.indexes, each.triggers,
                  each.row_security.policies if each.row_security else ())
        yield from (part.name for group in groups for part in group)
    elif isinstance(each, ContinuousAggregate):
        yield from (index.name for index in each.indexes)
