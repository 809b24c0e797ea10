"""Indexes that are no constraint's: built without blocking writers, replaced beside the old one, repaired."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from schema.capabilities import CHUNK_INDEXES_BY_LIKENESS
from schema.kinds import constraint
from schema.model.live import Comparison, UnindexedChunk
from schema.model.names import RESERVED, ident, idents
from schema.model.objects import Index, Table
from schema.model.sql_names import plain as plain_name
from schema.model.step import Action, Hazard, Step, Transaction

BESIDE = "__new"
# A column's name as an index term begins with it; anything else is an expression.
_COLUMN = re.compile(r'\s*(?P<name>"(?:[^"]|"")+"|[A-Za-z_]\w*\b)(?!\s*[(.])')
_TERM = re.compile(r"(?P<name>[A-Za-z_]\w*)(?:\s+(?P<order>ASC|DESC))?(?:\s+NULLS\s+(?P<nulls>FIRST|LAST))?\Z", re.I)


def definition(table: Table, index: Index, option: str = "", parameters: str = "") -> str:
    """CREATE INDEX as SQL."""
    unique = "UNIQUE " if index.unique else ""
    method = "" if index.method == "btree" else f"USING {index.method} "
    on = f"{ident(table.full_name)} {method}({', '.join(index.columns)})"
    text = f"CREATE {unique}INDEX {option}{ident(index.name)} ON {on}"
    text += f" INCLUDE ({idents(index.include)})" if index.include else ""
    text += f" WITH ({parameters})" if parameters else ""
    return text + (f" WHERE {index.where}" if index.where else "")


def beside(name: str) -> str:
    """The name that a new index bears until it takes the place of the old one."""
    return name[:63 - len(BESIDE)] + BESIDE


def plain(index: Index) -> Index | None:
    """The index in the server's words where they can be told without it: nothing but names and their order."""
    if index.where is not None:
        return None
    terms = [_TERM.match(term.strip()) for term in index.columns]
    if not all(term and term["name"].lower() not in RESERVED for term in terms):
        return None
    return replace(index, columns=tuple(_plain_term(index.method, term) for term in terms if term))


def _plain_term(method: str, term: re.Match[str]) -> str:
    down, nulls = (term["order"] or "").upper() == "DESC", (term["nulls"] or "").upper()
    if method != "btree":
        return term["name"].lower()
    if down:
        return f"{term['name'].lower()} DESC{' NULLS LAST' if nulls == 'LAST' else ''}"
    return f"{term['name'].lower()}{' NULLS FIRST' if nulls == 'FIRST' else ''}"


def column_of(term: str) -> str | None:
    """The column that an index term begins with; None for an expression."""
    found = _COLUMN.match(term)
    return plain_name(found["name"]) if found else None


def steps(comparison: Comparison) -> list[Step]:
    """Create the indexes that are missing, rebuild the broken ones, replace those that differ."""
    live = {index.name: index for index in comparison.present.table.indexes}
    found: list[Step] = []
    for declared, wanted in zip(comparison.declared.indexes, comparison.wanted.indexes, strict=True):
        name = wanted.name
        twin = _twin(comparison, wanted)
        if name in live and name in comparison.present.invalid:
            found.append(_drop(comparison, name, "it is invalid: a build was interrupted"))
            found.append(_create(comparison, declared))
        elif name in live and replace(wanted, comment=live[name].comment) != live[name]:
            found.extend(_replace(comparison, declared, f"it is {definition(comparison.declared, live[name])}",
                                  built=_is_built_beside(comparison, wanted)))
        elif chunks := comparison.present.unindexed.get(name):
            found.extend(_mend(comparison, declared, chunks))
        elif name not in live and twin is not None:
            found.extend(_take_name(comparison, declared, twin.name))
        elif name not in live:
            found.append(_create(comparison, declared))
        elif beside(name) in live:
            found.append(_drop(comparison, beside(name), "an interrupted replacement left it"))
    return found


def drop_step(comparison: Comparison, name: str) -> Step:
    """Drop an index that nobody declares."""
    step = _drop(comparison, name, "nobody declares the index")
    return replace(step, hazards=(Hazard.DROPS_INDEX,))


def _twin(comparison: Comparison, wanted: Index) -> Index | None:
    """A live index that nobody declares and that differs from `wanted` in its name alone."""
    taken = _names(comparison.wanted) | comparison.present.invalid
    return next((each for each in comparison.present.table.indexes
                 if each.name not in taken and replace(each, name=wanted.name, comment=wanted.comment) == wanted), None)


def _names(table: Table) -> set[str]:
    return {index.name for index in table.indexes}


def _where(comparison: Comparison, name: str) -> str:
    return f"{comparison.name}.{name}"


