"""How a table is stored: storage parameters, persistence, and the indexes that replication and CLUSTER go by."""

from __future__ import annotations

from collections.abc import Collection

from schema.kinds import constraint
from schema.kinds.index import parameters_of
from schema.model.change.diff import TableDiff
from schema.model.change.step import Action, Hazard, Step
from schema.model.names import ident, quoted
from schema.model.objects import Table
from schema.model.table_options import IDENTITIES, name_of, options


def persistence(table: Table) -> str:
    """The word that CREATE takes before TABLE; nothing for a logged one."""
    return "UNLOGGED " if table.unlogged else ""


def definition(table: Table) -> str:
    """The storage parameters as CREATE TABLE takes them."""
    return parameters_of(*table.options)


def steps(diff: TableDiff) -> list[Step]:
    """Make storage parameters and persistence the declared ones; no step where they are."""
    declared, live = diff.canonical, diff.present.table
    steps = []
    before, after = dict(map(_pair, options(live.options))), dict(map(_pair, options(declared.options)))
    # A column that is new, or stored in another way, may bring a TOAST table.
    kept = {(column.name, column.type, column.storage) for column in live.columns}
    toasted = diff.present.toasted or any((column.name, column.type, column.storage) not in kept
                                          for column in declared.columns)
    changed = [f"{name} = {value}" for name, value in after.items() if before.get(name) != value
               and (toasted or not name.startswith("toast."))]
    gone = [name for name in before if name not in after]
    if changed:
        steps.append(_step(diff, "options", f"SET ({', '.join(changed)})", _described(before),
                           "SHARE UPDATE EXCLUSIVE, no scan; rows stay as they are stored"))
    if gone:
        steps.append(_step(diff, "options", f"RESET ({', '.join(gone)})", _described(before),
                           "SHARE UPDATE EXCLUSIVE, no scan; rows stay as they are stored"))
    if declared.unlogged != live.unlogged:
        hazards = (Hazard.REWRITES_TABLE,) if diff.weight.has_rows else ()
        steps.append(_step(diff, "unlogged", f"SET {'UNLOGGED' if declared.unlogged else 'LOGGED'}",
                           f"the table is {'un' if live.unlogged else ''}logged",
                           constraint.cost(diff, "ACCESS EXCLUSIVE"), *hazards))
    return steps


def mark_steps(diff: TableDiff, replaced: Collection[str]) -> list[Step]:
    """Make the indexes for replication and for CLUSTER the declared ones.

    `replaced` are the full names of what other steps create anew: such an index has lost its marks.
    """
    declared, live = diff.canonical, diff.present.table
    steps = []
    identity, cluster = declared.replica_identity, declared.cluster
    if identity != live.replica_identity or f"{diff.name}.{identity}" in replaced:
        words = identity.upper() if identity in IDENTITIES else f"USING INDEX {quoted(identity)}"
        steps.append(_step(diff, "replica_identity", f"REPLICA IDENTITY {words}",
                           f"the replica identity is {live.replica_identity}", "ACCESS EXCLUSIVE, no scan"))
    if cluster != live.cluster or f"{diff.name}.{cluster}" in replaced:
        change = f"CLUSTER ON {quoted(cluster)}" if cluster else "SET WITHOUT CLUSTER"
        steps.append(_step(diff, "cluster", change, f"CLUSTER goes by {live.cluster or 'no index'}",
                           "SHARE UPDATE EXCLUSIVE, no scan"))
    return steps


def _pair(option: str) -> tuple[str, str]:
    return name_of(option), option.partition("=")[2].strip()


def _described(options_: dict[str, str]) -> str:
    return f"its options are {', '.join(f'{name} = {value}' for name, value in options_.items()) or 'the defaults'}"


def _step(diff: TableDiff, part: str, change: str, why: str, cost: str, *hazards: Hazard) -> Step:
    return Step(Action.ALTER, f"{diff.name}.{part}", f"ALTER TABLE {ident(diff.name)} {change}", why, hazards,
                diff.transaction, cost if diff.weight.has_rows else "", heavy=bool(hazards))
