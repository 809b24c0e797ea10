"""Step: one change to the database as data, with its reason, its hazards and how it is to be run."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Hazard(StrEnum):
    """Possible damage of a step; it is refused unless this name is allowed."""

    DROPS_TABLE = "drops_table"
    DROPS_COLUMN = "drops_column"
    DROPS_INDEX = "drops_index"
    DROPS_CONSTRAINT = "drops_constraint"
    DROPS_AGGREGATE = "drops_aggregate"
    DROPS_VIEW = "drops_view"
    DROPS_MATERIALIZED_VIEW = "drops_materialized_view"
    DROPS_FUNCTION = "drops_function"
    DROPS_AGGREGATE_FUNCTION = "drops_aggregate_function"
    DROPS_TYPE = "drops_type"
    DROPS_DOMAIN = "drops_domain"
    DROPS_COMPOSITE_TYPE = "drops_composite_type"
    DROPS_SEQUENCE = "drops_sequence"
    DROPS_COLLATION = "drops_collation"
    DROPS_EXTENSION = "drops_extension"
    DROPS_SCHEMA = "drops_schema"
    DROPS_TRIGGER = "drops_trigger"
    DROPS_POLICY = "drops_policy"
    DROPS_JOB = "drops_job"
    DROPS_STATISTICS = "drops_statistics"
    WITHOUT_BACKUP = "without_backup"
    DELETES_DATA = "deletes_data"
    CHANGES_VALUES = "changes_values"
    REWRITES_TABLE = "rewrites_table"
    BLOCKS_WRITES = "blocks_writes"
    LOSES_HISTORY = "loses_history"
    UNCHECKED_BODY = "unchecked_body"


class Action(StrEnum):
    """The effect of a step on its object; `replace` drops and creates it, or puts a new one in its place."""

    CREATE = "create"
    ALTER = "alter"
    RENAME = "rename"
    REPLACE = "replace"
    VALIDATE = "validate"
    COMPUTE = "compute"
    COMMENT = "comment"
    DROP = "drop"


class Transaction(StrEnum):
    """How a step is run: in one transaction with its neighbours, in its own, or outside any."""

    SHARED = "shared"
    OWN = "own"
    NONE = "none"


class Sort(StrEnum):
    """The sort of thing that a step takes away: a column's type where it gets another, a row where rows change."""

    CONSTRAINT = "constraint"
    INDEX = "index"
    COLUMN = "column"
    ATTRIBUTE = "attribute"
    TYPE = "type"
    ROW = "row"
    RELATION = "relation"
    SEQUENCE = "sequence"


@dataclass(frozen=True)
class Removed:
    """What a step takes away of a relation (full name), or the relation or its row itself (no name).

    A sequence is its column's. A column's type becomes `into`.
    """

    sort: Sort
    relation: str
    name: str = ""
    into: str = ""


@dataclass(frozen=True)
class Step:
    """One SQL statement that changes `object` towards its declaration.

    `cost` describes for people how much is affected. `allowed` are the hazards that the object itself allows. `drops`
    are the full names of the views that the step drops because they block it, also where it creates them again itself.
    A `heavy` step reads or writes so much that standbys may lag. A `first` step runs before those of all objects, a
    `last` one after them, those of later objects first; a `later` one before those, when all objects exist.
    `locks_first` are LOCK TABLE statements for the other tables that the step locks. `rights` tells that it gives or
    revokes rights, or changes the owner. `removes` is what the step takes away, also where it puts
    another in its place.
    """

    action: Action
    object: str
    sql: str
    why: str
    hazards: tuple[Hazard, ...] = ()
    transaction: Transaction = Transaction.SHARED
    cost: str = ""
    allowed: tuple[str, ...] = ()
    heavy: bool = False
    first: bool = False
    last: bool = False
    later: bool = False
    drops: tuple[str, ...] = ()
    locks_first: tuple[str, ...] = ()
    rights: bool = False
    removes: tuple[Removed, ...] = ()

    def refused(self, allowed: Collection[str]) -> list[Hazard]:
        """List the hazards that neither the object nor the caller allows."""
        return [hazard for hazard in self.hazards if hazard not in allowed and hazard not in self.allowed]

    @property
    def transactional(self) -> bool:
        """Whether the statement can be rolled back."""
        return self.transaction is not Transaction.NONE

    def render(self, allowed: Collection[str] | None = None) -> str:
        """Return the step as one line: SQL, reason, cost, hazards; with `allowed`, refused hazards are marked."""
        refused = [] if allowed is None else self.refused(allowed)
        notes = [self.why, *([self.cost] if self.cost else []),
                 *(f"hazard: {hazard}{', REFUSED until it is allowed' if hazard in refused else ''}"
                   for hazard in self.hazards)]
        return f"{' '.join(self.sql.split())};  -- {'; '.join(notes)}"


def split_allowed(drops: Sequence[Step], allowed: Collection[str]) -> tuple[list[Step], list[str]]:
    """Return the drops of what nobody declares whose hazards are allowed, and a warning for each of the others."""
    steps = [step for step in drops if not step.refused(allowed)]
    return steps, [f"{step.object} is not declared and was left in place; declare it, or allow {step.hazards[0]} to "
                   "drop it" for step in drops if step not in steps]
