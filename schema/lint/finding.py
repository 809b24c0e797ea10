"""Something in a declaration that works and had better be otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Lint(StrEnum):
    """The names of findings, by which an object allows one of its own."""

    REDUNDANT_INDEX = "redundant_index"
    UNINDEXED_FOREIGN_KEY = "unindexed_foreign_key"
    REFRESHES_COLUMNSTORE = "refreshes_columnstore"
    UNDECLARED_FUNCTION = "undeclared_function"
    UNDECLARED_TABLE = "undeclared_table"


@dataclass(frozen=True)
class Finding:
    """One finding: the full name of the `object` that may allow it, the part that it is about, and what is said."""

    name: Lint
    object: str
    part: str
    text: str

    def render(self) -> str:
        """The finding as one line with the way to keep things as they are."""
        return f"{self.object}.{self.part}: {self.text}, or allow {self.name} on {self.object}"
