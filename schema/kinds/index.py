"""Indexes that belong to no constraint: built without blocking writers, replaced by a second one, repaired."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace

from schema.capabilities import CHUNK_INDEXES_BY_LIKENESS
from schema.kinds import constraint
from schema.model.change.diff import TableDiff
from schema.model.change.step import Action, Hazard, Removed, Sort, Step, Transaction
from schema.model.live.tables import UnindexedChunk
from schema.model.names import RESERVED, ident, idents, quoted
from schema.model.objects import Index, MaterializedView, Table
from schema.model.sql_names import plain as plain_name
from schema.model.table_options import bare_index, column_of, options, targets

NEW = "__new"
# Others have an operator class by default for few types, or for none before an extension brings it.
PLAIN_METHODS = ("btree", "hash", "brin")
_TERM = re.compile(r'(?P<name>"(?:[^"]|"")+"|[A-Za-z_]\w*)(?:\s+(?P<order>ASC|DESC))?'
                   r'(?:\s+NULLS\s+(?P<nulls>FIRST|LAST))?\Z', re.I)


def definition(table: Table | MaterializedView, index: Index, option: str = "", parameters: str = "") -> str:
    """CREATE INDEX as SQL; the server names an index that has no name."""
    unique = "UNIQUE " if index.unique else ""
    method = "" if index.method == "btree" else f"USING {index.method} "
    on = f"{ident(table.full_name)} {method}({', '.join(index.columns)})"
    name = f"{quoted(index.name)} " if index.name else ""
    text = f"CREATE {unique}INDEX {option}{name}ON {on}{included(index.include)}"
    text += "" if index.nulls_distinct else " NULLS NOT DISTINCT"
    text += parameters_of(*index.options, *([parameters] if parameters else []))
    return text + (f" WHERE {index.where}" if index.where else "")


def included(columns: Sequence[str]) -> str:
    """INCLUDE as SQL; nothing for no columns."""
    return f" INCLUDE ({idents(columns)})" if columns else ""


def parameters_of(*options: str) -> str:
    """WITH as SQL; nothing for no storage parameters."""
    return f" WITH ({', '.join(options)})" if options else ""


def new_name(name: str) -> str:
    """Return the name that a new index has until it replaces the old one."""
    return name[:63 - len(NEW)] + NEW


def plain(index: Index) -> Index | None:
    """Return the canonical index where no server is needed for that (plain column names and orders), else None."""
    if index.where is not None or index.method not in PLAIN_METHODS:
        return None
    terms = [_TERM.match(term.strip()) for term in index.columns]
    if not all(term and term["name"].lower() not in RESERVED for term in terms):
        return None
    return replace(index, columns=tuple(_plain_term(index.method, term) for term in terms if term),
                   options=options(index.options), statistics=targets(index.statistics))


def _plain_term(method: str, term: re.Match[str]) -> str:
    down, nulls = (term["order"] or "").upper() == "DESC", (term["nulls"] or "").upper()
    name = quoted(plain_name(term["name"]))
    if method != "btree":
        return name
    if down:
        return f"{name} DESC{' NULLS LAST' if nulls == 'LAST' else ''}"
    return f"{name}{' NULLS FIRST' if nulls == 'FIRST' else ''}"


def steps(diff: TableDiff) -> list[Step]:
    """Create the indexes that are missing, rebuild the broken ones, replace those that differ."""
    live = {index.name: index for index in diff.present.table.indexes}
    steps: list[Step] = []
    for declared, canonical in zip(diff.declared.indexes, diff.canonical.indexes, strict=True):
        name = canonical.name
        twin = _twin(diff, canonical)
        if name in live and name in diff.present.invalid:
            steps.append(_drop(diff, name, "it is invalid: a build was interrupted"))
            steps.append(_create(diff, declared))
        elif name in live and bare_index(canonical) != bare_index(live[name]):
            steps.extend(_replace(diff, declared, f"it is {definition(diff.declared, live[name])}",
                                  built=_is_built_beside(diff, canonical)))
        elif chunks := diff.present.unindexed.get(name):
            steps.extend(_mend(diff, declared, chunks))
        elif name not in live and twin is not None:
            steps.extend(_take_name(diff, declared, twin.name))
        elif name not in live:
            steps.append(_create(diff, declared))
        elif new_name(name) in live:
            steps.append(_drop(diff, new_name(name), "an interrupted replacement left it"))
    return steps


def widened(diff: TableDiff, columns: Collection[str]) -> tuple[TableDiff, list[Step]]:
    """Replace the unique indexes that lack some of these columns and are declared with all of them, as a table needs
    them before it becomes a hypertable; returns the diff afterwards."""
    live = {index.name: index for index in diff.present.table.indexes}
    steps: list[Step] = []
    for declared, canonical in zip(diff.declared.indexes, diff.canonical.indexes, strict=True):
        present = live.get(canonical.name)
        if present and present.unique and not {*columns} <= {*map(column_of, present.columns)} \
                and {*columns} <= {*map(column_of, canonical.columns)}:
            steps.extend(_replace(diff, declared, f"it is {definition(diff.declared, present)}",
                                  built=_is_built_beside(diff, canonical)))
            live[canonical.name] = canonical
    table = replace(diff.present.table, indexes=tuple(live.values()))
    return diff.with_live(replace(diff.present, table=table)), steps


def drop_step(diff: TableDiff, name: str) -> Step:
    """Drop an index that nobody declares."""
    step = _drop(diff, name, "nobody declares the index")
    return replace(step, hazards=(Hazard.DROPS_INDEX,))


def _twin(diff: TableDiff, canonical: Index) -> Index | None:
    """A live index that nobody declares and that differs from `canonical` in nothing that must be built."""
    taken = _names(diff.canonical) | diff.present.invalid
    return next((index for index in diff.present.table.indexes if index.name not in taken
                 and bare_index(index) == bare_index(canonical)), None)


def _names(table: Table) -> set[str]:
    return {index.name for index in table.indexes}


def _where(diff: TableDiff, name: str) -> str:
    return f"{diff.name}.{name}"


def _qualified(diff: TableDiff, name: str) -> str:
    schema = diff.index_schema
    return quoted(name) if schema == "public" else f"{ident(schema)}.{quoted(name)}"


def _create(diff: TableDiff, index: Index, why: str = "the index does not exist") -> Step:
    table, where = diff.declared, _where(diff, index.name)
    if not diff.online:
        return Step(Action.CREATE, where, definition(table, index), why, transaction=diff.transaction)
    if not diff.present.table.hypertable:
        return Step(Action.CREATE, where, definition(table, index, option="CONCURRENTLY "), why,
                    transaction=Transaction.NONE,
                    cost=constraint.cost(diff, "SHARE UPDATE EXCLUSIVE"), heavy=True)
    if index.unique:
        return Step(Action.CREATE, where, definition(table, index), why, (Hazard.BLOCKS_WRITES,), Transaction.OWN,
                    constraint.cost(diff, "SHARE"), heavy=True)
    return Step(Action.CREATE, where, definition(table, index, parameters="timescaledb.transaction_per_chunk"), why,
                transaction=Transaction.NONE, cost=constraint.cost(diff, "SHARE, one chunk at a time"),
                heavy=True)


def _drop(diff: TableDiff, name: str, why: str) -> Step:
    plain = not diff.present.table.hypertable and diff.online
    return Step(Action.DROP, _where(diff, name), f"DROP INDEX "
                                          f"{'CONCURRENTLY ' if plain else ''}{_qualified(diff, name)}", why,
                transaction=Transaction.NONE if plain else diff.transaction,
                removes=(Removed(Sort.INDEX, diff.name, name),))


def _take_name(diff: TableDiff, index: Index, old: str) -> list[Step]:
    """Rename the index to its declared name; where its owner may not rename it, build it once more."""
    why = "the same index bears another name"
    if diff.renames_indexes:
        return [_rename(diff, old, index.name, why)]
    return [_create(diff, index, f"{why}, which its owner may not change"),
            _drop(diff, old, "another took its place")]


def _rename(diff: TableDiff, old: str, new: str, why: str) -> Step:
    return Step(Action.RENAME, _where(diff, new),
                f"ALTER INDEX {_qualified(diff, old)} RENAME TO {quoted(new)}", why,
                transaction=diff.transaction)


def _is_built_beside(diff: TableDiff, canonical: Index) -> bool:
    """Whether the new index exists beside the old one already: complete, and equal to `canonical`."""
    name, present = new_name(canonical.name), diff.present
    return any(index.name == name and bare_index(index) == bare_index(canonical) for index in present.table.indexes) \
        and name not in present.invalid and name not in present.unindexed



def _replace(diff: TableDiff, index: Index, why: str, *, built: bool = False) -> list[Step]:
    """Build the new index beside the old one, then swap the names: queries always have one of them.

    An index that is `built` already (a lock kept the names from being swapped) is not built again.
    """
    new = replace(index, name=new_name(index.name))
    swap = (f"DROP INDEX {_qualified(diff, index.name)}; "
            f"ALTER INDEX {_qualified(diff, new.name)} RENAME TO {quoted(index.name)}")
    leftover = [_drop(diff, new.name, "an interrupted replacement left it")] \
        if new.name in _names(diff.present.table) and not built else []
    building = [] if built else [*leftover, _create(diff, new, why)]
    if not diff.renames_indexes:
        return [*building, _drop(diff, index.name, why), *_take_name(diff, index, new.name)]
    return [*building,
            Step(Action.REPLACE, _where(diff, index.name), swap, "the new index takes the name",
                 transaction=diff.transaction, cost="ACCESS EXCLUSIVE, no scan",
                 removes=(Removed(Sort.INDEX, diff.name, index.name),))]


def _mend(diff: TableDiff, index: Index, chunks: Sequence[UnindexedChunk]) -> list[Step]:
    """Give chunks the index of their table that they lack: rebuilt where a chunk's is invalid, else all created again.

    Only the owner of TimescaleDB's schema could make one in a single chunk. Where TimescaleDB knows a chunk's index by
    its likeness to the table's, dropping the old one of two would take the new one from the chunks that had none.
    """
    why = f"{len(chunks)} chunks lack it"
    if all(chunk.broken for chunk in chunks):
        online = diff.online
        return [Step(Action.REPLACE, _where(diff, index.name),
                     f"REINDEX INDEX {'CONCURRENTLY ' if online else ''}{ident(chunk.broken or '')}",
                     "a chunk's own is invalid", transaction=Transaction.NONE if online else diff.transaction,
                     cost="SHARE UPDATE EXCLUSIVE on this chunk" if online else "", heavy=True) for chunk in chunks]
    if diff.context.timescaledb < CHUNK_INDEXES_BY_LIKENESS:
        return _replace(diff, index, why)
    return [_drop(diff, index.name, f"{why}; until it is built again, queries are without it"),
            _create(diff, index, why)]
