"""Make the live schema the declared one: lock, read, plan, execute, read again, prove that nothing is left to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, Literal

import psycopg
from psycopg import Connection
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from schema import words
from schema.capabilities import Capabilities
from schema.catalog import read_capabilities, read_tables, read_undeclared, read_weights
from schema.connection import Address
from schema.errors import ApplyError, UnsafeChangeError, VerifyError
from schema.kinds import table as table_kind
from schema.lint import lint
from schema.live import Comparison, LiveTable
from schema.objects import Object, Table
from schema.plan import Plan
from schema.plan import plan as plan_steps
from schema.scratch import in_server_words
from schema.session import only_changer, prepare
from schema.step import Step, Transaction

APPLICATION = "lifecompanion schema"
# A step that met a lock, or a deadlock that the server broke: what is planned anew may well succeed.
PASSING = (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure)


@dataclass(frozen=True)
class Options:
    """How far a change may go. `allow` holds names of hazards; `whole_schema` reports tables that nobody declares."""

    on_unsupported: Literal["error", "skip"] = "error"
    allow: frozenset[str] = frozenset()
    lock_timeout: str = "3s"
    statement_timeout: str = "1h"
    attempts: int = 10
    wait_seconds: float = 60.0
    whole_schema: bool = False
    fingerprint: str | None = None


@dataclass(frozen=True)
class Applied:
    """What was done, and plain facts that stay the same while nothing changes."""

    steps: tuple[Step, ...]
    facts: dict[str, dict[str, Any]]
    warnings: tuple[str, ...]


Progress = Callable[[str], None]


def plan(address: Address, objects: Sequence[Object], *, options: Options = Options()) -> Plan:  # noqa: B008 (frozen)
    """What `ensure` would do now. Reads only; what it creates to compare is rolled back."""
    lint(objects)
    with _connected(address, options) as (connection, capabilities):
        return _compare(connection, capabilities, objects, options)[0]


def read(address: Address, objects: Sequence[Object], *, options: Options = Options()) -> list[Object | None]:  # noqa: B008
    """The live objects in the order given, in the declared words where they mean the same; None where absent."""
    lint(objects)
    with _connected(address, options) as (connection, capabilities):
        comparisons = _comparisons(connection, capabilities, capabilities.fit(objects, "skip")[0])
    return [_read(declared, each) for declared, each in zip(objects, comparisons, strict=True)]


def ensure(address: Address, objects: Sequence[Object], *, options: Options = Options(),  # noqa: B008
           progress: Progress | None = None) -> Applied:
    """Make the live objects the declared ones; does nothing where they are. Proves it before it returns.

    Raises UnsafeChangeError (a hazard is not allowed; nothing was done), ApplyError (a step failed; the steps before
    it stand, and a new run goes on from there), VerifyError, UnsupportedError, DeclarationError.
    """
    lint(objects)
    done: list[Step] = []
    with _connected(address, options) as (connection, capabilities), only_changer(connection, options.wait_seconds):
        retrying = Retrying(stop=stop_after_attempt(options.attempts), wait=wait_random_exponential(0.2, max=5),
                            retry=retry_if_exception_type(PASSING), reraise=True)
        try:
            retrying(_pass, connection, capabilities, objects, options, done, progress or (lambda _: None))
        except PASSING as error:
            raise ApplyError(f"{address.database}: a lock was still held after {options.attempts} attempts: {_said(error)}; end the "
                             "transaction that holds it, or raise lock_timeout") from None
        left, comparisons = _compare(connection, capabilities, objects, options)
        if left.steps:
            raise VerifyError(f"{left.steps[0].object}: still differs after applying ({left.steps[0].render()}); something else "
                              "changes it, or the server does not keep it: see the plan")
    facts = {each.name: _facts(each, left.left_out) for each in comparisons}
    return Applied(tuple(done), facts, left.warnings)


def drop(address: Address, table: Table, *, options: Options = Options()) -> bool:  # noqa: B008
    """Drop the table with its rows and policies; False where there is none. Needs the hazard drops_table allowed."""
    with _connected(address, options) as (connection, capabilities), only_changer(connection, options.wait_seconds):
        if not read_tables(connection, [table.name], capabilities, schema=table.schema):
            return False
        step = table_kind.drop_step(table, "nobody declares the table")
        _require_allowed(Plan((step,)), options)
        retrying = Retrying(stop=stop_after_attempt(options.attempts), wait=wait_random_exponential(0.2, max=5),
                            retry=retry_if_exception_type(PASSING), reraise=True)
        retrying(_run, connection, [step], lambda _: None, [])
    return True


@contextmanager
def _connected(address: Address, options: Options) -> Iterator[tuple[Connection[Any], Capabilities]]:
    with address.connect(application_name=APPLICATION) as connection:
        capabilities = read_capabilities(connection)
        capabilities.require_usable()
        prepare(connection, capabilities, options.lock_timeout, options.statement_timeout)
        yield connection, capabilities


def _pass(connection: Connection[Any], capabilities: Capabilities, objects: Sequence[Object], options: Options,
          done: list[Step], progress: Progress) -> None:
    """Read, plan and execute once."""
    found, _ = _compare(connection, capabilities, objects, options)
    if options.fingerprint is not None and not done and found.fingerprint != options.fingerprint:
        raise UnsafeChangeError(f"{connection.info.dbname}: the reviewed plan is {options.fingerprint}, today's is "
                                f"{found.fingerprint}: the database has moved since; review the new plan")
    _require_allowed(found, options)
    for transaction, steps in groupby(found.steps, key=lambda step: step.transaction):
        if transaction is Transaction.SHARED:
            _run(connection, list(steps), progress, done)
        else:
            for step in steps:
                _run(connection, [step], progress, done)


def _run(connection: Connection[Any], steps: Sequence[Step], progress: Progress, done: list[Step]) -> None:
    """Run steps in one transaction; a step that cannot be in one runs alone."""
    step = steps[0]
    try:
        if not step.transactional:
            progress(step.render())
            connection.execute(step.sql.encode())
        else:
            with connection.transaction():
                for step in steps:  # noqa: B020 (the failing step is the one the error names)
                    progress(step.render())
                    connection.execute(step.sql.encode())
    except PASSING:
        raise
    except psycopg.Error as error:
        raise ApplyError(f"{step.object}: {_said(error)} (while running: {' '.join(step.sql.split())}); correct the cause and apply "
                         "again: it goes on from there") from None
    done.extend(steps)


def _compare(connection: Connection[Any], capabilities: Capabilities, objects: Sequence[Object],
             options: Options) -> tuple[Plan, list[Comparison]]:
    fitting, left_out = capabilities.fit(objects, options.on_unsupported)
    comparisons = _weighed(connection, capabilities, _comparisons(connection, capabilities, fitting))
    found = plan_steps(comparisons, options.allow, left_out)
    warnings = [capabilities.explain_left_out(name) for name in left_out]
    if options.whole_schema:
        warnings += _undeclared(connection, objects)
    return replace(found, warnings=(*warnings, *found.warnings)), comparisons


def _comparisons(connection: Connection[Any], capabilities: Capabilities,
                 declared: Sequence[Object]) -> list[Comparison]:
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
        comparisons.append(Comparison(mine, settled, found_table, capabilities.server_version, capabilities.single_process))
    return comparisons


def _weighed(connection: Connection[Any], capabilities: Capabilities, comparisons: list[Comparison]) -> list[Comparison]:
    """The comparisons with the weight of the tables that differ: only those may get steps."""
    differing = [each.live.table for each in comparisons if each.live and _differs(each)]
    retention = {each.name: each.declared.retention for each in comparisons if each.declared.retention}
    weights = read_weights(connection, differing, retention, capabilities)
    return [replace(each, live=replace(each.live, weight=weights[each.name]))
            if each.live and each.name in weights else each for each in comparisons]


def _differs(comparison: Comparison) -> bool:
    live = comparison.present
    return live.table != comparison.wanted or bool(live.not_valid or live.invalid) or len(live.jobs) > 1


def _read(declared: Table, comparison: Comparison) -> Table | None:
    """The live table; parts that this server cannot have cannot differ either and are told as declared."""
    if comparison.live is None:
        return None
    found: Table = words.in_declared_words(comparison.declared, comparison.wanted, comparison.live.table)
    missing = [part for part in ("hypertable", "compression", "retention") if getattr(comparison.declared, part) is None]
    return replace(found, **{part: getattr(declared, part) for part in missing if getattr(declared, part) is not None})


def _undeclared(connection: Connection[Any], objects: Sequence[Object]) -> list[str]:
    found = []
    for schema in dict.fromkeys(each.schema for each in objects):
        names = [each.name for each in objects if each.schema == schema]
        found += [f"{name} is a table that is not declared and was left in place; declare it, or drop it yourself"
                  for name in read_undeclared(connection, names, schema)]
    return found


def _require_allowed(found: Plan, options: Options) -> None:
    refused = found.refused(options.allow)
    if refused:
        lines = [f"{step.object}: {', '.join(hazard for hazard in step.hazards if hazard not in options.allow)} is not allowed for: "
                 f"{step.render()}" for step in refused]
        names = sorted({hazard for step in refused for hazard in step.hazards if hazard not in options.allow})
        raise UnsafeChangeError("\n".join(lines) + f"; allow {', '.join(names)} by name, or change the declaration")


def _facts(comparison: Comparison, left_out: Sequence[str]) -> dict[str, Any]:
    """Plain facts of one table for the stack's outputs: none that changes with the data."""
    live = comparison.present
    facts: dict[str, Any] = {"hypertable": live.table.hypertable is not None}
    if live.table.hypertable:
        facts["chunk_interval"] = live.table.hypertable.chunk
    facts["policies"] = {job.procedure.removeprefix("policy_"): job.id for job in live.jobs}
    facts["left_out"] = [name for name in left_out if name.startswith(f"{comparison.name}.")]
    return facts


def _said(error: psycopg.Error) -> str:
    return " ".join((error.diag.message_primary or str(error)).split())
