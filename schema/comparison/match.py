"""Canonicalise the declared objects and match them with the live ones. Changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar, cast

from psycopg import Connection

from schema.aggregates import aggregate_query
from schema.aggregates.live_aggregate import LiveAggregate
from schema.canonical import normalising
from schema.canonical.restored_expressions import accept_restored, accept_restored_domains
from schema.canonical.scratch import in_server_words
from schema.comparison.declaration import Declaration, Key
from schema.kinds import registry
from schema.kinds.grants import rights
from schema.model import intervals
from schema.model.change import renames
from schema.model.change.diff import Match
from schema.model.declarations.foundations import Domain
from schema.model.live.objects import Live, LiveGrants
from schema.model.live.tables import LiveTable
from schema.model.objects import ContinuousAggregate, Enum, MaterializedView, Object, Table, View

O = TypeVar("O", bound=Object)  # noqa: E741 (the object)
Matches = Sequence[Match[Any, Any]]


def match(connection: Connection[Any], declaration: Declaration, live: Mapping[Key, Live]) -> list[Match[Any, Any]]:
    """Canonicalise the declared objects and return one match for each, in their order, both sides spelled alike.

    `live` are the live objects by (class, full name). The server is asked for the canonical form once in a run.
    """
    if declaration.canonical is None:
        declaration.canonical = in_server_words(
            connection, declaration.capabilities, (*declaration.declared, *_other_overloads(declaration)),
            declaration.context)
    forms, scratch = declaration.canonical
    canonical = forms[:len(declaration.declared)]
    pairs = [_live_of(declared, form, live, _siblings(form, forms))
             for declared, form in zip(declaration.declared, canonical, strict=True)]
    present = _as_renamed(declaration.declared, pairs)
    settled = [normalising.settle(form, value.object if value else None)
               for form, value in zip(canonical, present, strict=True)]
    settled = _accept_restored(connection, declaration, settled, present)
    settled = [_accept_same(declared, form, value)
               for declared, form, value in zip(declaration.declared, settled, present, strict=True)]
    return [Match(declared, form, value, former, scratch.get((type(declared), declared.identity)))
            for declared, form, value, (_, former) in zip(declaration.declared, settled, present, pairs, strict=True)]


def read_back(declaration: Declaration, matches: Matches,
              granted: Mapping[Object, LiveGrants]) -> list[Object | None]:
    """Return the live objects as they would be declared, in the order given; None where absent. Parts that this server
    cannot have are returned as declared, for none of them differs."""
    by_object = {value.declared: value for value in matches}
    return [declared if fitting is None else _read_back(declared, by_object[fitting], granted.get(fitting))
            for declared, fitting in zip(declaration.objects, declaration.fitting, strict=True)]


def _accept_same(declared: Object, canonical: Object, live: Live | None) -> Object:
    """The canonical form with the live query where that is declared word for word: what the server printed once, such
    as `varchar IN (...)`, it may print in other words once it has read it again; and with the length of chunks that the
    live aggregate has anyway."""
    if live is None or not isinstance(declared, View | MaterializedView | ContinuousAggregate):
        return canonical
    query: str = cast(Any, live.object).query
    same = declared.query.split() == query.split()
    form = replace(cast(Any, canonical), query=query) if same else canonical
    if isinstance(live, LiveAggregate) and isinstance(form, ContinuousAggregate) and live.object.chunk is None and \
            form.chunk is not None and intervals.fixed_length(form.chunk) == intervals.fixed_length(live.chunk):
        # What TimescaleDB chose for its chunks may be what is declared.
        return replace(form, chunk=None)
    return form


def _other_overloads(declaration: Declaration) -> list[Object]:
    """What else the program declares under the names of functions that are compared: a live one may be theirs."""
    names = {(type(declared), declared.full_name) for declared in declaration.declared
             if registry.of(declared).choose}
    declared = set(declaration.declared)
    return [other for other in declaration.context
            if (type(other), other.full_name) in names and other not in declared]


def _siblings(form: Object, forms: Sequence[Object]) -> list[Object]:
    """The other canonical forms of its name, where a name alone does not distinguish them."""
    if registry.of(form).choose is None:
        return []
    return [other for other in forms
            if type(other) is type(form) and other.full_name == form.full_name and other is not form]


def _live_of(declared: Object, canonical: Object, live: Mapping[Key, Live],
             siblings: Sequence[Object]) -> tuple[Live | None, str | None]:
    """The live object of a declaration under its declared name, and its full name where that is still the former."""
    choose = registry.of(declared).choose

    def named(name: str) -> Live | None:
        value = live.get((type(declared), name))
        return choose(canonical, value, siblings) if choose and value else value

    matched, former = named(declared.full_name), None
    if matched is None and (former := renames.former_name(declared)):
        matched = named(former)
        matched = matched and _with_object(matched, replace(matched.object, name=declared.name))
        former = former if matched else None
    return matched, former


def _as_renamed(objects: Sequence[Object], pairs: Sequence[tuple[Live | None, str | None]]) -> list[Live | None]:
    """The live objects as they are once everything that the declarations rename has its declared name."""
    names = {former: declared for declared, (_, former) in zip(objects, pairs, strict=True) if former}
    live = [value for value, _ in pairs]
    values = renames.enum_values(zip(objects, live, strict=True))
    if names or values:
        live = [_with_object(value, renames.relations(value.object, names, values))
                if value and not isinstance(declared, Enum) else value
                for declared, value in zip(objects, live, strict=True)]
    columns = {declared.full_name: renames.column_names(declared, value.table)
               for declared, value in zip(objects, live, strict=True)
               if isinstance(declared, Table) and isinstance(value, LiveTable)}
    return [over_renamed(value, columns) if isinstance(value, LiveAggregate) else value for value in live]


def over_renamed(live: LiveAggregate, columns: Mapping[str, Mapping[str, str]]) -> LiveAggregate:
    """Return a live aggregate as it is once the columns of its source are renamed (new name by old, by source)."""
    names = columns.get(live.source)
    parsed = aggregate_query.parse(live.object.query) if names else None
    if not names or parsed is None:
        return live
    return replace(live, object=replace(live.object, query=parsed.with_source_columns(names).text()))


def _accept_restored(connection: Connection[Any], declaration: Declaration, canonical: Sequence[Object],
                     live: Sequence[Live | None]) -> list[Object]:
    """The canonical forms, with the live spelling of expressions that a dump and a restore have only reworded."""
    pairs = {n: (form, value.table) for n, (form, value) in enumerate(zip(canonical, live, strict=True))
             if isinstance(form, Table) and isinstance(value, LiveTable)}
    domains = {n: (form, value.object) for n, (form, value) in enumerate(zip(canonical, live, strict=True))
               if isinstance(form, Domain) and value and isinstance(value.object, Domain)}

    def canonicalise(objects: Sequence[O]) -> list[O]:
        context = (*declaration.context, *declaration.declared)
        return [cast(O, form) for form in in_server_words(connection, declaration.capabilities, objects, context)[0]]

    tables = accept_restored(list(pairs.values()), canonicalise)
    accepted: dict[int, Object] = dict(zip(pairs, tables, strict=True))
    accepted.update(zip(domains, accept_restored_domains(list(domains.values()), canonicalise), strict=True))
    return [accepted.get(n, form) for n, form in enumerate(canonical)]


def _read_back(declared: Object, matched: Match[Any, Any], granted: LiveGrants | None) -> Object | None:
    if matched.live is None:
        return None
    live: Object = normalising.in_declared_words(matched.declared, matched.canonical, matched.live.object)
    unfit = {part: getattr(declared, part) for part in ("hypertable", "compression", "retention", "reorder")
             if getattr(declared, part, None) != getattr(matched.declared, part, None)}
    if granted and declared.grants is not None and rights(declared.grants) != rights(granted.granted):
        unfit["grants"] = granted.granted
    if granted and declared.owner is not None:
        unfit["owner"] = granted.owner
    return replace(live, **unfit)


def _with_object(live: Any, value: Any) -> Any:
    return replace(live, table=value) if isinstance(value, Table) else replace(live, object=value)
