"""Dependencies of a declared object: the other declared objects that its SQL names; pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence

from schema.model.declarations import foundations
from schema.model.declarations.foundations import CompositeType, Domain, Extension
from schema.model.objects import (
    Aggregate,
    ContinuousAggregate,
    Enum,
    Function,
    Index,
    Job,
    MaterializedView,
    Object,
    Schema,
    Statistics,
    Table,
    Trigger,
    View,
)
from schema.model.sql_names import names_in, pairs_in

OF_COLUMNS = (Enum, Function, *foundations.COLUMN_FOUNDATIONS)
# Where all extensions are listed among the objects by name: a name that no object can have.
EXTENSIONS = ""
# What a query calls one of its columns is no reference to anything.
_ALIAS = re.compile(r'\bas\s+("(?:[^"]|"")+"|\w+)\s*(?=,|\bfrom\b)', re.I)


def texts(declared: Object) -> Iterable[str]:
    """Yield the SQL texts of a declaration that may name other objects; targets of foreign keys are not among them."""
    if isinstance(declared, Table):
        yield from _of_table(declared)
    elif isinstance(declared, View | MaterializedView | ContinuousAggregate):
        yield from _of_view(declared)
    elif isinstance(declared, Function | Aggregate):
        yield from _of_routine(declared)
    elif isinstance(declared, Job):
        yield declared.procedure
    elif isinstance(declared, Statistics):
        yield from (declared.table, *declared.expressions)
    else:
        yield from _of_foundation(declared)


def _of_table(table: Table) -> Iterable[str]:
    for column in table.columns:
        yield from (column.type, column.default or "", column.generated or "", column.collation or "")
    yield from (check.expression for check in table.checks)
    yield from _of_indexes(table.indexes)
    yield from (text for exclusion in table.exclusions for text in (*exclusion.elements, exclusion.where or ""))
    yield from _of_triggers(table.triggers)
    for policy in table.row_security.policies if table.row_security else ():
        yield from (policy.using or "", policy.check or "")
    yield table.hypertable.now or "" if table.hypertable else ""


def _of_view(view: View | MaterializedView | ContinuousAggregate) -> Iterable[str]:
    yield _ALIAS.sub(" ", view.query)
    if isinstance(view, View):
        yield from (column.default or "" for column in view.columns)
        yield from _of_triggers(view.triggers)
    if isinstance(view, MaterializedView):
        yield from _of_indexes(view.indexes)


def _of_routine(routine: Function | Aggregate) -> Iterable[str]:
    yield routine.arguments
    if isinstance(routine, Function):
        yield from (routine.returns or "", routine.support or "", *routine.transforms)
        yield routine.body if routine.is_parsed else ""
    else:
        yield from (routine.sfunc, routine.stype, routine.mstype or "", routine.sortop or "")
        yield from (name or "" for name in (routine.finalfunc, routine.combinefunc, routine.serialfunc,
                                            routine.deserialfunc, routine.msfunc, routine.minvfunc, routine.mfinalfunc))


def _of_foundation(declared: Object) -> Iterable[str]:
    if isinstance(declared, Domain):
        yield from (declared.type, declared.default or "", declared.collation or "")
        yield from (check.expression for check in declared.checks)
    elif isinstance(declared, CompositeType):
        yield from (text for one in declared.attributes for text in (one.type, one.collation or ""))
    elif isinstance(declared, foundations.Sequence):
        yield declared.owned_by or ""


def _of_indexes(indexes: Iterable[Index]) -> Iterable[str]:
    for index in indexes:
        yield from (*index.columns, index.where or "")


def _of_triggers(triggers: Iterable[Trigger]) -> Iterable[str]:
    for trigger in triggers:
        yield from (trigger.calls, trigger.when or "")


def parts_that_await(declared: Object, coming: Collection[str]) -> set[str]:
    """Return the full names of a table's foreign keys and policies that name objects which do not exist yet: `coming`
    are their full names. Where one policy does, all of row-level security awaits them."""
    if not isinstance(declared, Table) or not coming:
        return set()
    name = declared.full_name
    parts = {f"{name}.{key.name}" for key in declared.foreign_keys if key.table in coming}
    policies = declared.row_security.policies if declared.row_security else ()
    bare = {other.rpartition(".")[2] for other in coming}
    if bare & names_in(text or "" for policy in policies for text in (policy.using, policy.check)):
        parts |= {f"{name}.{policy.name}" for policy in policies} | {f"{name}.row_security"}
    return parts


def needs(declared: Object, universe: Sequence[Object]) -> list[Object]:
    """List the objects of `universe` that the declaration's SQL names, and all extensions, in their order there."""
    return _named(declared, _by_name(universe), universe)


