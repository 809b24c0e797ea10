"""Names: unique, not too long, without dots; names of allowed hazards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from schema.lint.finding import Lint
from schema.model.change.step import Hazard
from schema.model.names import LONGEST_BYTES
from schema.model.objects import (
    Aggregate,
    Collation,
    CompositeType,
    ContinuousAggregate,
    Domain,
    Extension,
    Function,
    Job,
    MaterializedView,
    Object,
    Schema,
    Table,
    View,
)

KNOWN = frozenset((*Hazard, *Lint))
OWN_NAMESPACE = (Function, Aggregate, Job, Extension, Collation, Schema)


def errors(objects: Sequence[Object]) -> Iterable[str]:
    """Yield names that PostgreSQL would cut, split or refuse, and unknown names in `allow`."""
    # Relations and types share one namespace; these have namespaces of their own.
    counts = Counter((type(declared) if isinstance(declared, OWN_NAMESPACE) else Table, declared.identity)
                     for declared in objects)
    yield from (f"{name}: declared twice; keep one" for (_, name), count in counts.items() if count > 1)
    for declared in objects:
        for name in (declared.schema, declared.name, *_parts(declared)):
            yield from _name(declared.full_name, name)
            if "." in name:
                yield (f"{declared.full_name}: name {name!r} has a dot, which stands between schema and name; use "
                       "another character")
        for name in _sentences(declared):
            yield from _name(declared.full_name, name)
        for name in sorted(set(declared.allow) - KNOWN):
            yield f"{declared.full_name}: allow {name!r} is not known; use one of {', '.join(sorted(KNOWN))}"


def _name(owner: str, name: str) -> Iterable[str]:
    if not name:
        yield f"{owner}: a name is empty; give it"
    if len(name.encode()) > LONGEST_BYTES:
        yield (f"{owner}: name {name!r} has {len(name.encode())} bytes; PostgreSQL cuts at {LONGEST_BYTES}: shorten it")


def _sentences(value: Object) -> Iterable[str]:
    """Yield the names of policies and triggers, which are often sentences and are never looked for by their names."""
    if isinstance(value, Table):
        yield from (policy.name for policy in (value.row_security.policies if value.row_security else ()))
    if isinstance(value, Table | View):
        yield from (trigger.name for trigger in value.triggers)


def _parts(value: Object) -> Iterable[str]:
    """Yield the names of the object's parts."""
    if isinstance(value, Table):
        groups = (value.columns, value.keys, value.foreign_keys, value.checks, value.exclusions, value.indexes)
        yield from (part.name for group in groups for part in group)
    elif isinstance(value, Domain | CompositeType):
        yield from (part.name for part in (value.checks if isinstance(value, Domain) else value.attributes))
    elif isinstance(value, ContinuousAggregate | MaterializedView):
        yield from (index.name for index in value.indexes)
