"""Primary and unique keys."""

from __future__ import annotations

from dataclasses import replace

from schema.kinds import constraint, index
from schema.model.change.diff import TableDiff
from schema.model.change.step import Action, Hazard, Removed, Sort, Step, Transaction
from schema.model.names import ident, idents, quoted
from schema.model.objects import Key, qualified
from schema.model.table_options import name_of


def definition(key: Key) -> str:
    """The key as CREATE TABLE and ADD take it."""
    overlaps = " WITHOUT OVERLAPS" if key.without_overlaps else ""
    nulls = "" if key.nulls_distinct else " NULLS NOT DISTINCT"
    return (f"CONSTRAINT {quoted(key.name)} {_kind(key)}{nulls} ({idents(key.columns)}{overlaps})"
            f"{index.included(key.include)}{index.parameters_of(*key.options)}{constraint.deferred(key)}")


def steps(diff: TableDiff) -> list[Step]:
    """Add the keys that are missing and replace those that differ."""
    live = {key.name: key for key in diff.present.table.keys}
    steps: list[Step] = []
    for declared, canonical in zip(diff.declared.keys, diff.canonical.keys, strict=True):
        if canonical.name not in live:
            steps.extend(_add(diff, declared))
        elif diff.present.table.hypertable is None and _but_options(canonical) == _but_options(live[canonical.name]) \
                and canonical.options != live[canonical.name].options:
            steps.append(_store(diff, canonical, live[canonical.name]))
        elif replace(canonical, comment=None) != replace(live[canonical.name], comment=None):
            steps.extend(_replace(diff, declared, f"it is {definition(live[canonical.name])}"))
        elif chunks := diff.present.unindexed.get(canonical.name):
            steps.extend(_replace(diff, declared, f"{len(chunks)} chunks lack its index"))
    return steps


def _but_options(key: Key) -> Key:
    return replace(key, comment=None, options=())


def _store(diff: TableDiff, key: Key, live: Key) -> Step:
    """Change storage parameters alone in place: foreign keys refer to the key, and pages are filled like that from now
    on."""
    gone = sorted({*map(name_of, live.options)} - {*map(name_of, key.options)})
    on = f"ALTER INDEX {ident(qualified(diff.declared.schema, key.name))}"
    changes = [f"{on} SET ({', '.join(key.options)})"] if key.options else []
    changes += [f"{on} RESET ({', '.join(gone)})"] if gone else []
    return Step(Action.ALTER, f"{diff.name}.{key.name}", "; ".join(changes), f"it is {definition(live)}",
                transaction=diff.transaction, cost=diff.weight.text() and "SHARE UPDATE EXCLUSIVE, no scan")


def _add(diff: TableDiff, key: Key) -> list[Step]:
    table, why = ident(diff.name), "the key does not exist"
    where = f"{diff.name}.{key.name}"
    if not diff.online:
        return [Step(Action.CREATE, where, f"ALTER TABLE {table} ADD {definition(key)}", why,
                     transaction=diff.transaction)]
    if diff.present.table.hypertable or key.without_overlaps:
        return [Step(Action.CREATE, where, f"ALTER TABLE {table} ADD {definition(key)}", why, (Hazard.BLOCKS_WRITES,),
                     Transaction.OWN,
                     constraint.cost(diff, "ACCESS EXCLUSIVE"), heavy=True)]
    return [
        *_build(diff, key, key.name, why),
        Step(Action.CREATE, where,
             f"ALTER TABLE {table} ADD CONSTRAINT {quoted(key.name)} {_kind(key)} USING INDEX "
             f"{quoted(key.name)}{constraint.deferred(key)}",
             "the index becomes the key", transaction=Transaction.OWN, cost="ACCESS EXCLUSIVE, no scan"),
    ]


def _build(diff: TableDiff, key: Key, name: str, why: str) -> list[Step]:
    """Build the key's index without blocking writers; drops first what an interrupted build has left."""
    where, schema = f"{diff.name}.{key.name}", diff.declared.schema
    steps = []
    if name in {index.name for index in diff.present.table.indexes}:
        steps.append(Step(Action.DROP, where, f"DROP INDEX CONCURRENTLY {ident(qualified(schema, name))}",
                          "an index of that name was left half-built", transaction=Transaction.NONE))
    sql = (f"CREATE UNIQUE INDEX CONCURRENTLY {quoted(name)} ON {ident(diff.name)} ({idents(key.columns)})"
           f"{index.included(key.include)}{'' if key.nulls_distinct else ' NULLS NOT DISTINCT'}"
           f"{index.parameters_of(*key.options)}")
    return [*steps, Step(Action.CREATE, where, sql, why, transaction=Transaction.NONE,
                         cost=constraint.cost(diff, "SHARE UPDATE EXCLUSIVE"), heavy=True)]


def _replace(diff: TableDiff, key: Key, why: str) -> list[Step]:
    """Replace the key; its index is built first, without blocking writers, where there may be any."""
    where = f"{diff.name}.{key.name}"
    gone = (Removed(Sort.CONSTRAINT, diff.name, key.name),)
    instead = f"ALTER TABLE {ident(diff.name)} DROP CONSTRAINT {quoted(key.name)}, ADD "
    if diff.online and not diff.present.table.hypertable and not key.without_overlaps:
        new_name = index.new_name(key.name)
        swap = (f"{instead}CONSTRAINT {quoted(key.name)} {_kind(key)} USING INDEX {quoted(new_name)}"
                f"{constraint.deferred(key)}")
        return [*_build(diff, key, new_name, why),
                Step(Action.REPLACE, where, swap, "the new index becomes the key", transaction=Transaction.OWN,
                     cost="ACCESS EXCLUSIVE, no scan", removes=gone)]
    hazards = (Hazard.BLOCKS_WRITES,) if diff.weight.has_rows else ()
    return [Step(Action.REPLACE, where, instead + definition(key), why, hazards, diff.transaction,
                 constraint.cost(diff, "ACCESS EXCLUSIVE"), heavy=diff.weight.has_rows, removes=gone)]


def _kind(key: Key) -> str:
    return "PRIMARY KEY" if key.primary else "UNIQUE"
