"""The table itself: created with its columns and constraints, commented, dropped."""

from __future__ import annotations

from schema.kinds import check, column, foreign_key, key
from schema.live import Comparison
from schema.names import ident, literal
from schema.objects import Table
from schema.step import Hazard, Step


def create_step(table: Table) -> Step:
    """Create the table with its columns, keys, checks and foreign keys."""
    lines = [*(column.definition(each) for each in table.columns), *(key.definition(each) for each in table.keys),
             *(check.definition(each) for each in table.checks),
             *(foreign_key.definition(each) for each in table.foreign_keys)]
    body = ",\n    ".join(lines)
    return Step(table.full_name, f"CREATE TABLE {ident(table.full_name)} (\n    {body}\n)", "the table does not exist")


def drop_step(table: Table, why: str, cost: str = "") -> Step:
    """Drop the table with its rows, policies and sequences."""
    return Step(table.full_name, f"DROP TABLE {ident(table.full_name)}", why, (Hazard.DROPS_TABLE,), cost=cost)


def comment_steps(comparison: Comparison) -> list[Step]:
    """Make the comments of the table and of its columns the declared ones."""
    live = comparison.present.table
    table = comparison.declared
    steps = []
    if table.comment != live.comment:
        steps.append(Step(table.full_name, f"COMMENT ON TABLE {ident(table.full_name)} IS {literal(table.comment)}",
                          _why(live.comment)))
    comments = {each.name: each.comment for each in live.columns}
    for each in table.columns:
        if each.comment != comments.get(each.name):
            name = f"{table.full_name}.{each.name}"
            steps.append(Step(name, f"COMMENT ON COLUMN {ident(name)} IS {literal(each.comment)}",
                              _why(comments.get(each.name))))
    return steps


def _why(live: str | None) -> str:
    return "the comment differs" if live else "there is no comment yet"
