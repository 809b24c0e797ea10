"""The hypertable: created from a table; its dimensions, now-function and tablespaces changed for future chunks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from schema.errors import UnsafeChangeError, UnsupportedError
from schema.kinds import constraint
from schema.model import intervals
from schema.model.change.diff import TableDiff
from schema.model.change.step import Action, Hazard, Step
from schema.model.names import ident, literal
from schema.model.objects import Dimension, Hypertable, Table
from schema.model.table_options import column_of


def creation(table: Table, declared: Hypertable, *, moves: bool = False) -> str:
    """Return SQL that makes the table a hypertable; with `moves` its rows go into chunks, hashed where declared."""
    hashed = next((dimension for dimension in declared.dimensions if dimension.partitions), None) if moves else None
    space = (f"partitioning_column => {literal(hashed.column)}, number_partitions => {hashed.partitions}, "
             if hashed else "")
    return (f"SELECT create_hypertable({literal(ident(table.full_name))}, {literal(declared.time)}, {space}"
            f"chunk_time_interval => {intervals.sql(declared.chunk)}, create_default_indexes => false"
            f"{', migrate_data => true' if moves else ''})")


def present(table: Table, declared: Hypertable) -> str:
    """Return SQL that sets the function which returns the present in an integer column's unit."""
    return (f"SELECT set_integer_now_func({literal(ident(table.full_name))}, {literal(ident(declared.now or ''))}, "
            "replace_if_exists => true)")


def partitioning(declared: Hypertable) -> set[str]:
    """The columns that partition the table."""
    return {declared.time, *(dimension.column for dimension in declared.dimensions)}


def steps(diff: TableDiff) -> list[Step]:
    """Make the table a hypertable, or change what future chunks are like; a hypertable never becomes a table again."""
    declared, canonical, live = (diff.declared.hypertable, diff.canonical.hypertable,
                              diff.present.table.hypertable)
    if declared is None or canonical is None:
        if live is not None:
            raise UnsafeChangeError(f"{diff.name}: it is a hypertable on {live.time} and declared as a plain "
                                    "table; declare the hypertable, or copy the rows into a new table yourself")
        return []
    steps: list[Step] = []
    if live is None:
        steps.append(_create(diff, declared))
        hashed = next((dimension for dimension in canonical.dimensions if dimension.partitions), None)
        live = Hypertable(canonical.time, canonical.chunk, (hashed,) if hashed and diff.weight.has_rows else ())
    elif live.time != canonical.time:
        raise UnsafeChangeError(f"{diff.name}: it is partitioned by {live.time}, declared by {canonical.time}; "
                                "that cannot "
                                "be changed in place: declare it as it is, or copy the rows into a new table yourself")
    if live.chunk != canonical.chunk:
        steps.append(_interval(diff, declared.chunk, live.chunk))
    return [*steps, *_dimensions(diff, declared.dimensions, canonical.dimensions, live.dimensions),
            *_now(diff, declared, canonical, live), *_tablespaces(diff, canonical, live),
            *_chunk_skipping(diff, canonical, live)]


def as_hypertable(diff: TableDiff) -> TableDiff:
    """Return the diff as it stands once the table is a hypertable, for the parts that follow."""
    canonical, live = diff.canonical.hypertable, diff.present
    if canonical is None or live.table.hypertable is not None:
        return diff
    # Chunks are created with every trigger enabled.
    switched = [trigger.name for trigger in live.table.triggers if trigger.disabled or trigger.role != "origin"]
    return diff.with_live(replace(live, table=replace(live.table, hypertable=canonical),
                                  mixed=frozenset(switched if diff.weight.has_rows else ())))


def _where(diff: TableDiff) -> str:
    return f"{diff.name}.hypertable"


def _create(diff: TableDiff, declared: Hypertable) -> Step:
    moves = diff.weight.has_rows
    _refuse_narrow_keys(diff, declared)
    security = diff.present.table.row_security
    if moves and security and security.forced:
        raise UnsupportedError(f"{diff.name}: its row-level security is forced, under which TimescaleDB moves no rows "
                               "into chunks; declare it without forced, apply, then declare both")
    hazards = (Hazard.BLOCKS_WRITES, Hazard.REWRITES_TABLE) if moves else ()
    return Step(Action.ALTER, _where(diff), creation(diff.declared, declared, moves=moves),
                "the table is no hypertable",
                hazards, diff.transaction, constraint.cost(diff, "ACCESS EXCLUSIVE"), heavy=moves)


def _refuse_narrow_keys(diff: TableDiff, declared: Hypertable) -> None:
    """Raise where a unique key or index without the partition columns would stay: TimescaleDB refuses it."""
    columns = partitioning(declared)
    live, ours = diff.present.table, {key.name for key in diff.canonical.keys}
    narrow = [key.name for key in live.keys if key.name not in ours and not columns <= set(key.columns)]
    narrow += [index.name for index in live.indexes
               if index.unique and not columns <= {*map(column_of, index.columns)}]
    if narrow:
        raise UnsafeChangeError(f"{diff.name}: {', '.join(sorted(narrow))} is unique without "
                                f"{', '.join(sorted(columns))}, which a hypertable cannot keep; drop it, or declare "
                                "it with them")


