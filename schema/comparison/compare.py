"""Set declared and live objects side by side, both in the server's words, and plan the difference. Changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from psycopg import Connection

from schema import lint
from schema.canonical import normalising, restored_expressions
from schema.canonical.scratch import in_server_words
from schema.capabilities import Capabilities
from schema.catalog.queries import rows
from schema.catalog.readers import undeclared
from schema.catalog.readers.dependants import with_dependants
from schema.catalog.readers.weights import read_columnstore, read_weights
from schema.comparison import aggregates
from schema.kinds import columnstore, registry
from schema.kinds.undeclared import TYPES
from schema.model import renames
from schema.model.live import Compared, Comparison, Live
from schema.model.objects import Enum, Object, Table
from schema.planning import view_dependants
from schema.planning.plan import Plan
from schema.planning.plan import plan as plan_steps


@dataclass(frozen=True)
class Options:
    """How far a change may go. `allow` holds names of hazards; `whole_schema` reports objects that nobody declares,
    and plans to drop them where that is allowed and they are not among `protect` (full names).

    A step waits `lock_timeout` for a lock, then everything is planned anew, `attempts` times in all. `fingerprint` is
    that of a reviewed plan: any other plan is refused. `backed_up` says that a verified backup exists, without which a
    table with rows is not dropped unless that, too, is allowed. Before a heavy step all standbys are waited for that
    are more than `max_replica_lag` bytes behind, `lag_wait_seconds` at most.
    """

    on_unsupported: Literal["error", "skip"] = "error"
    allow: frozenset[str] = field(default_factory=frozenset)
    protect: frozenset[str] = field(default_factory=frozenset)
    lock_timeout: str = "3s"
    statement_timeout: str = "1h"
    attempts: int = 10
    wait_seconds: float = 60.0
    whole_schema: bool = False
    fingerprint: str | None = None
    backed_up: bool = False
    max_replica_lag: int | None = None
    lag_wait_seconds: float = 600.0


class Side:
    """The declared side of one run: the objects that fit the server, in its words, asked for once.

    `context` is what else the program declares, for what the objects stand on. Raises UnsupportedError where an object
    does not fit and nothing may be left out.
    """

    def __init__(self, capabilities: Capabilities, objects: Sequence[Object], options: Options,
                 context: Sequence[Object] = ()) -> None:
        self.capabilities, self.objects, self.options = capabilities, tuple(objects), options
        self.fitting, self.left_out = capabilities.fit(self.objects, options.on_unsupported, context)
        self.context = tuple(each for each in capabilities.fit(context, "skip")[0] if each is not None)
        self._words: tuple[tuple[Object, ...], Mapping[tuple[type[Object], str], Live]] | None = None

    @property
    def declared(self) -> tuple[Object, ...]:
        """The objects, or what of them the server can have, without those that it cannot have at all."""
        return tuple(each for each in self.fitting if each is not None)

    def in_server_words(self, connection: Connection[Any],
                        ) -> tuple[tuple[Object, ...], Mapping[tuple[type[Object], str], Live]]:
        """The same in the server's words, and what of them had to be made for it."""
        if self._words is None:
            self._words = in_server_words(connection, self.capabilities, self.declared, self.context)
        return self._words

    def read_back(self, comparisons: Sequence[Compared[Any, Any]]) -> list[Object | None]:
        """The live objects in declared words, in the order given; None where absent. What this server cannot have is
        told as declared, for none differs."""
        by_object = {each.declared: each for each in comparisons}
        return [each if fits is None else _read_back(each, by_object[fits])
                for each, fits in zip(self.objects, self.fitting, strict=True)]


def compare_and_plan(connection: Connection[Any], side: Side) -> tuple[Plan, list[Compared[Any, Any]]]:
    """The plan of today, and the comparisons it follows from."""
    capabilities, options = side.capabilities, side.options
    comparisons = compare(connection, side)
    changing = [comparison.renamed or comparison.name for comparison in comparisons
                if view_dependants.may_be_in_the_way(comparison)]
    comparisons = with_dependants(connection, capabilities, comparisons, changing, side.declared, side.context)
    comparisons = _weighed(connection, capabilities, comparisons)
    comparisons = aggregates.completed(connection, capabilities, comparisons)
    extra = undeclared.read(connection, capabilities, side.objects, TYPES) if options.whole_schema else ()
    found = plan_steps(comparisons, options.allow, side.left_out, undeclared=extra, protect=options.protect,
                       backed_up=options.backed_up, missing_schemas=_missing_schemas(connection, side))
    warnings = [capabilities.explain_left_out(name) for name in side.left_out]
    warnings += lint.warnings(side.objects) if options.whole_schema else []
    return replace(found, warnings=(*warnings, *found.warnings)), comparisons


