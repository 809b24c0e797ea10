"""Run the steps of a plan on one connection, in transactions; heavy steps wait for standbys that lag."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import psycopg
from psycopg import Connection

from schema.catalog.replicas import await_replicas
from schema.comparison.declaration import Options
from schema.errors import ApplyError, UnsafeChangeError
from schema.execution.bodies import Bodies
from schema.execution.guard import Guard
from schema.model.change.step import Step, Transaction
from schema.planning.plan import Plan
from schema.session import PASSING, lock_several, message

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Run:
    """One call of `ensure` or `drop` on its connection, and the steps that it has done so far."""

    connection: Connection[Any]
    options: Options
    progress: Progress
    guard: Guard
    bodies: Bodies
    done: list[Step] = field(default_factory=list)

    def execute(self, plan: Plan) -> None:
        """Run the steps of a plan; nothing is run where a hazard is not allowed or where a reviewed plan was another.

        Raises UnsafeChangeError, ApplyError.
        """
        self._require_reviewed(plan)
        _require_allowed(plan, self.options)
        together = list(_transactions(plan.steps))
        for number, steps in enumerate(together, start=1):
            self._execute_together(steps, last=number == len(together))

    def _require_reviewed(self, plan: Plan) -> None:
        reviewed = self.options.fingerprint
        if reviewed is not None and not self.done and plan.fingerprint != reviewed:
            raise UnsafeChangeError(f"{self.connection.info.dbname}: the reviewed plan is {reviewed}, today's is "
                                    f"{plan.fingerprint}: the database has moved since; review the new plan")

    def _execute_together(self, steps: Sequence[Step], *, last: bool) -> None:
        """Run steps in one transaction; a step that cannot be in a transaction comes alone. After the `last` ones, all
        bodies of functions that the run has written must pass."""
        running = steps[0]
        if any(step.heavy for step in steps):
            await_replicas(self.connection, self.options.max_replica_lag, self.options.lag_wait_seconds, self.progress)
        try:
            if not running.transactional:
                with self.guard.watch(steps):
                    self._execute_step(running)
                waiting = self.bodies.check((), last=last)
            else:
                with self.connection.transaction(), self.guard.watch(steps):
                    for running in steps:
                        self._execute_step(running)
                    waiting = self.bodies.check(steps, last=last)
        except PASSING:
            raise
        except psycopg.Error as error:
            raise ApplyError(f"{running.object}: {message(error)} (while running: {' '.join(running.sql.split())}); "
                             "correct the cause and apply again: it goes on from there") from None
        self.bodies.waiting[:] = waiting
        self.done.extend(steps)

    def _execute_step(self, step: Step) -> None:
        self.progress(step.render())
        if step.locks_first:
            lock_several(self.connection, step.locks_first)
        self.connection.execute(step.sql.encode())


def _transactions(steps: Sequence[Step]) -> Iterator[list[Step]]:
    """The steps that are run together, in their order."""
    for transaction, neighbours in groupby(steps, key=lambda step: step.transaction):
        if transaction is Transaction.SHARED:
            yield list(neighbours)
        else:
            yield from ([step] for step in neighbours)


def _require_allowed(plan: Plan, options: Options) -> None:
    """Raise UnsafeChangeError that names every step with a hazard that is not allowed."""
    refused = {step: step.refused(options.allow) for step in plan.refused(options.allow)}
    if refused:
        lines = [f"{step.object}: {', '.join(hazards)} is not allowed for: {step.render()}"
                 for step, hazards in refused.items()]
        names = ", ".join(sorted({hazard for hazards in refused.values() for hazard in hazards}))
        raise UnsafeChangeError("\n".join(lines) + f"; allow {names} by name, or change the declaration")
