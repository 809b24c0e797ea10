"""The hypertable: made of a table, its chunk interval changed for chunks to come."""

from __future__ import annotations

from schema import intervals
from schema.errors import UnsafeChangeError
from schema.kinds import constraint
from schema.live import Comparison
from schema.names import ident, literal
from schema.objects import Hypertable, Table
from schema.step import Hazard, Step


def creation(table: Table, declared: Hypertable, *, moves: bool = False) -> str:
    """SQL that makes the table a hypertable; `moves` the rows that it has into chunks."""
    return (f"SELECT create_hypertable({literal(ident(table.full_name))}, {literal(declared.time)}, "
            f"chunk_time_interval => {intervals.sql(declared.chunk)}, create_default_indexes => false"
            f"{', migrate_data => true' if moves else ''})")


def steps(comparison: Comparison) -> list[Step]:
    """Make the table a hypertable, or change the chunk interval; a hypertable cannot be made a table again."""
    declared, wanted, live = (comparison.declared.hypertable, comparison.wanted.hypertable,
                              comparison.present.table.hypertable)
    if declared is None or wanted is None:
        if live is not None:
            raise UnsafeChangeError(f"{comparison.name}: it is a hypertable on {live.time} and declared as a plain "
                                    "table; declare the hypertable, or copy the rows into a new table yourself")
        return []
    where, table = f"{comparison.name}.hypertable", literal(ident(comparison.name))
    if live is None:
        moves = comparison.weight.has_rows
        sql = creation(comparison.declared, declared, moves=moves)
        hazards = (Hazard.BLOCKS_WRITES, Hazard.REWRITES_TABLE) if moves else ()
        return [Step(where, sql, "the table is no hypertable", hazards, comparison.transaction,
                     constraint.cost(comparison, "ACCESS EXCLUSIVE"))]
    if live.time != wanted.time:
        raise UnsafeChangeError(f"{comparison.name}: it is partitioned by {live.time}, declared by {wanted.time}; "
                                "that cannot "
                                "be changed in place: declare it as it is, or copy the rows into a new table yourself")
    if live.chunk != wanted.chunk:
        return [Step(where, f"SELECT set_chunk_time_interval({table}, {intervals.sql(declared.chunk)})",
                     f"chunks span {live.chunk}; those that exist stay as they are",
                     transaction=comparison.transaction)]
    return []
