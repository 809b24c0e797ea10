"""Make the live schema the declared one: lock, read, plan, execute, read again, prove that nothing is left to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, TypeVar

import psycopg
from psycopg import Connection
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from schema.capabilities import Capabilities
from schema.catalog import read_capabilities, read_tables
from schema.compare import Options, compare, compare_and_plan, read_back
from schema.connection import Address
from schema.errors import ApplyError, UnsafeChangeError, VerifyError
from schema.kinds import table as table_kind
from schema.lint import lint
from schema.live import Comparison
from schema.objects import Object, Table
from schema.plan import Plan
from schema.session import only_changer, prepare
from schema.step import Step, Transaction

APPLICATION = "lifecompanion schema"
DEFAULTS = Options()
# A step that met a lock, or a deadlock that the server broke: what is planned anew may well succeed.
PASSING = (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure)

T = TypeVar("T")
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Applied:
    """What was done, and plain facts by table name that stay the same while nothing changes."""

    steps: tuple[Step, ...]
    facts: dict[str, dict[str, Any]]
    warnings: tuple[str, ...]


def plan(address: Address, objects: Sequence[Object], *, options: Options = DEFAULTS) -> Plan:
    """What `ensure` would do now. Reads only; what it creates to compare is rolled back."""
    lint(objects)
    with _connected(address, options) as (connection, capabilities):
        return compare_and_plan(connection, capabilities, objects, options)[0]


def read(address: Address, objects: Sequence[Object], *, options: Options = DEFAULTS) -> list[Object | None]:
    """The live objects in the order given, in the declared words where they mean the same; None where absent."""
    lint(objects)
    with _connected(address, options) as (connection, capabilities):
        fitting, _ = capabilities.fit(objects, "skip")
        comparisons = compare(connection, capabilities, fitting)
    return [read_back(declared, each) for declared, each in zip(objects, comparisons, strict=True)]


def ensure(address: Address, objects: Sequence[Object], *, options: Options = DEFAULTS,
           progress: Progress | None = None) -> Applied:
    """Make the live objects the declared ones; does nothing where they are. Proves it before it returns.

    Raises UnsafeChangeError (a hazard is not allowed; nothing was done), ApplyError (a step failed; the steps before
    it stand, and a new run goes on from there), VerifyError, UnsupportedError, DeclarationError.
    """
    lint(objects)
    with _connected(address, options) as (connection, capabilities), only_changer(connection, options.wait_seconds):
        run = _Run(connection, options, progress or (lambda _: None))
        left, comparisons = run.retried(lambda: _pass(run, capabilities, objects))
        if run.done:
            left, comparisons = compare_and_plan(connection, capabilities, objects, options)
    if left.steps:
        raise VerifyError(f"{left.steps[0].object}: still differs after applying ({left.steps[0].render()}); something "
                          "else changes it, or the server does not keep it: plan again and compare")
    return Applied(tuple(run.done), {each.name: _facts(each, left.left_out) for each in comparisons}, left.warnings)


def drop(address: Address, table: Table, *, options: Options = DEFAULTS) -> bool:
    """Drop the table with its rows and policies; False where there is none. Needs the hazard drops_table allowed."""
    with _connected(address, options) as (connection, capabilities), only_changer(connection, options.wait_seconds):
        if not read_tables(connection, [table.name], capabilities, schema=table.schema):
            return False
        step = table_kind.drop_step(table, "nobody declares the table")
        _require_allowed(Plan((step,)), options)
        run = _Run(connection, options, lambda _: None)
        run.retried(lambda: run.execute([step]))
    return True


@contextmanager
def _connected(address: Address, options: Options) -> Iterator[tuple[Connection[Any], Capabilities]]:
    with address.connect(application_name=APPLICATION) as connection:
        capabilities = read_capabilities(connection)
        capabilities.require_usable()
        prepare(connection, capabilities, options.lock_timeout, options.statement_timeout)
        yield connection, capabilities


@dataclass(frozen=True)
class _Run:
    """One call of `ensure` or `drop` on its connection, and the steps it has done so far."""

    connection: Connection[Any]
    options: Options
    progress: Progress
    done: list[Step] = field(default_factory=list)

    def retried(self, attempt: Callable[[], T]) -> T:
        """Call until no lock is met; ApplyError after the last attempt."""
        retrying = Retrying(stop=stop_after_attempt(self.options.attempts), wait=wait_random_exponential(0.2, max=5),
                            retry=retry_if_exception_type(PASSING), reraise=True)
        try:
            return retrying(attempt)
        except PASSING as error:
            raise ApplyError(f"{self.connection.info.dbname}: a lock was still held after {self.options.attempts} "
                             f"attempts: {_said(error)}; end the transaction that holds it, or raise lock_timeout"
                             ) from None

    def execute(self, steps: Sequence[Step]) -> None:
        """Run steps in one transaction; a step that cannot be in one comes alone."""
        running = steps[0]
        try:
            if not running.transactional:
                self._one(running)
            else:
                with self.connection.transaction():
                    for running in steps:
                        self._one(running)
        except PASSING:
            raise
        except psycopg.Error as error:
            raise ApplyError(f"{running.object}: {_said(error)} (while running: {' '.join(running.sql.split())}); "
                             "correct the cause and apply again: it goes on from there") from None
        self.done.extend(steps)

    def _one(self, step: Step) -> None:
        self.progress(step.render())
        self.connection.execute(step.sql.encode())


def _pass(run: _Run, capabilities: Capabilities, objects: Sequence[Object]) -> tuple[Plan, list[Comparison]]:
    """Read, plan and execute once; returns what was planned."""
    found, comparisons = compare_and_plan(run.connection, capabilities, objects, run.options)
    reviewed = run.options.fingerprint
    if reviewed is not None and not run.done and found.fingerprint != reviewed:
        raise UnsafeChangeError(f"{run.connection.info.dbname}: the reviewed plan is {reviewed}, today's is "
                                f"{found.fingerprint}: the database has moved since; review the new plan")
    _require_allowed(found, run.options)
    for transaction, steps in groupby(found.steps, key=lambda step: step.transaction):
        if transaction is Transaction.SHARED:
            run.execute(list(steps))
        else:
            for step in steps:
                run.execute([step])
    return found, comparisons


def _require_allowed(found: Plan, options: Options) -> None:
    refused = {step: [hazard for hazard in step.hazards if hazard not in options.allow]
               for step in found.refused(options.allow)}
    if refused:
        lines = [f"{step.object}: {', '.join(hazards)} is not allowed for: {step.render()}"
                 for step, hazards in refused.items()]
        names = ", ".join(sorted({hazard for hazards in refused.values() for hazard in hazards}))
        raise UnsafeChangeError("\n".join(lines) + f"; allow {names} by name, or change the declaration")


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
