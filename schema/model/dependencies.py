"""What a declared object stands on: the other declared objects that its SQL names; pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence

from schema.model.objects import ContinuousAggregate, Enum, Function, Job, Object, Statistics, Table, View
from schema.model.sql_names import names_in

# What a query calls one of its columns is no reference to anything.
_ALIAS = re.compile(r'\bas\s+("(?:[^"]|"")+"|\w+)\s*(?=,|\bfrom\b)', re.I)


def texts(each: Object) -> Iterable[str]:
    """The SQL in a declaration that may name other objects; not the rows it refers to by foreign keys."""
    if isinstance(each, Table):
        for column in each.columns:
            yield from (column.type, column.default or "", column.generated or "")
        yield from (check.expression for check in each.checks)
        for index in each.indexes:
            yield from (*index.columns, index.where or "")
        for trigger in each.triggers:
            yield from (trigger.calls, trigger.when or "")
        for policy in each.row_security.policies if each.row_security else ():
            yield from (policy.using or "", policy.check or "")
        yield each.hypertable.now or "" if each.hypertable else ""
    elif isinstance(each, View | ContinuousAggregate):
        yield _ALIAS.sub(" ", each.query)
    elif isinstance(each, Function):
        yield from (each.arguments, each.returns or "")
    elif isinstance(each, Job):
        yield each.procedure
    elif isinstance(each, Statistics):
        yield each.table


def needs(each: Object, universe: Sequence[Object]) -> list[Object]:
    """The objects of `universe` that the declaration names in its SQL, in their order."""
    return _named(each, _by_name(universe), universe)


def closure(objects: Collection[Object], universe: Sequence[Object]) -> set[Object]:
    """The objects with all that they stand on, directly or not."""
    by_name = _by_name(universe)
    found: set[Object] = set()
    waiting = list(objects)
    while waiting:
        each = waiting.pop()
        if each not in found:
            found.add(each)
            waiting.extend(_named(each, by_name, universe))
    return found


def types(objects: Iterable[Object], universe: Sequence[Object]) -> set[Object]:
    """The enums and functions that the tables' columns are made with."""
    enums = {each.name for each in universe if isinstance(each, Enum | Function)}
    if not enums:
        return set()
    tables = [each for each in objects if isinstance(each, Table)]
    return {each for each in closure(tables, universe) if isinstance(each, Enum | Function)}


def ordered(objects: Sequence[Object]) -> list[Object]:
    """The objects with each after those that it stands on, otherwise in the order given.

    So are those that seem to stand on each other: a name in SQL may be a column's that only looks like an object's.
    """
    done: dict[Object, None] = {}
    by_name = _by_name(objects)
    place = {each: number for number, each in enumerate(objects)}
    below: dict[Object, list[Object]] = {}
    for each in objects:
        keys = [target.table for target in each.foreign_keys] if isinstance(each, Table) else []
        below[each] = [*_named(each, by_name, objects), *(by_name[name] for name in keys if name in by_name)]

    def visit(each: Object) -> None:
        if each in done or each in waiting:
            return
        waiting.add(each)
        for other in below[each]:
            if place[other] < place[each] or not _reaches(other, each, below):
                visit(other)
        done[each] = None

    waiting: set[Object] = set()
    for each in objects:
        visit(each)
    return list(done)


def _reaches(each: Object, goal: Object, below: Mapping[Object, Sequence[Object]]) -> bool:
    """Whether `goal` is among what `each` stands on, directly or not."""
    seen: set[Object] = set()
    left = [each]
    while left:
        for other in below[left.pop()]:
            if other == goal:
                return True
            if other not in seen:
                seen.add(other)
                left.append(other)
    return False


def _by_name(universe: Iterable[Object]) -> Mapping[str, Object]:
    return {name: each for each in universe for name in (each.name, each.full_name)}


def _named(each: Object, by_name: Mapping[str, Object], universe: Sequence[Object]) -> list[Object]:
    found = {by_name[name] for name in names_in(texts(each)) & by_name.keys()} - {each}
    return [other for other in universe if other in found] if found else []
