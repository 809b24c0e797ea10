"""One look at everything that the program declares, shared by the calls that Pulumi makes for each of its resources.

Planning fifty tables at once asks the server little more than planning one. So the first call of a command plans them
all, and the resources that the plan does not touch need no plan of their own, as long as nobody here has changed
anything: from the first change on each object is planned alone. Only the plugin process does so, which lives as long as
one command; elsewhere somebody may have changed the database between two calls.
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
class _Look:
    """What planning everything at once found: the objects with nothing to do, or that the server does not answer."""

    when: float
    settled: frozenset[Object] = frozenset()
    unreachable: ServerUnreachableError | None = None


class SharedLook:
    """The looks of the last seconds, one for each set of options. Calls that come during one wait for it."""

    def __init__(self, *, sharing: bool) -> None:
        self._sharing = sharing
        self._lock = threading.Lock()
        self._looks: dict[tuple[Address, Options], _Look] = {}

    def finds_settled(self, declared: Object, address: Address, options: Options, program: Sequence[Object]) -> bool:
        """Whether the object has nothing to do; False, too, where it has to be planned alone to know.

        Raises ServerUnreachableError.
        """
        with self._lock:
            if not self._sharing or declared not in program:
                return False
            look = self._looks.get((address, options))
            if look is None or time.monotonic() - look.when > FRESH_SECONDS:
                look = self._looks[address, options] = _look(address, options, program)
        if look.unreachable is not None:
            raise look.unreachable
        return declared in look.settled

    def stop(self) -> None:
        """Share no more: something is about to change."""
        with self._lock:
            self._sharing = False


def _look(address: Address, options: Options, program: Sequence[Object]) -> _Look:
    try:
        touched = {step.object for step in apply.plan(address, program, options=options).steps}
    except ServerUnreachableError as error:
        return _Look(time.monotonic(), unreachable=error)
    except SchemaError:
        # One of them is wrong, which its own plan will say.
        return _Look(time.monotonic())
    return _Look(time.monotonic(), frozenset(each for each in program if not _touches(touched, each)))


def _touches(names: Collection[str], each: Object) -> bool:
    """Whether one of the names is the object's or a part's of it."""
    return any(name == each.full_name or name.startswith(f"{each.full_name}.") for name in names)


SHARED = SharedLook(sharing=is_plugin())