def closure(objects: Collection[Object], universe: Sequence[Object]) -> set[Object]:
    """Return the objects and all their direct and indirect dependencies in `universe`."""
    by_name = _by_name(universe)
    reached: set[Object] = set()
    waiting = list(objects)
    while waiting:
        current = waiting.pop()
        if current not in reached:
            reached.add(current)
            waiting.extend(_named(current, by_name, universe))
    return reached


def types(objects: Iterable[Object], universe: Sequence[Object]) -> set[Object]:
    """Return the types, sequences, collations and functions of `universe` that the tables among `objects` depend on."""
    if not any(isinstance(declared, OF_COLUMNS) for declared in universe):
        return set()
    tables = [declared for declared in objects if isinstance(declared, Table)]
    used = {declared for declared in closure(tables, universe) if isinstance(declared, OF_COLUMNS)}
    # What a parsed body names has to be there when its function is created.
    return used | closure([value for value in used if isinstance(value, Function) and value.is_parsed], universe)


def ordered(objects: Sequence[Object]) -> list[Object]:
    """Sort the objects so that each comes after its dependencies; otherwise the given order is kept.

    Where two objects seem to depend on each other, the given order decides: a name in SQL may be a column that only
    shares an object's name. Extensions come first: nothing shows which objects need them.
    """
    done: dict[Object, None] = {}
    objects = sorted(objects, key=lambda declared: not isinstance(declared, Extension))
    by_name = _by_name(objects)
    place = {current: number for number, current in enumerate(objects)}
    below: dict[Object, list[Object]] = {}
    for current in objects:
        keys = [target.table for target in current.foreign_keys] if isinstance(current, Table) else []
        below[current] = [*_named(current, by_name, objects),
                          *(other for name in keys for other in by_name.get(name, ()) if other.full_name == name)]

    def visit(current: Object) -> None:
        if current in done or current in waiting:
            return
        waiting.add(current)
        for other in below[current]:
            if place[other] < place[current] or not _reaches(other, current, below):
                visit(other)
        done[current] = None

    waiting: set[Object] = set()
    for current in objects:
        visit(current)
    return list(done)


def _reaches(start: Object, goal: Object, below: Mapping[Object, Sequence[Object]]) -> bool:
    """Tell whether `goal` is a direct or indirect dependency of `start`."""
    seen: set[Object] = set()
    left = [start]
    while left:
        for other in below[left.pop()]:
            if other == goal:
                return True
            if other not in seen:
                seen.add(other)
                left.append(other)
    return False


def _by_name(universe: Iterable[Object]) -> Mapping[str, Sequence[Object]]:
    by_name: dict[str, list[Object]] = {}
    for declared in universe:
        # Nothing refers to them; a job often has the name of its procedure, a schema of what is in it.
        if isinstance(declared, Job | Schema):
            continue
        for name in {declared.name, declared.full_name}:
            by_name.setdefault(name, []).append(declared)
        if isinstance(declared, Extension):
            by_name.setdefault(EXTENSIONS, []).append(declared)
    return by_name


def _named(declared: Object, by_name: Mapping[str, Sequence[Object]], universe: Sequence[Object]) -> list[Object]:
    if isinstance(declared, Extension | Schema):
        return []
    own_texts = list(texts(declared))
    names, pairs = names_in(own_texts), pairs_in(own_texts)
    # Outside of public, a text that names an object names its schema right before it.
    named = [other for name in names & by_name.keys() for other in by_name[name]
             if (other.schema == "public" or (other.schema, other.name) in pairs) and other != declared]
    if isinstance(declared, foundations.Sequence):  # a table whose default takes its numbers is created after it
        named = [other for other in named if declared.name not in names_in(texts(other))]
    ids = {id(other) for other in (*named, *by_name.get(EXTENSIONS, ()))}  # an object's own hash takes long
    return [other for other in universe if id(other) in ids] if ids else []
