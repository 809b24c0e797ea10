"""Gather what planning needs to know about the matched objects, and make a diff of each. Changes nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from psycopg import Connection

from schema.canonical import normalising
from schema.catalog.changed_values import read_changed_values
from schema.catalog.readers.dependants import read_dependants
from schema.catalog.readers.weights import read_columnstore, read_weights
from schema.comparison.aggregates import aggregate_diffs
from schema.comparison.declaration import Declaration, Key
from schema.comparison.match import Matches
from schema.kinds import columnstore, registry
from schema.model.change.diff import Context, Diff, Match
from schema.model.live.objects import Live, LiveGrants
from schema.model.live.tables import ColumnstoreChunk, LiveTable, Weight
from schema.model.objects import ContinuousAggregate, Object
from schema.planning import view_dependants

Chunks = Mapping[str, tuple[ColumnstoreChunk, ...]]
Tables = Sequence[tuple[Match[Any, Any], LiveTable]]


def gather(connection: Connection[Any], declaration: Declaration, live: Mapping[Key, Live], matches: Matches,
           granted: Mapping[Object, LiveGrants], dropped: Collection[str]) -> list[Diff[Any, Any]]:
    """Return one finished diff for each match, in their order; asks only about objects that differ.

    `granted` are owners and grants by declaration; `dropped` the full names of what the plan drops before everything
    else. The number of queries does not grow with the number of objects.
    """
    capabilities = declaration.capabilities
    changing = [match.live_name for match in matches if view_dependants.may_be_in_the_way(match)]
    around = read_dependants(connection, capabilities, changing, declaration.declared, declaration.context)
    dependants, recreated = view_dependants.arrange(matches, around, dropped) if around else ({}, set())
    tables = [(match, match.live) for match in matches if isinstance(match.live, LiveTable)]
    chunks = _read_columnstore(connection, declaration, tables)
    weights = _read_changed_values(connection, tables, _read_weights(connection, declaration, tables, chunks))
    server = capabilities.server_version, declaration.timescaledb, capabilities.single_process
    diffs: list[Diff[Any, Any]] = [registry.of(match.declared).diff(
        match.declared, match.canonical, match.live, Context(
            *server, declaration.options.allow, match.former_name, match.scratch, dependants.get(match.name, ()),
            match.live_name in recreated or match.name in recreated, weights.get(match.live_name, Weight()),
            chunks.get(match.live_name, ()), grants=granted.get(match.declared)))
        for match in matches if not isinstance(match.declared, ContinuousAggregate)]
    # Aggregates have a walk of their own, from the lowest upwards.
    of_aggregates = aggregate_diffs(connection, declaration, live, matches, granted)
    others = iter(diffs)
    return [of_aggregates[match.name] if isinstance(match.declared, ContinuousAggregate) else next(others)
            for match in matches]


def _read_columnstore(connection: Connection[Any], declaration: Declaration, tables: Tables) -> Chunks:
    """The compressed chunks of those tables that may have them compressed again, by live name."""
    limits = {match.live_name: limit for match, _ in tables
              if (limit := columnstore.limit(match.declared, declaration.timescaledb))}
    asked = {match.live_name: live.table for match, live in tables if match.live_name in limits}
    return read_columnstore(connection, asked, limits)


def _read_weights(connection: Connection[Any], declaration: Declaration, tables: Tables,
                  chunks: Chunks) -> Mapping[str, Weight]:
    """The weights, by live name, of the tables that differ: only those may get steps."""
    differing = [(match, live) for match, live in tables if _differs(match, live, chunks.get(match.live_name, ()))]
    return read_weights(connection, {match.live_name: live.table for match, live in differing},
                        {match.live_name: match.declared for match, _ in differing}, declaration.capabilities)


def _read_changed_values(connection: Connection[Any], tables: Tables,
                         weights: Mapping[str, Weight]) -> Mapping[str, Weight]:
    """The weights with what new types of columns do to the rows; compressed chunks take none (column_type says so)."""
    return {**weights, **{
        match.live_name: replace(weight, changed_values=read_changed_values(
            connection, match.live_name, live.table, match.declared, match.canonical))
        for match, live in tables if (weight := weights.get(match.live_name))
        and weight.has_rows and weight.readable and not weight.compressed_chunks}}


def _differs(match: Match[Any, Any], live: LiveTable, chunks: Sequence[ColumnstoreChunk]) -> bool:
    """Whether any step or warning may come of the table; only then its weight is read."""
    canonical = match.canonical
    policies = [job.procedure for job in live.jobs]
    security = canonical.row_security
    undeclared = any(len(getattr(live.table, part)) > len(getattr(canonical, part))
                     for part in ("columns", "keys", "foreign_keys", "checks", "exclusions", "indexes", "triggers"))
    undeclared = undeclared or len(live.policies) > len(security.policies if security else ())
    unfinished = (live.not_valid or live.invalid or live.unindexed or live.mixed or len(policies) > len(set(policies))
                  or match.former_name or columnstore.stale(canonical, chunks))
    return undeclared or bool(unfinished) or not normalising.equal(canonical, live.table)
