"""Set declared and live objects side by side, both in the server's words, and plan the difference. Changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from psycopg import Connection

from schema import words
from schema.capabilities import Capabilities
from schema.catalog import read_tables, read_undeclared, read_weights
from schema.live import Comparison, LiveTable
from schema.objects import Object
from schema.plan import Plan
from schema.plan import plan as plan_steps
from schema.scratch import in_server_words


@dataclass(frozen=True)
class Options:
    """How far a change may go. `allow` holds names of hazards; `whole_schema` reports tables that nobody declares.

    A step waits `lock_timeout` for a lock, then everything is planned anew, `attempts` times in all. `fingerprint` is
    that of a reviewed plan: any other plan is refused.
    """

    on_unsupported: Literal["error", "skip"] = "error"
    allow: frozenset[str] = field(default_factory=frozenset)
    lock_timeout: str = "3s"
    statement_timeout: str = "1h"
    attempts: int = 10
    wait_seconds: float = 60.0
    whole_schema: bool = False
    fingerprint: str | None = None


def compare_and_plan(connection: Connection[Any], capabilities: Capabilities, objects: Sequence[Object],
                     options: Options) -> tuple[Plan, list[Comparison]]:
    """The plan of today, and the comparisons it follows from."""
    fitting, left_out = capabilities.fit(objects, options.on_unsupported)
    comparisons = _weighed(connection, capabilities, compare(connection, capabilities, fitting))
    found = plan_steps(comparisons, options.allow, left_out)
    warnings = [capabilities.explain_left_out(name) for name in left_out]
    if options.whole_schema:
        warnings += _undeclared(connection, objects)
    return replace(found, warnings=(*warnings, *found.warnings)), comparisons


def compare(connection: Connection[Any], capabilities: Capabilities, declared: Sequence[Object]) -> list[Comparison]:
    """One comparison per object, in their order, in a number of queries that does not grow with the objects."""
    live: dict[str, LiveTable] = {}
    for schema in dict.fromkeys(each.schema for each in declared):
        names = [each.name for each in declared if each.schema == schema]
        found = read_tables(connection, names, capabilities, schema=schema)
        live.update({each.table.full_name: each for each in found.values()})
    wanted = in_server_words(connection, declared, capabilities)
    comparisons = []
    for mine, theirs in zip(declared, wanted, strict=True):
        found_table = live.get(mine.full_name)
        settled = words.settle(theirs, found_table.table if found_table else None)
        comparisons.append(Comparison(mine, settled, found_table, capabilities.server_version,
                                      capabilities.single_process))
    return comparisons


def read_back(declared: Object, comparison: Comparison) -> Object | None:
    """The live object in declared words; parts that this server cannot have are told as declared, for none differs."""
    if comparison.live is None:
        return None
    found: Object = words.in_declared_words(comparison.declared, comparison.wanted, comparison.live.table)
    fitting = comparison.declared
    if fitting.hypertable != declared.hypertable:
        found = replace(found, hypertable=declared.hypertable)
    if fitting.compression != declared.compression:
        found = replace(found, compression=declared.compression)
    return found if fitting.retention == declared.retention else replace(found, retention=declared.retention)


def _weighed(connection: Connection[Any], capabilities: Capabilities,
             comparisons: list[Comparison]) -> list[Comparison]:
    """The comparisons with the weight of the tables that differ: only those may get steps."""
    differing = [each.live.table for each in comparisons if each.live and _differs(each)]
    retention = {each.name: each.declared.retention for each in comparisons if each.declared.retention}
    weights = read_weights(connection, differing, retention, capabilities)
    return [replace(each, live=replace(each.live, weight=weights[each.name]))
            if each.live and each.name in weights else each for each in comparisons]


def _differs(comparison: Comparison) -> bool:
    """Whether any step or warning may come of the table; only then is its weight asked for."""
    live, wanted = comparison.present, comparison.wanted
    jobs = [job.procedure for job in live.jobs]
    more = any(len(getattr(live.table, part)) > len(getattr(wanted, part))
               for part in ("columns", "keys", "foreign_keys", "checks", "indexes"))
    unfinished = live.not_valid or live.invalid or len(jobs) > len(set(jobs))
    return more or bool(unfinished) or not words.equal(wanted, live.table)


def _undeclared(connection: Connection[Any], objects: Sequence[Object]) -> list[str]:
    found = []
    for schema in dict.fromkeys(each.schema for each in objects):
        names = [each.name for each in objects if each.schema == schema]
        found += [f"{name} is a table that is not declared and was left in place; declare it, or drop it yourself"
                  for name in read_undeclared(connection, names, schema)]
    return found
