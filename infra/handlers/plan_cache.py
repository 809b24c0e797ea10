"""A cache of one plan for the whole schema, which the calls that Pulumi makes for its resources share.

Planning fifty tables at once sends the server few more queries than planning one. So the first call of a command plans
them all, and an object that this plan does not touch needs no plan of its own. The cache is used until the first
change: from then on each object is planned alone. It is on only in Pulumi's plugin process, which lives as long as one
command; in a longer process somebody may change the database between two calls.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from infra.handlers.read_ahead import is_plugin
from schema import apply
from schema.comparison.compare import Options
from schema.connection import Address
from schema.errors import SchemaError, ServerUnreachableError
from schema.model.objects import Object

FRESH_SECONDS = 10.0


@dataclass(frozen=True)
class _WholePlan:
    """The result of planning everything: the objects with nothing to do, or the error of a server that is down."""

    read_at: float
    settled: frozenset[Object] = frozenset()
    unreachable: ServerUnreachableError | None = None


class PlanCache:
    """The whole plans of the last 10 seconds, by server and options; safe to call from several threads."""

    def __init__(self, *, enabled: bool) -> None:
        """Start empty; where not `enabled`, every object has to be planned alone."""
        self._enabled = enabled
        self._lock = threading.Lock()
        self._plans: dict[tuple[Address, Options], _WholePlan] = {}

    def is_settled(self, declared: Object, address: Address, options: Options, program: Sequence[Object]) -> bool:
        """Tell whether the object is known to need no change; False also where it has to be planned alone.

        Raises ServerUnreachableError.
        """
        with self._lock:
            if not self._enabled or declared not in program:
                return False
            plan = self._plans.get((address, options))
            if plan is None or time.monotonic() - plan.read_at > FRESH_SECONDS:
                plan = self._plans[address, options] = _plan_all(address, options, program)
        if plan.unreachable is not None:
            raise plan.unreachable
        return declared in plan.settled

    def stop(self) -> None:
        """Turn the cache off, before the database is changed."""
        with self._lock:
            self._enabled = False


def _plan_all(address: Address, options: Options, program: Sequence[Object]) -> _WholePlan:
    try:
        touched = {step.object for step in apply.plan(address, program, options=options).steps}
    except ServerUnreachableError as error:
        return _WholePlan(time.monotonic(), unreachable=error)
    except SchemaError:
        # One of the objects is wrong; its own plan reports the error.
        return _WholePlan(time.monotonic())
    return _WholePlan(time.monotonic(), frozenset(declared for declared in program if not _touches(touched, declared)))


def _touches(names: Collection[str], declared: Object) -> bool:
    """Whether one of the names is the object's own or that of a part of it."""
    return any(name == declared.full_name or name.startswith(f"{declared.full_name}.") for name in names)


CACHE = PlanCache(enabled=is_plugin())