def _interval(diff: TableDiff, declared: str, live: str, column: str | None = None) -> Step:
    dimension = f", {literal(column)}" if column else ""
    return Step(Action.ALTER, _where(diff), f"SELECT set_chunk_time_interval({literal(ident(diff.name))}, "
                f"{intervals.sql(declared)}{dimension})",
                f"chunks span {live}{f' of {column}' if column else ''}; those that exist stay as they are",
                transaction=diff.transaction)


def _dimensions(diff: TableDiff, declared: Sequence[Dimension], canonical: Sequence[Dimension],
                live: Sequence[Dimension]) -> list[Step]:
    """Add the dimensions that are missing and change those that differ, for chunks to come."""
    by_column, table = {dimension.column: dimension for dimension in live}, literal(ident(diff.name))
    for column in by_column.keys() - {dimension.column for dimension in canonical}:
        raise UnsafeChangeError(f"{diff.name}: it is partitioned by {column}, too, which is not declared; "
                                "TimescaleDB takes no dimension away: declare it, or copy the rows into a new table "
                                "yourself")
    steps: list[Step] = []
    for written, dimension_ in zip(declared, canonical, strict=True):
        known = by_column.get(dimension_.column)
        if known is None:
            by = f"by_hash({literal(written.column)}, {written.partitions})" if written.partitions else \
                f"by_range({literal(written.column)}, {intervals.sql(written.interval or '')})"
            cost = diff.weight.text() and f"SHARE UPDATE EXCLUSIVE, {diff.weight.text()}"
            steps.append(Step(Action.ALTER, _where(diff), f"SELECT add_dimension({table}, {by})",
                              f"it is not partitioned by {written.column}"
                              + ("; chunks that exist stay whole" if diff.weight.chunks else ""),
                              transaction=diff.transaction, cost=cost))
        elif bool(known.partitions) != bool(dimension_.partitions):
            raise UnsafeChangeError(f"{diff.name}: {written.column} is partitioned by "
                                    f"{'hash' if known.partitions else 'range'}, declared by the other; that cannot be "
                                    "changed in place: declare it as it is, or copy the rows into a new table yourself")
        elif known.partitions != dimension_.partitions:
            steps.append(Step(Action.ALTER, _where(diff),
                              f"SELECT set_number_partitions({table}, {written.partitions}, "
                              f"{literal(written.column)})", f"{written.column} is hashed into {known.partitions}; "
                              "chunks that exist stay as they are", transaction=diff.transaction))
        elif known.interval != dimension_.interval:
            steps.append(_interval(diff, written.interval or "", known.interval or "", written.column))
    return steps


def _now(diff: TableDiff, declared: Hypertable, canonical: Hypertable, live: Hypertable) -> list[Step]:
    if canonical.now == live.now:
        return []
    if declared.now is None:
        raise UnsafeChangeError(f"{diff.name}: {live.now} tells its present, declared is none; TimescaleDB "
                                "takes none away: declare it, or another")
    return [Step(Action.ALTER, _where(diff), present(diff.declared, declared),
                 f"{live.now} tells the present" if live.now else "no function tells the present",
                 transaction=diff.transaction)]


def _tablespaces(diff: TableDiff, canonical: Hypertable, live: Hypertable) -> list[Step]:
    table = literal(ident(diff.name))
    steps = [Step(Action.ALTER, _where(diff),
                  f"SELECT attach_tablespace({literal(tablespace)}, {table}, if_not_attached => true)",
                  f"new chunks do not go to {tablespace}", transaction=diff.transaction)
             for tablespace in canonical.tablespaces if tablespace not in live.tablespaces]
    steps += [Step(Action.ALTER, _where(diff),
                   f"SELECT detach_tablespace({literal(tablespace)}, {table}, if_attached => true)",
                   f"nobody declares {tablespace}; chunks that are there stay", transaction=diff.transaction)
              for tablespace in live.tablespaces if tablespace not in canonical.tablespaces]
    return steps


def _chunk_skipping(diff: TableDiff, canonical: Hypertable, live: Hypertable) -> list[Step]:
    """Keep column ranges of compressed chunks for those columns that are named; none are touched where none is."""
    if canonical.chunk_skipping is None:
        return []
    table, wanted, present = literal(ident(diff.name)), canonical.chunk_skipping, live.chunk_skipping or ()
    steps = [Step(Action.ALTER, _where(diff), _skipping("enable", table, column),
                  f"no ranges of {column} are kept; chunks that are compressed already get none",
                  transaction=diff.transaction) for column in wanted if column not in present]
    return steps + [Step(Action.ALTER, _where(diff), _skipping("disable", table, column),
                         f"nobody declares that ranges of {column} are kept", transaction=diff.transaction)
                    for column in present if column not in wanted]


def _skipping(verb: str, table: str, column: str) -> str:
    """SQL that switches chunk skipping, which TimescaleDB does only where its setting is on."""
    return (f"SELECT {verb}_chunk_skipping({table}, {literal(column)}) "
            "FROM set_config('timescaledb.enable_chunk_skipping', 'on', true)")
