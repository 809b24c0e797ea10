"""Which declared objects need an undeclared one: from now on, and still once a plan is done; pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from schema.kinds import registry
from schema.model.change.dependencies import texts
from schema.model.change.needs import Ends
from schema.model.change.step import Action, Step
from schema.model.live.objects import Need, Undeclared
from schema.model.objects import ContinuousAggregate, Function, Job, MaterializedView, Object, Table, View, qualified
from schema.model.sql_names import names_in, plain

CHANGES = (Action.ALTER, Action.REPLACE, Action.DROP)
# What a name can be, by the place where a declaration has it.
ROUTINES = ("function", "procedure", "aggregate function")
RELATIONS = ("table", "view", "materialized view", "aggregate")
TYPES = ("enum", "domain", "composite type", *RELATIONS)
_NAME = r'"(?:[^"]|"")+"|[A-Za-z_]\w*'
_FULL = rf"(?:(?:{_NAME})\s*\.\s*)?(?:{_NAME})"
# What a query reads and what it defines itself, what is called, and what a string names, as nextval() takes it.
_READ = re.compile(rf"\b(?:from|join)\s+(?:only\s+)?\(*\s*({_FULL})", re.I)
_DEFINED = re.compile(rf"({_NAME})\s*(?:\([^()]*\)\s*)?\bas\s+(?:(?:not\s+)?materialized\s*)?\(", re.I)
_CALLED = re.compile(rf"({_FULL})\s*\(")
_QUOTED = re.compile(rf"'({_FULL})'")
_TYPE = re.compile(rf"({_FULL})\s*(?:\([\d, ]*\))?(?:\[\d*\])*\s*$")
_DEFAULT = re.compile(r"\s+DEFAULT\s.*|\s*=.*", re.I | re.S)


def with_declared(undeclared: Sequence[Undeclared], objects: Sequence[Object]) -> list[Undeclared]:
    """Return the undeclared objects, needed also by the declared `objects` that name them, and by undeclared jobs.

    `objects` are those of which the server does not know yet what they will need: new and changed ones, and all jobs.
    """
    by_name: dict[str, list[tuple[Sequence[str], Need]]] = defaultdict(list)
    for declared in objects:
        for name, kinds, need in _named(declared):
            by_name[name].append((kinds, need))
    for live in undeclared:
        if live.kind == "job":  # only its name leads to its procedure
            by_name[live.name].append((ROUTINES, Need("job", live.signature, owner=live.address)))
    return [replace(live, needed_by=_merged(live, by_name.get(live.name, ()))) for live in undeclared]


def _merged(live: Undeclared, named: Iterable[tuple[Sequence[str], Need]]) -> tuple[Need, ...]:
    known = {(need.name, need.part) for need in live.needed_by} | {(need.name, "") for need in live.needed_by}
    return (*live.needed_by, *dict.fromkeys(need for kinds, need in named if live.kind in kinds
                                            and (need.name, need.part) not in known))


def _named(declared: Object) -> Iterable[tuple[str, Sequence[str], Need]]:
    """The full names that stand where only an object can be meant, the kinds that it can be of, and its need."""
    whole = Need(_word(declared), declared.full_name)
    for text in texts(declared):
        yield from ((_full(name), ROUTINES, whole) for name in _CALLED.findall(text))
    if isinstance(declared, Job):
        yield _full(declared.procedure), ROUTINES, whole
    elif isinstance(declared, View | MaterializedView | ContinuousAggregate):
        own = {plain(name) for name in _DEFINED.findall(declared.query)}
        yield from ((_full(name), RELATIONS, whole) for name in _READ.findall(declared.query) if plain(name) not in own)
    elif isinstance(declared, Function):
        yield from ((_full(name), TYPES, whole) for one in (*declared.arguments.split(","), declared.returns or "")
                    for name in _TYPE.findall(_DEFAULT.sub("", one)))
    elif isinstance(declared, Table):
        yield from _of_table(declared, whole)


def _of_table(table: Table, whole: Need) -> Iterable[tuple[str, Sequence[str], Need]]:
    for key in table.foreign_keys:
        yield key.table, RELATIONS, replace(whole, kind="foreign key", part=key.name)
    for trigger in table.triggers:
        yield (_full(trigger.calls.partition("(")[0]), ROUTINES, replace(whole, kind="trigger", part=trigger.name))
    for column in table.columns:
        need = replace(whole, kind="column", part=column.name)
        yield from ((_full(name), TYPES, need) for name in _TYPE.findall(column.type))
        yield from ((_full(name), ("sequence",), need) for name in _QUOTED.findall(column.default or ""))
        yield from ((_full(name), ("collation",), need) for name in [column.collation or ""])


def _word(declared: Object) -> str:
    return next(drop.word for drop in registry.of(declared).drops)


def _full(text: str) -> str:
    """The name as full names are: without quotes, with a schema that is not public."""
    first, dot, last = text.strip().partition(".")
    return qualified(plain(first.strip()), plain(last.strip())) if dot else plain(first)


def ended_by_declaration(objects: Iterable[Object]) -> Ends:
    """Tell which needs end where every object becomes as it is declared."""
    by_name: dict[str, list[Object]] = defaultdict(list)
    for declared in objects:
        for name in {declared.full_name, qualified(declared.schema, declared.renamed_from or declared.name)}:
            by_name[name].append(declared)

    def ends(live: Undeclared, need: Need) -> bool:
        declared = by_name.get(need.name, ())
        return bool(declared) and not any(_names(value, live, need) for value in declared)

    return ends


def ended_by_steps(objects: Iterable[Object], steps: Iterable[Step]) -> Ends:
    """Tell which needs end because a step changes what needs the object, as its declaration says."""
    declared_ends = ended_by_declaration(objects)
    changed = {step.object for step in steps if step.action in (*CHANGES, Action.CREATE)}
    narrowed = {step.object.rpartition(".")[0] for step in steps if step.action is Action.DROP}

    def ends(live: Undeclared, need: Need) -> bool:
        where = f"{need.name}.{need.part}" if need.part else need.name
        # A dropped column takes along the checks and indexes that name it.
        gone = need.kind in ("constraint", "index") and need.name in narrowed
        return declared_ends(live, need) and (where in changed or gone)

    return ends


def _names(declared: Object, live: Undeclared, need: Need) -> bool:
    """Whether the declaration names what the live object needs now."""
    if isinstance(declared, Table) and need.kind == "foreign key":
        return any(key.table == live.name for key in declared.foreign_keys)
    if isinstance(declared, Job):
        return _full(declared.procedure) == live.name
    own = texts(declared)
    if isinstance(declared, Table) and need.kind == "column":
        own = (text for column in declared.columns if need.part in (column.name, column.renamed_from)
               for text in (column.type, column.default or "", column.generated or "", column.collation or ""))
    return (need.uses or live.name.rpartition(".")[2]) in names_in(own)

