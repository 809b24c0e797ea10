"""References by name: tables of foreign keys, functions of triggers and jobs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from schema.lint.finding import Finding, Lint
from schema.model.objects import ForeignKey, Function, Job, Object, Table, View
from schema.model.table_options import column_of

# Trigger functions that PostgreSQL brings.
BUILT_IN = frozenset({"suppress_redundant_updates_trigger", "tsvector_update_trigger",
                      "tsvector_update_trigger_column"})


def errors(objects: Sequence[Object]) -> Iterable[str]:
    """Yield references to declared objects that do not fit: columns, keys, a trigger function's return type."""
    tables = {table.full_name: table for table in objects if isinstance(table, Table)}
    functions = _functions(objects)
    for table in tables.values():
        for key in table.foreign_keys:
            if key.table in tables:
                yield from _key(table, key, tables[key.table])
    for declared in objects:
        for trigger in declared.triggers if isinstance(declared, Table | View) else ():
            function = functions.get(_called(trigger.calls))
            if function and (function.returns or "").strip().lower() != "trigger":
                yield (f"{declared.full_name}.{trigger.name}: {function.full_name} returns "
                       f"{function.returns or 'nothing'}, and a trigger's function returns trigger; correct it")


def warnings(objects: Sequence[Object]) -> Iterable[Finding]:
    """Yield references to tables and functions that are not declared; they may exist all the same."""
    tables = {declared.full_name for declared in objects if isinstance(declared, Table)}
    functions = _functions(objects)
    for declared in objects:
        called: list[tuple[str, str]] = []
        if isinstance(declared, Table | View):
            called = [(trigger.name, _called(trigger.calls)) for trigger in declared.triggers]
        if isinstance(declared, Table):
            for key in declared.foreign_keys:
                if key.table not in tables:
                    yield Finding(Lint.UNDECLARED_TABLE, declared.full_name, key.name,
                                  f"table {key.table} is not declared; declare it")
        elif isinstance(declared, Job):
            called = [("procedure", _called(declared.procedure))]
        for part, name in called:
            if name not in functions and name not in BUILT_IN:
                yield Finding(Lint.UNDECLARED_FUNCTION, declared.full_name, part,
                              f"function {name} is not declared; declare it")


def _functions(objects: Sequence[Object]) -> Mapping[str, Function]:
    """Return the functions by name; of several the one without arguments, as triggers call it."""
    functions = [function for function in objects if isinstance(function, Function)]
    return {function.full_name: function for function in sorted(functions, key=lambda one: not one.arguments.strip())}


def _called(call: str) -> str:
    """Return the full name of the function in a call, with or without arguments."""
    return call.partition("(")[0].strip().replace('"', "").removeprefix("public.")


def _key(table: Table, key: ForeignKey, target: Table) -> Iterable[str]:
    where = f"{table.full_name}.{key.name}"
    missing = {*key.references} - {column.name for column in target.columns}
    for column in sorted(missing):
        yield f"{where}: column {column!r} of {target.full_name} is not declared; declare it or correct the key"
    unique = [{*other.columns} for other in target.keys if not other.deferrable]
    unique += [{column_of(term) or term for term in index.columns}
               for index in target.indexes if index.unique and index.where is None]
    if not missing and {*key.references} not in unique:
        yield (f"{where}: {', '.join(key.references)} is no primary or unique key of {target.full_name}; declare one "
               "there, or refer to another")
