"""Generated columns in the way of a new type: dropped before it, and computed again afterwards."""

from __future__ import annotations

from dataclasses import replace

from schema.errors import UnsafeChangeError
from schema.kinds.column_type import step
from schema.model.change.diff import TableDiff
from schema.model.change.step import Action, Hazard, Removed, Sort, Step
from schema.model.names import quoted
from schema.model.sql_names import names_in


def without_generated(diff: TableDiff) -> tuple[TableDiff, list[Step]]:
    """Drop generated columns that keep others from changing their type; they are computed again afterwards.

    The diff as it stands then: indexes and constraints on such a column are gone with it.
    """
    live = diff.present.table
    canonical = {column.name: column for column in diff.canonical.columns}
    changing = {column.name for column in live.columns
                if column.name in canonical and (canonical[column.name].type, canonical[column.name].collation)
                != (column.type, column.collation)}
    steps = []
    for live_column in live.columns:
        if live_column.generated and changing & names_in([live_column.generated]):
            blocking = diff.dependants_on({live_column.name})
            if blocking:
                raise UnsafeChangeError(f"{diff.name}.{live_column.name}: it is computed from a column whose type "
                                        f"changes and has to be dropped, and {blocking[0].name} stands on it; take "
                                        "it out of there first, apply, then change the type")
            why, hazards = "it is computed from a column whose type changes", [Hazard.DROPS_COLUMN]
            if live_column.name in canonical:
                why += ", and will be computed anew"
                hazards = [Hazard.REWRITES_TABLE] if diff.weight.has_rows else []
            drop = step(diff, live_column, f"DROP COLUMN {quoted(live_column.name)}", why, *hazards, action=Action.DROP)
            steps.append(replace(drop, removes=(Removed(Sort.COLUMN, diff.name, live_column.name),)))
            diff = _without(diff, live_column.name)
    return diff, steps


def _without(diff: TableDiff, name: str) -> TableDiff:
    """The diff once a column is dropped."""
    table = diff.present.table

    def stays(*texts: str) -> bool:
        return name not in names_in(texts)

    table = replace(
        table, columns=tuple(column for column in table.columns if column.name != name),
        keys=tuple(key for key in table.keys if name not in key.columns),
        foreign_keys=tuple(foreign_key for foreign_key in table.foreign_keys if name not in foreign_key.columns),
        checks=tuple(check for check in table.checks if stays(check.expression)),
        indexes=tuple(index for index in table.indexes
                      if stays(*index.columns, index.where or "") and name not in index.include))
    return diff.with_live(replace(diff.present, table=table))
