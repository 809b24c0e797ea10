"""Guard of a change: what no step names stays as it was, else the transaction is rolled back and the difference said.

Every attribute of the objects that steps touch is read before and after, from PostgreSQL's and TimescaleDB's own
catalogs. What a declaration tells is proved by the empty plan that follows; all else must be the same.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from psycopg import Connection

from schema.capabilities import Capabilities
from schema.catalog.attributes import CATALOGS, Attributes, read_attributes
from schema.errors import ApplyError
from schema.model.change.step import Step

SHOWN = 3
# Maps of an index's columns: of those that it no longer has, nothing can be kept.
PER_COLUMN = frozenset({"collations", "targets"})
WORDS = {
    "relacl": "rights", "attacl": "rights", "proacl": "rights", "typacl": "rights", "relowner": "owner",
    "proowner": "owner", "typowner": "owner", "stxowner": "owner", "reloptions": "options", "attoptions": "options",
    "view_options": "options",
    "relpersistence": "persistence", "relreplident": "replica identity", "relam": "access method",
    "attcollation": "collation", "attstorage": "storage", "attcompression": "compression",
    "attstattarget": "statistics target", "stxstattarget": "statistics target", "condeferrable": "deferrable",
    "condeferred": "initially deferred", "confmatchtype": "match type", "confdelsetcols": "columns set on delete",
    "connoinherit": "no inherit", "conenforced": "enforced", "conperiod": "period",
    "indnullsnotdistinct": "nulls not distinct", "indimmediate": "checked at once", "indisclustered": "clustered",
    "indisreplident": "replica identity", "targets": "statistics targets", "tgenabled": "fires",
    "tgdeferrable": "deferrable", "tginitdeferred": "initially deferred", "tgconstraint": "constraint trigger",
    "prosqlbody": "body", "proleakproof": "leakproof", "procost": "cost", "prorows": "rows",
    "prosupport": "support function", "aggregate_interval": "chunk interval",
    "compress_interval_length": "chunk interval of the columnstore", "index": "sparse index"}
RIGHTS = frozenset(name for name, word in WORDS.items() if word in ("rights", "owner"))
# Texts that the server writes anew where a column beneath is renamed or gets another type.
FOLLOWS = frozenset({"definition", "default", "atttypid", "tgqual", "polqual", "polwithcheck"})
# What goes with nothing that a declaration tells: where it is gone, somebody has lost it.
NEVER_NAMED = frozenset({"pg_rewrite", "aggregate_index"})


@dataclass(frozen=True)
class Guard:
    """Watches the objects that steps touch; `names` are the full names, former ones too, of what is declared."""

    connection: Connection[Any]
    capabilities: Capabilities
    names: Collection[str]

    @contextmanager
    def watch(self, steps: Sequence[Step]) -> Iterator[None]:
        """Raise ApplyError at the end where anything else than the steps name has changed meanwhile."""
        touched = self.touched(steps)
        before = read_attributes(self.connection, self.capabilities, touched)
        yield
        after = read_attributes(self.connection, self.capabilities,
                                [*touched, *{entry.relation for entry in before}]) if before else []
        found = differences(before, after, self.names,
                            {name for step in steps for name in (step.object, *step.drops)},
                            {step.object for step in steps if step.rights})
        if found:
            text = "; ".join(found[:SHOWN]) + (f" and {len(found) - SHOWN} more" if len(found) > SHOWN else "")
            raise ApplyError(
                f"{steps[0].object}: refused, since it would change what nobody declares: {text}; make that change by "
                "hand, or leave the object as it is" if steps[0].transactional else
                f"{steps[0].object}: it changed what nobody declares: {text}; this step cannot be rolled back: set it "
                "again by hand")

    def touched(self, steps: Sequence[Step]) -> list[str]:
        """The declared objects that steps work on, and the views that they drop."""
        objects = [step.object for step in steps]
        return [*(name for name in self.names if any(f"{text}.".startswith(f"{name}.") for text in objects)),
                *dict.fromkeys(name for step in steps for name in step.drops)]


def differences(before: Sequence[Attributes], after: Sequence[Attributes], declared: Collection[str],
                named: Collection[str] = (), granted: Collection[str] = ()) -> list[str]:
    """What changed or is gone though nobody named it, a line each; none where all is well.

    `declared` are the relations, functions and types (as SQL writes them) whose declared attributes may change;
    `named` are objects that steps name, those that they drop included; `granted` are those whose rights and owner they
    change.
    """
    left = _Objects(after, before)
    found = []
    for old in before:
        new = left.same(old)
        if new is None:
            found += _loss(old, left, declared, named)
        else:
            found += _changes(old, new, declared, RIGHTS if old.relation in granted else frozenset())
    return found


class _Objects:
    """Objects by name and by number: one that was made anew has its name, one that was renamed its number."""

    def __init__(self, objects: Sequence[Attributes], before: Iterable[Attributes]) -> None:
        self.former = {entry.number for entry in before if entry.catalog == "bgw_job"}
        self.by_name = {(entry.catalog, entry.relation, entry.name): entry for entry in objects}
        self.by_number = {(entry.catalog, *entry.number): entry for entry in objects if any(entry.number)}
        self.relations = {entry.relation for entry in objects}

    def same(self, old: Attributes) -> Attributes | None:
        """The object that took the place of `old`, or is still it. Jobs have numbers rather than names."""
        by_name = self.by_name.get((old.catalog, old.relation, old.name))
        by_number = self.by_number.get((old.catalog, *old.number)) if any(old.number) else None
        if old.catalog == "bgw_job":
            return by_number or (by_name if by_name and by_name.number not in self.former else None)
        return by_name or by_number


def _loss(old: Attributes, left: _Objects, declared: Collection[str], named: Collection[str]) -> list[str]:
    by_itself = old.name in named or f"{old.relation}.{old.values.get('index')}" in named
    with_relation = old.relation in declared and (
        old.relation not in left.relations or old.catalog not in NEVER_NAMED)
    of_dropped = old.relation in named and old.relation not in declared
    return [] if by_itself or with_relation or of_dropped else [f"{old.noun} {old.name} is gone"]


def _changes(old: Attributes, new: Attributes, declared: Collection[str], named: frozenset[str]) -> list[str]:
    catalog = CATALOGS[old.catalog]
    told = catalog.declared if old.relation in declared or new.relation in declared else FOLLOWS
    free = catalog.ignored | told | named
    return [f"{old.noun} {old.name}: {WORDS.get(name, name.replace('_', ' '))} was {_text(value)}, would be "
            f"{_text(new.values[name])}" for name, value in sorted(old.values.items())
            if name not in free and name in new.values and not _same(name, value, new.values[name])]


def _same(name: str, old: Any, new: Any) -> bool:
    """Equal, or no longer to be told ("-": the type has no such attribute)."""
    if name in PER_COLUMN and isinstance(old, Mapping) and isinstance(new, Mapping):
        return all(bool(old[key] == new[key]) for key in old.keys() & new.keys())
    return "-" in (old, new) or bool(old == new)


def _text(value: Any) -> str:
    text = "none" if value is None or value == "" else str(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
