"""A warning about a declaration that works but is likely a mistake."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Lint(StrEnum):
    """Names of warnings, by which an object can allow its own."""

    REDUNDANT_INDEX = "redundant_index"
    UNINDEXED_FOREIGN_KEY = "unindexed_foreign_key"
    REFRESHES_COLUMNSTORE = "refreshes_columnstore"
    UNDECLARED_FUNCTION = "undeclared_function"
    UNDECLARED_TABLE = "undeclared_table"
    RETENTION_BLOCKED = "retention_blocked"
    VIEW_ON_INTERNALS = "view_on_internals"
    LATE_ROWS = "late_rows"


@dataclass(frozen=True)
class Finding:
    """One warning: the full name of the `object` that may allow it, the part concerned, and the text."""

    name: Lint
    object: str
    part: str
    text: str

    def render(self) -> str:
        """Return the warning as one line, with how to allow it."""
        return f"{self.object}.{self.part}: {self.text}, or allow {self.name} on {self.object}"
