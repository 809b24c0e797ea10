"""Primary and unique keys."""

from __future__ import annotations

from dataclasses import replace

from schema.kinds import constraint
from schema.live import Comparison
from schema.names import ident, idents
from schema.objects import Key
from schema.step import Hazard, Step, Transaction


def definition(key: Key) -> str:
    """The key as CREATE TABLE and ADD take it."""
    return f"CONSTRAINT {ident(key.name)} {'PRIMARY KEY' if key.primary else 'UNIQUE'} ({idents(key.columns)})"


def steps(comparison: Comparison) -> list[Step]:
    """Add the keys that are missing and replace those that differ."""
    live = {key.name: key for key in comparison.present.table.keys}
    found: list[Step] = []
    for declared, wanted in zip(comparison.declared.keys, comparison.wanted.keys, strict=True):
        if wanted.name not in live:
            found.extend(_add(comparison, declared))
        elif replace(wanted, comment=None) != replace(live[wanted.name], comment=None):
            found.append(_replace(comparison, declared, f"the key is on ({idents(live[wanted.name].columns)})"))
        elif chunks := comparison.present.unindexed.get(wanted.name):
            found.append(_replace(comparison, declared, f"{len(chunks)} chunks lack its index"))
    return found


def _add(comparison: Comparison, key: Key) -> list[Step]:
    table, why = ident(comparison.name), "the key does not exist"
    where = f"{comparison.name}.{key.name}"
    if not comparison.beside_writers:
        return [Step(where, f"ALTER TABLE {table} ADD {definition(key)}", why, transaction=comparison.transaction)]
    if comparison.present.table.hypertable:
        return [Step(where, f"ALTER TABLE {table} ADD {definition(key)}", why, (Hazard.BLOCKS_WRITES,), Transaction.OWN,
                     constraint.cost(comparison, "ACCESS EXCLUSIVE"), heavy=True)]
    kind = "PRIMARY KEY" if key.primary else "UNIQUE"
    half_built = key.name in {index.name for index in comparison.present.table.indexes}
    again = [Step(where, f"DROP INDEX CONCURRENTLY {ident(key.name)}", "an index of that name was left half-built",
                  transaction=Transaction.NONE)] if half_built else []
    return [
        *again,
        Step(where, f"CREATE UNIQUE INDEX CONCURRENTLY {ident(key.name)} ON {table} ({idents(key.columns)})", why,
             transaction=Transaction.NONE, cost=constraint.cost(comparison, "SHARE UPDATE EXCLUSIVE"), heavy=True),
        Step(where, f"ALTER TABLE {table} ADD CONSTRAINT {ident(key.name)} {kind} USING INDEX {ident(key.name)}",
             "the index becomes the key", transaction=Transaction.OWN, cost="ACCESS EXCLUSIVE, no scan"),
    ]


def _replace(comparison: Comparison, key: Key, why: str) -> Step:
    hazards = (Hazard.BLOCKS_WRITES,) if comparison.weight.has_rows else ()
    return Step(f"{comparison.name}.{key.name}",
                f"ALTER TABLE {ident(comparison.name)} DROP CONSTRAINT {ident(key.name)}, ADD {definition(key)}",
                why, hazards, comparison.transaction, constraint.cost(comparison, "ACCESS EXCLUSIVE"),
                heavy=comparison.weight.has_rows)
