"""Make the live schema the declared one: lock, read, plan, execute, read again, prove that nothing is left to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any, TypeVar

import psycopg
from psycopg import Connection
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from schema.capabilities import Capabilities
from schema.catalog.queries import read_capabilities
from schema.catalog.readers import undeclared
from schema.catalog.replicas import await_replicas
from schema.comparison.compare import Options, Side, compare, compare_and_plan
from schema.connection import Address
from schema.errors import ApplyError, UnsafeChangeError, VerifyError
from schema.kinds import undeclared as undeclared_kind
from schema.lint import lint
from schema.model.live import Compared, LiveTable
from schema.model.objects import Function, Job, Object
from schema.model.step import Step, Transaction
from schema.planning.plan import Plan
from schema.session import lock_several, only_changer, prepare

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


def plan(address: Address, objects: Sequence[Object], *, options: Options = DEFAULTS,
         context: Sequence[Object] = ()) -> Plan:
    """What `ensure` would do now. Reads only; what it creates to compare is rolled back.

    `context` is what else the program declares: what the objects stand on may not be there yet.
    """
    lint(objects)
    with _connected(address, options) as (connection, capabilities):
        return compare_and_plan(connection, Side(capabilities, objects, options, context))[0]


def read(address: Address, objects: Sequence[Object], *, options: Options = DEFAULTS,
         context: Sequence[Object] = ()) -> list[Object | None]:
    """The live objects in the order given, in the declared words where they mean the same; None where absent."""
    lint(objects)
    with _connected(address, options) as (connection, capabilities):
        side = Side(capabilities, objects, replace(options, on_unsupported="skip"), context)
        return side.read_back(compare(connection, side))


def ensure(address: Address, objects: Sequence[Object], *, options: Options = DEFAULTS,
           progress: Progress | None = None, context: Sequence[Object] = ()) -> Applied:
    """Make the live objects the declared ones; does nothing where they are. Proves it before it returns.

    Raises UnsafeChangeError (a hazard is not allowed; nothing was done), ApplyError (a step failed; the steps before
    it stand, and a new run goes on from there), VerifyError, UnsupportedError, DeclarationError.
    """
    lint(objects)
    with _connected(address, options) as (connection, capabilities), only_changer(connection, options.wait_seconds):
        run = _Run(connection, options, progress or (lambda _: None))
        side = Side(capabilities, objects, options, context)
        left, comparisons = run.retried(lambda: _pass(run, side))
        if run.done:
            left, comparisons = compare_and_plan(connection, side)
    if left.steps:
        raise VerifyError(f"{left.steps[0].object}: still differs after applying ({left.steps[0].render()}); something "
                          "else changes it, or the server does not keep it: plan again and compare")
    return Applied(tuple(run.done), _all_facts(comparisons, side), left.warnings)


def drop(address: Address, declared: Object, *, options: Options = DEFAULTS) -> bool:
    """Drop the object with all that hangs on it; False where there is none.

    Needs its hazard allowed, such as drops_table; for a table with rows that no verified backup holds, also
    without_backup. Raises UnsafeChangeError (also for what is protected), ApplyError (something else stands on it).
    """
    if declared.full_name in options.protect:
        raise UnsafeChangeError(f"{declared.full_name}: protected, so it is not dropped; take it off the protected "
                                "names first")
    with _connected(address, options) as (connection, capabilities), only_changer(connection, options.wait_seconds):
        found = undeclared.of(connection, capabilities, declared, undeclared_kind.TYPES)
        if len(found) > 1 and isinstance(declared, Function):
            # Others of its name are somebody else's.
            same = compare(connection, Side(capabilities, [declared], options))[0].live
            found = [each for each in found if same and each.signature == f"{declared.name}({same.signature})"]
        if not found:
            return False
        steps = [replace(undeclared_kind.drop_step(each, backed_up=options.backed_up), allowed=declared.allow)
                 for each in found[:None if isinstance(declared, Job) else 1]]
        _require_allowed(Plan(tuple(steps)), options)
        run = _Run(connection, options, lambda _: None)
        run.retried(lambda: run.execute(steps))
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
        if any(step.heavy for step in steps):
            await_replicas(self.connection, self.options.max_replica_lag, self.options.lag_wait_seconds, self.progress)
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
        if step.locks_first:
            lock_several(self.connection, step.locks_first)
        self.connection.execute(step.sql.encode())


def _pass(run: _Run, side: Side) -> tuple[Plan, list[Compared[Any, Any]]]:
    """Read, plan and execute once; returns what was planned."""
    found, comparisons = compare_and_plan(run.connection, side)
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
    refused = {step: step.refused(options.allow) for step in found.refused(options.allow)}
    if refused:
        lines = [f"{step.object}: {', '.join(hazards)} is not allowed for: {step.render()}"
                 for step, hazards in refused.items()]
        names = ", ".join(sorted({hazard for hazards in refused.values() for hazard in hazards}))
        raise UnsafeChangeError("\n".join(lines) + f"; allow {names} by name, or change the declaration")


def _all_facts(comparisons: Sequence[Compared[Any, Any]], side: Side) -> dict[str, dict[str, Any]]:
    """Plain facts of every object for the stack's outputs: none that changes with the data."""
    found = {each.name: _facts(each) for each in comparisons}
    for each in side.objects:
        missing = [name for name in side.left_out if name == each.full_name or name.startswith(f"{each.full_name}.")]
        found[each.full_name] = {**found.get(each.full_name, {}), "left_out": missing}
    return found


def _facts(comparison: Compared[Any, Any]) -> dict[str, Any]:
    live = comparison.present
    facts: dict[str, Any] = {}
    if isinstance(live, LiveTable):
        facts["hypertable"] = live.table.hypertable is not None
        if live.table.hypertable:
            facts["chunk_interval"] = live.table.hypertable.chunk
    jobs = getattr(live, "jobs", ())
    facts["policies"] = {job.procedure.removeprefix("policy_"): job.id for job in jobs}
    return facts


def _said(error: psycopg.Error) -> str:
    return " ".join((error.diag.message_primary or str(error)).split())