def _qualified(comparison: Comparison, name: str) -> str:
    schema = comparison.index_schema
    return ident(name) if schema == "public" else f"{ident(schema)}.{ident(name)}"


def _create(comparison: Comparison, index: Index, why: str = "the index does not exist") -> Step:
    table, where = comparison.declared, _where(comparison, index.name)
    if not comparison.beside_writers:
        return Step(Action.CREATE, where, definition(table, index), why, transaction=comparison.transaction)
    if not comparison.present.table.hypertable:
        return Step(Action.CREATE, where, definition(table, index, option="CONCURRENTLY "), why,
                    transaction=Transaction.NONE,
                    cost=constraint.cost(comparison, "SHARE UPDATE EXCLUSIVE"), heavy=True)
    if index.unique:
        return Step(Action.CREATE, where, definition(table, index), why, (Hazard.BLOCKS_WRITES,), Transaction.OWN,
                    constraint.cost(comparison, "SHARE"), heavy=True)
    return Step(Action.CREATE, where, definition(table, index, parameters="timescaledb.transaction_per_chunk"), why,
                transaction=Transaction.NONE, cost=constraint.cost(comparison, "SHARE, one chunk at a time"),
                heavy=True)


def _drop(comparison: Comparison, name: str, why: str) -> Step:
    plain = not comparison.present.table.hypertable and comparison.beside_writers
    return Step(Action.DROP, _where(comparison, name), f"DROP INDEX "
                                          f"{'CONCURRENTLY ' if plain else ''}{_qualified(comparison, name)}", why,
                transaction=Transaction.NONE if plain else comparison.transaction)


def _take_name(comparison: Comparison, index: Index, old: str) -> list[Step]:
    """Give the index that bears another name its declared one; where that is not ours to do, by one more build."""
    why = "the same index bears another name"
    if comparison.renames_indexes:
        return [_rename(comparison, old, index.name, why)]
    return [_create(comparison, index, f"{why}, which its owner may not change"),
            _drop(comparison, old, "another took its place")]


def _rename(comparison: Comparison, old: str, new: str, why: str) -> Step:
    return Step(Action.RENAME, _where(comparison, new),
                f"ALTER INDEX {_qualified(comparison, old)} RENAME TO {ident(new)}", why,
                transaction=comparison.transaction)


def _is_built_beside(comparison: Comparison, wanted: Index) -> bool:
    """Whether the new index stands beside the old one already: complete, and as it is wanted now."""
    name, present = beside(wanted.name), comparison.present
    return any(each.name == name and replace(each, name=wanted.name, comment=wanted.comment) == wanted
               for each in present.table.indexes) and name not in present.invalid and name not in present.unindexed


def _replace(comparison: Comparison, index: Index, why: str, *, built: bool = False) -> list[Step]:
    """Build the new index beside the old one, then swap the names: queries are never without either.

    What was `built` before a lock kept the names from being swapped is not built again.
    """
    new = replace(index, name=beside(index.name))
    swap = (f"DROP INDEX {_qualified(comparison, index.name)}; "
            f"ALTER INDEX {_qualified(comparison, new.name)} RENAME TO {ident(index.name)}")
    left = [_drop(comparison, new.name, "an interrupted replacement left it")] \
        if new.name in _names(comparison.present.table) and not built else []
    building = [] if built else [*left, _create(comparison, new, why)]
    if not comparison.renames_indexes:
        return [*building, _drop(comparison, index.name, why), *_take_name(comparison, index, new.name)]
    return [*building,
            Step(Action.REPLACE, _where(comparison, index.name), swap, "the new index takes the name",
                 transaction=comparison.transaction, cost="ACCESS EXCLUSIVE, no scan")]


def _mend(comparison: Comparison, index: Index, chunks: Sequence[UnindexedChunk]) -> list[Step]:
    """Give chunks the index that their table has and they lack: rebuilt where theirs is invalid, else all made anew.

    Only the owner of TimescaleDB's schema could make one in a single chunk. Where TimescaleDB knows a chunk's index by
    its likeness to the table's, dropping the old one of two would take the new one from the chunks that had none.
    """
    why = f"{len(chunks)} chunks lack it"
    if all(each.broken for each in chunks):
        beside = comparison.beside_writers
        return [Step(Action.REPLACE, _where(comparison, index.name),
                     f"REINDEX INDEX {'CONCURRENTLY ' if beside else ''}{ident(each.broken or '')}",
                     "a chunk's own is invalid", transaction=Transaction.NONE if beside else comparison.transaction,
                     cost="SHARE UPDATE EXCLUSIVE on this chunk" if beside else "", heavy=True) for each in chunks]
    if comparison.timescaledb < CHUNK_INDEXES_BY_LIKENESS:
        return _replace(comparison, index, why)
    return [_drop(comparison, index.name, f"{why}; until it is built again, queries are without it"),
            _create(comparison, index, why)]
