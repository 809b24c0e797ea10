"""Step: one change to the database as data, with its reason, its hazards and how it has to be run."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum


class Hazard(StrEnum):
    """What a step may cost; each is refused unless allowed by this very name."""

    DROPS_TABLE = "drops_table"
    DROPS_COLUMN = "drops_column"
    DROPS_INDEX = "drops_index"
    DROPS_CONSTRAINT = "drops_constraint"
    DROPS_AGGREGATE = "drops_aggregate"
    DROPS_VIEW = "drops_view"
    DROPS_FUNCTION = "drops_function"
    DROPS_TYPE = "drops_type"
    DROPS_TRIGGER = "drops_trigger"
    DROPS_POLICY = "drops_policy"
    DROPS_JOB = "drops_job"
    DROPS_STATISTICS = "drops_statistics"
    WITHOUT_BACKUP = "without_backup"
    DELETES_DATA = "deletes_data"
    REWRITES_TABLE = "rewrites_table"
    BLOCKS_WRITES = "blocks_writes"
    LOSES_HISTORY = "loses_history"


class Action(StrEnum):
    """What a step does to its object; `replace` drops it and makes it anew, or puts a new one in its place."""

    CREATE = "create"
    ALTER = "alter"
    RENAME = "rename"
    REPLACE = "replace"
    VALIDATE = "validate"
    COMPUTE = "compute"
    COMMENT = "comment"
    DROP = "drop"


class Transaction(StrEnum):
    """How a step is run: with its neighbours in one transaction, in one of its own, or outside of any."""

    SHARED = "shared"
    OWN = "own"
    NONE = "none"


@dataclass(frozen=True)
class Step:
    """One SQL statement that brings `object` nearer to its declaration; `cost` says what is touched, for people.

    `drops` are the full names of the views in its way that it drops, whether or not it makes them again itself.
    `allowed` are the hazards that the object itself allows. A `heavy` step writes or reads so much that standbys may
    fall behind. What is `last` runs after all other steps, that of later objects first. `locks_first` are LOCK TABLE
    statements for the other tables that it locks.
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
    last: bool = False
    drops: tuple[str, ...] = ()
    locks_first: tuple[str, ...] = ()

    def refused(self, allowed: Collection[str]) -> list[Hazard]:
        """The hazards that neither the object nor the caller allows."""
        return [hazard for hazard in self.hazards if hazard not in allowed and hazard not in self.allowed]

    @property
    def transactional(self) -> bool:
        """Whether the statement can be rolled back."""
        return self.transaction is not Transaction.NONE

    def render(self, allowed: Collection[str] | None = None) -> str:
        """The step as one line of text: SQL, then why, cost and hazards; told what is allowed, with those refused."""
        refused = [] if allowed is None else self.refused(allowed)
        notes = [self.why, *([self.cost] if self.cost else []),
                 *(f"hazard: {hazard}{', REFUSED until it is allowed' if hazard in refused else ''}"
                   for hazard in self.hazards)]
        return f"{' '.join(self.sql.split())};  -- {'; '.join(notes)}"
