"""Primary and unique keys."""

from __future__ import annotations

from dataclasses import replace

from schema.kinds import constraint
from schema.kinds.index import BESIDE
from schema.model.live import Comparison
from schema.model.names import ident, idents
from schema.model.objects import Key, qualified
from schema.model.step import Action, Hazard, Step, Transaction


def definition(key: Key) -> str:
    """The key as CREATE TABLE and ADD take it."""
    return f"CONSTRAINT {ident(key.name)} {_kind(key)} ({idents(key.columns)})"


def steps(comparison: Comparison) -> list[Step]:
    """Add the keys that are missing and replace those that differ."""
    live = {key.name: key for key in comparison.present.table.keys}
    found: list[Step] = []
    for declared, wanted in zip(comparison.declared.keys, comparison.wanted.keys, strict=True):
        if wanted.name not in live:
            found.extend(_add(comparison, declared))
        elif replace(wanted, comment=None) != replace(live[wanted.name], comment=None):
            found.extend(_replace(comparison, declared, f"it is {definition(live[wanted.name])}"))
        elif chunks := comparison.present.unindexed.get(wanted.name):
            found.extend(_replace(comparison, declared, f"{len(chunks)} chunks lack its index"))
    return found


def _add(comparison: Comparison, key: Key) -> list[Step]:
    table, why = ident(comparison.name), "the key does not exist"
    where = f"{comparison.name}.{key.name}"
    if not comparison.beside_writers:
        return [Step(Action.CREATE, where, f"ALTER TABLE {table} ADD {definition(key)}", why,
                     transaction=comparison.transaction)]
    if comparison.present.table.hypertable:
        return [Step(Action.CREATE, where, f"ALTER TABLE {table} ADD {definition(key)}", why, (Hazard.BLOCKS_WRITES,),
                     Transaction.OWN,
                     constraint.cost(comparison, "ACCESS EXCLUSIVE"), heavy=True)]
    return [
        *_built(comparison, key, key.name, why),
        Step(Action.CREATE, where,
             f"ALTER TABLE {table} ADD CONSTRAINT {ident(key.name)} {_kind(key)} USING INDEX {ident(key.name)}",
             "the index becomes the key", transaction=Transaction.OWN, cost="ACCESS EXCLUSIVE, no scan"),
    ]


def _built(comparison: Comparison, key: Key, name: str, why: str) -> list[Step]:
    """Build the key's index beside writers, anew where an interrupted build has left one."""
    where, schema = f"{comparison.name}.{key.name}", comparison.declared.schema
    found = []
    if name in {each.name for each in comparison.present.table.indexes}:
        found.append(Step(Action.DROP, where, f"DROP INDEX CONCURRENTLY {ident(qualified(schema, name))}",
                          "an index of that name was left half-built", transaction=Transaction.NONE))
    sql = f"CREATE UNIQUE INDEX CONCURRENTLY {ident(name)} ON {ident(comparison.name)} ({idents(key.columns)})"
    return [*found, Step(Action.CREATE, where, sql, why, transaction=Transaction.NONE,
                         cost=constraint.cost(comparison, "SHARE UPDATE EXCLUSIVE"), heavy=True)]


def _replace(comparison: Comparison, key: Key, why: str) -> list[Step]:
    """Build the new key's index beside writers first, where there are any to be blocked."""
    where = f"{comparison.name}.{key.name}"
    instead = f"ALTER TABLE {ident(comparison.name)} DROP CONSTRAINT {ident(key.name)}, ADD "
    if comparison.beside_writers and not comparison.present.table.hypertable:
        beside = key.name[:63 - len(BESIDE)] + BESIDE
        swap = f"{instead}CONSTRAINT {ident(key.name)} {_kind(key)} USING INDEX {ident(beside)}"
        return [*_built(comparison, key, beside, why),
                Step(Action.REPLACE, where, swap, "the new index becomes the key", transaction=Transaction.OWN,
                     cost="ACCESS EXCLUSIVE, no scan")]
    hazards = (Hazard.BLOCKS_WRITES,) if comparison.weight.has_rows else ()
    return [Step(Action.REPLACE, where, instead + definition(key), why, hazards, comparison.transaction,
                 constraint.cost(comparison, "ACCESS EXCLUSIVE"), heavy=comparison.weight.has_rows)]


def _kind(key: Key) -> str:
    return "PRIMARY KEY" if key.primary else "UNIQUE"
