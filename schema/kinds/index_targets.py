"""Statistics targets of the expressions in indexes: set in place, and set again on an index that is built anew."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from schema.model.change.diff import TableDiff
from schema.model.change.step import Action, Step
from schema.model.names import ident, quoted
from schema.model.objects import Exclusion, Index, Table
from schema.model.sql_names import names_in
from schema.model.table_options import bare_index, targets

BUILT = (Action.CREATE, Action.REPLACE, Action.DROP)
COST = "SHARE UPDATE EXCLUSIVE, no scan"


def statement(index: str, wanted: Sequence[int], live: Sequence[int] = ()) -> str:
    """ALTER INDEX for the terms whose target is not the wanted one, as SQL; the empty text where all are. `index` is
    SQL."""
    width = max(len(wanted), len(live))
    before, after = ([*given, *[-1] * (width - len(given))] for given in (live, wanted))
    changes = [f"ALTER COLUMN {number} SET STATISTICS {target}"
               for number, (old, target) in enumerate(zip(before, after, strict=True), 1) if old != target]
    return f"ALTER INDEX {index} {', '.join(changes)}" if changes else ""


def steps(diff: TableDiff, planned: Iterable[Step] = ()) -> list[Step]:
    """Make the statistics targets of the indexes the declared ones, also those that `planned` steps build anew.

    A new type of a column makes the server build what names the column, without its targets: they are set again, on
    indexes that nobody declares, too.
    """
    table = diff.present.table
    built = {step.object for step in planned if step.action in BUILT}
    retyped = _retyped(diff)
    declared: tuple[Index | Exclusion, ...] = (*diff.canonical.indexes, *diff.canonical.exclusions)
    existing: tuple[Index | Exclusion, ...] = (*table.indexes, *table.exclusions)
    present = {part.name: part for part in existing}
    names = {part.name for part in declared}
    steps = []
    for part in (*declared, *(part for part in existing if part.name not in names)):
        where, before = f"{diff.name}.{part.name}", present.get(part.name) or _renamed(table, part)
        lost = where in built or before is None or bool(retyped & _names(before))
        live = () if lost or before is None else before.statistics
        sql = statement(_qualified(diff, part.name), part.statistics, live)
        if sql:
            steps.append(Step(Action.ALTER, where, sql, f"its statistics targets are {described(live)}",
                              transaction=diff.transaction, cost=COST if diff.weight.has_rows else ""))
    return steps


def described(given: Sequence[int]) -> str:
    """Targets for people."""
    return ", ".join("default" if target < 0 else str(target) for target in targets(given)) or "the default ones"


def _renamed(table: Table, part: Index | Exclusion) -> Index | None:
    """The live index that takes the name of a declared one, as it is the same."""
    return next((index for index in table.indexes if isinstance(part, Index) and bare_index(index) == bare_index(part)),
                None)


def _retyped(diff: TableDiff) -> set[str]:
    """The columns whose type or collation changes."""
    live = {column.name: (column.type, column.collation) for column in diff.present.table.columns}
    return {column.name for column in diff.canonical.columns
            if live.get(column.name, (column.type, column.collation)) != (column.type, column.collation)}


def _names(part: Index | Exclusion) -> frozenset[str]:
    terms = part.columns if isinstance(part, Index) else part.elements
    return names_in([*terms, part.where or ""]) | frozenset(part.include)


def _qualified(diff: TableDiff, name: str) -> str:
    schema = diff.index_schema
    return quoted(name) if schema == "public" else f"{ident(schema)}.{quoted(name)}"
