"""Bodies of functions, checked when what they name exists; PostgreSQL would check them as they are created."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import Connection

from schema.catalog.queries import Row, rows
from schema.errors import ApplyError
from schema.model.change.step import Action, Hazard, Step
from schema.model.names import ident
from schema.model.sql_names import names_in
from schema.session import message

_ROUTINE = re.compile(r"\b(?:FUNCTION|PROCEDURE)\b")


@dataclass(frozen=True)
class Bodies:
    """The functions that a run has written and whose bodies name what does not exist yet, by oid.

    With `accepts`, all bodies are taken as they are. `awaited` are names that other runs of the same program create: a
    body may lack these also in the end.
    """

    connection: Connection[Any]
    awaited: frozenset[str] = frozenset()
    accepts: bool = False
    waiting: list[int] = field(default_factory=list)

    def check(self, steps: Sequence[Step], *, last: bool) -> list[int]:
        """Check the functions that these steps have written in this transaction, and those that wait; returns the ones
        that do not pass yet.

        Raises ApplyError that names all of them, one a line, after the last steps.
        """
        names = [step.object for step in steps if step.action in (Action.CREATE, Action.REPLACE)
                 and _ROUTINE.search(step.sql)
                 and not (self.accepts or Hazard.UNCHECKED_BODY in step.allowed)]
        written = [row["oid"] for row in rows(self.connection, "written_functions", names=names)] if names else []
        failing = self._failing([*self.waiting, *written])
        if last:
            failing = [(oid, name, reason) for oid, name, reason in failing if not self.awaited & names_in([reason])]
        if failing and last:
            raise ApplyError("\n".join(f"{name}: {reason}; correct its body, declare what it names, or allow "
                                       f"{Hazard.UNCHECKED_BODY}"
                                       for _, name, reason in failing))
        return [oid for oid, _, _ in failing]

    def _failing(self, oids: Iterable[int]) -> list[tuple[int, str, str]]:
        """(oid, full name, reason) of those whose body is refused."""
        asked = list(dict.fromkeys(oids))
        functions = rows(self.connection, "function_validators", oids=asked) if asked else []
        return [(row["oid"], row["name"], reason) for row in functions if (reason := self._refusal(row))]

    def _refusal(self, function: Row) -> str | None:
        """What the server says against the body, as the function runs; None where some caller's search path fits it."""
        reasons = []
        for path in _paths(function):
            try:
                with self.connection.transaction(force_rollback=True):
                    for entry in (*path, *function["settings"]):
                        name, _, value = entry.partition("=")
                        self.connection.execute("SELECT set_config(%s, %s, true)", [name, value])
                    self.connection.execute("SELECT set_config('check_function_bodies', 'on', true)")
                    self.connection.execute(function["check"].encode())
            except psycopg.Error as error:
                reasons.append(message(error))
            else:
                return None
        return reasons[0]


def _paths(function: Row) -> Iterator[tuple[str, ...]]:
    """Search paths under which it may be called: this session's, its own schema's, the login's other sessions'."""
    yield ()
    if not any(entry.startswith("search_path=") for entry in function["settings"]):
        yield (f"search_path={ident(function['schema'])}, public",)
        yield (f"search_path={function['search_path']}",)
