"""What objects refer to by name: tables of foreign keys, functions of triggers and jobs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from schema.lint.finding import Finding, Lint
from schema.model.objects import ForeignKey, Function, Job, Object, Table

# Trigger functions that PostgreSQL brings.
BUILT_IN = frozenset({"suppress_redundant_updates_trigger", "tsvector_update_trigger",
                      "tsvector_update_trigger_column"})


def errors(objects: Sequence[Object]) -> Iterable[str]:
    """References to what is declared and cannot be referred to so."""
    tables = {each.full_name: each for each in objects if isinstance(each, Table)}
    functions = _functions(objects)
    for table in tables.values():
        for key in table.foreign_keys:
            if key.table in tables:
                yield from _key(table, key, tables[key.table])
        for trigger in table.triggers:
            function = functions.get(_called(trigger.calls))
            if function and (function.returns or "").strip().lower() != "trigger":
                yield (f"{table.full_name}.{trigger.name}: {function.full_name} returns "
                       f"{function.returns or 'nothing'}, and a trigger's function returns trigger; correct it")


def warnings(objects: Sequence[Object]) -> Iterable[Finding]:
    """References to what nobody declares; it may be there all the same."""
    tables = {each.full_name for each in objects if isinstance(each, Table)}
    functions = _functions(objects)
    for each in objects:
        called: list[tuple[str, str]] = []
        if isinstance(each, Table):
            called = [(trigger.name, _called(trigger.calls)) for trigger in each.triggers]
            for key in each.foreign_keys:
                if key.table not in tables:
                    yield Finding(Lint.UNDECLARED_TABLE, each.full_name, key.name,
                                  f"table {key.table} is not declared; declare it")
        elif isinstance(each, Job):
            called = [("procedure", _called(each.procedure))]
        for part, name in called:
            if name not in functions and name not in BUILT_IN:
                yield Finding(Lint.UNDECLARED_FUNCTION, each.full_name, part,
                              f"function {name} is not declared; declare it")


def _functions(objects: Sequence[Object]) -> Mapping[str, Function]:
    return {each.full_name: each for each in objects if isinstance(each, Function)}


def _called(call: str) -> str:
    """The full name of the function in a call, with or without arguments."""
    return call.partition("(")[0].strip().replace('"', "").removeprefix("public.")


def _key(table: Table, key: ForeignKey, target: Table) -> Iterable[str]:
    where = f"{table.full_name}.{key.name}"
    missing = {*key.references} - {column.name for column in target.columns}
    for column in sorted(missing):
        yield f"{where}: column {column!r} of {target.full_name} is not declared; declare it or correct the key"
    unique = [{*each.columns} for each in target.keys]
    unique += [{*each.columns} for each in target.indexes if each.unique and each.where is None]
    if not missing and {*key.references} not in unique:
        yield (f"{where}: {', '.join(key.references)} is no primary or unique key of {target.full_name}; declare one "
               "there, or refer to another")
