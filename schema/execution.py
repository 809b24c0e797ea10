"""Run the steps of a plan on one connection: in transactions, after standbys that lag, again where a lock is met."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, TypeVar

import psycopg
from psycopg import Connection
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from schema.catalog.replicas import await_replicas
from schema.comparison.declaration import Options
from schema.errors import ApplyError, UnsafeChangeError
from schema.model.step import Step, Transaction
from schema.planning.plan import Plan
from schema.session import lock_several

# A step that met a lock, or a deadlock that the server broke: a new plan may well succeed.
PASSING = (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure)

T = TypeVar("T")
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Run:
    """One call of `ensure` or `drop` on its connection, and the steps that it has done so far."""

    connection: Connection[Any]
    options: Options
    progress: Progress
    done: list[Step] = field(default_factory=list)

    def retry(self, attempt: Callable[[], T]) -> T:
        """Call `attempt` until it meets no lock; ApplyError after the last attempt."""
        retrying = Retrying(stop=stop_after_attempt(self.options.attempts), wait=wait_random_exponential(0.2, max=5),
                            retry=retry_if_exception_type(PASSING), reraise=True)
        try:
            return retrying(attempt)
        except PASSING as error:
            raise ApplyError(f"{self.connection.info.dbname}: a lock was still held after {self.options.attempts} "
                             f"attempts: {_message(error)}; end the transaction that holds it, or raise lock_timeout"
                             ) from None

    def execute(self, plan: Plan) -> None:
        """Run the steps of a plan; nothing is run where a hazard is not allowed or where a reviewed plan was another.

        Raises UnsafeChangeError, ApplyError.
        """
        self._require_reviewed(plan)
        _require_allowed(plan, self.options)
        for transaction, steps in groupby(plan.steps, key=lambda step: step.transaction):
            if transaction is Transaction.SHARED:
                self._execute_together(list(steps))
            else:
                for step in steps:
                    self._execute_together([step])

    def _require_reviewed(self, plan: Plan) -> None:
        reviewed = self.options.fingerprint
        if reviewed is not None and not self.done and plan.fingerprint != reviewed:
            raise UnsafeChangeError(f"{self.connection.info.dbname}: the reviewed plan is {reviewed}, today's is "
                                    f"{plan.fingerprint}: the database has moved since; review the new plan")

    def _execute_together(self, steps: Sequence[Step]) -> None:
        """Run steps in one transaction; a step that cannot be in a transaction comes alone."""
        running = steps[0]
        if any(step.heavy for step in steps):
            await_replicas(self.connection, self.options.max_replica_lag, self.options.lag_wait_seconds, self.progress)
        try:
            if not running.transactional:
                self._execute_step(running)
            else:
                with self.connection.transaction():
                    for running in steps:
                        self._execute_step(running)
        except PASSING:
            raise
        except psycopg.Error as error:
            raise ApplyError(f"{running.object}: {_message(error)} (while running: {' '.join(running.sql.split())}); "
                             "correct the cause and apply again: it goes on from there") from None
        self.done.extend(steps)

    def _execute_step(self, step: Step) -> None:
        self.progress(step.render())
        if step.locks_first:
            lock_several(self.connection, step.locks_first)
        self.connection.execute(step.sql.encode())


def _require_allowed(plan: Plan, options: Options) -> None:
    """Raise UnsafeChangeError that names every step with a hazard that is not allowed."""
    refused = {step: step.refused(options.allow) for step in plan.refused(options.allow)}
    if refused:
        lines = [f"{step.object}: {', '.join(hazards)} is not allowed for: {step.render()}"
                 for step, hazards in refused.items()]
        names = ", ".join(sorted({hazard for hazards in refused.values() for hazard in hazards}))
        raise UnsafeChangeError("\n".join(lines) + f"; allow {names} by name, or change the declaration")


def _message(error: psycopg.Error) -> str:
    return " ".join((error.diag.message_primary or str(error)).split())