def compare(connection: Connection[Any], side: Side) -> list[Compared[Any, Any]]:
    """One comparison per object, in their order, in a number of queries that does not grow with the objects."""
    wanted, made = side.in_server_words(connection)
    live = read_live(connection, side.capabilities, side.declared)
    capabilities = side.capabilities
    found: list[Compared[Any, Any]] = []
    for mine, theirs in zip(side.declared, wanted, strict=True):
        there, former = live.get((type(mine), mine.full_name)), None
        if there is None and (former := renames.former_name(mine)):
            there = live.get((type(mine), former))
            there = there and _named(there, mine.name)
        settled = normalising.settle(theirs, there.object if there else None)
        found.append(registry.of(mine).compared(mine, settled, there, capabilities.server_version,
                                             capabilities.single_process, capabilities.timescaledb,
                                             former if there else None, made.get((type(mine), mine.full_name))))
    names = {each.renamed: each.declared for each in found if each.renamed}
    values = renames.values(found)
    found = [_with_object(each, renames.relations(each.present.object, names, values))
             if (names or values) and each.live and not isinstance(each.declared, Enum) else each for each in found]
    found = restored_expressions.settled(found, lambda tables: [
        each for each in in_server_words(connection, capabilities, tables, (*side.context, *side.declared))[0]
        if isinstance(each, Table)])
    return _with_columnstore(connection, capabilities, aggregates.attached(found, live))


def _with_columnstore(connection: Connection[Any], capabilities: Capabilities,
                      comparisons: list[Compared[Any, Any]]) -> list[Compared[Any, Any]]:
    """The comparisons with the compressed chunks of those tables that may have them compressed anew."""
    asking = {each.renamed or each.name: each for each in comparisons
              if isinstance(each, Comparison) and each.live and columnstore.limit(each)}
    if not asking:
        return comparisons
    chunks = read_columnstore(connection, {name: each.present.table for name, each in asking.items()},
                              {name: columnstore.limit(each) or "" for name, each in asking.items()})
    return [replace(each, live=replace(each.live, columnstore=chunks.get(each.renamed or each.name, ())))
            if isinstance(each, Comparison) and each.live else each for each in comparisons]


def read_live(connection: Connection[Any], capabilities: Capabilities,
              objects: Sequence[Object]) -> Mapping[tuple[type[Object], str], Live]:
    """What the server has under the objects' names and their former ones, by type and full name."""
    found: dict[tuple[type[Object], str], Live] = {}
    for cls in dict.fromkeys(type(each) for each in objects):
        mine = [each for each in objects if type(each) is cls]
        kind = registry.of(cls)
        if kind.find is not None:
            found.update({(cls, name): live for name, live in kind.find(connection, capabilities, mine).items()})
            continue
        for schema in dict.fromkeys(each.schema for each in mine):
            names = [name for each in mine if each.schema == schema for name in (each.name, each.renamed_from) if name]
            for live in kind.read(connection, capabilities, schema, names).values():
                found[cls, live.object.full_name] = live
    return found


def _missing_schemas(connection: Connection[Any], side: Side) -> list[str]:
    """The schemas that the objects are declared in and that are not there."""
    schemas = sorted({each.schema for each in side.declared} - {"public"})
    if not schemas:
        return []
    there = {row["name"] for row in rows(connection, "schemas", names=schemas)}
    return [name for name in schemas if name not in there]


def _read_back(declared: Object, comparison: Compared[Any, Any]) -> Object | None:
    if comparison.live is None:
        return None
    found: Object = normalising.in_declared_words(comparison.declared, comparison.wanted, comparison.live.object)
    unfit = {part: getattr(declared, part) for part in ("hypertable", "compression", "retention", "reorder")
             if getattr(declared, part, None) != getattr(comparison.declared, part, None)}
    return replace(found, **unfit)


def _named(live: Any, name: str) -> Any:
    return _with(live, replace(live.object, name=name))


def _with_object(comparison: Compared[Any, Any], value: Any) -> Compared[Any, Any]:
    return replace(comparison, live=_with(comparison.present, value))


def _with(live: Any, value: Any) -> Any:
    return replace(live, table=value) if isinstance(value, Table) else replace(live, object=value)


def _weighed(connection: Connection[Any], capabilities: Capabilities,
             comparisons: list[Compared[Any, Any]]) -> list[Compared[Any, Any]]:
    """The comparisons with the weight of the tables that differ: only those may get steps."""
    differing = {each.renamed or each.name: each.live.table for each in comparisons
                 if isinstance(each, Comparison) and each.live and _differs(each)}
    wanted = {each.renamed or each.name: each.declared for each in comparisons if isinstance(each, Comparison)}
    weights = read_weights(connection, differing, wanted, capabilities)
    return [replace(each, live=replace(each.live, weight=weights[each.renamed or each.name]))
            if isinstance(each, Comparison) and each.live and (each.renamed or each.name) in weights else each
            for each in comparisons]


def _differs(comparison: Comparison) -> bool:
    """Whether any step or warning may come of the table; only then is its weight asked for."""
    live, wanted = comparison.present, comparison.wanted
    policies = [job.procedure for job in live.jobs]
    more = any(len(getattr(live.table, part)) > len(getattr(wanted, part))
               for part in ("columns", "keys", "foreign_keys", "checks", "indexes", "triggers"))
    security = wanted.row_security
    more = more or bool(live.mixed) or len(live.policies) > len(security.policies if security else ())
    unfinished = (live.not_valid or live.invalid or live.unindexed or len(policies) > len(set(policies))
                  or comparison.renamed or columnstore.stale(comparison))
    return more or bool(unfinished) or not normalising.equal(wanted, live.table)
