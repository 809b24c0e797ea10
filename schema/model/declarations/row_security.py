"""Row-level security of a table, as frozen values; pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Policy:
    """A row-level security policy: rows are visible where `using` is true and may be written where `check` is true.

    `command` is all, select, insert, update or delete; a policy that is not `permissive` is restrictive.
    """

    name: str
    using: str | None = None
    check: str | None = None
    command: str = "all"
    roles: tuple[str, ...] = ("public",)
    permissive: bool = True
    comment: str | None = None


@dataclass(frozen=True)
class RowSecurity:
    """Row-level security, `forced` for the owner too; a table without a policy shows no rows."""

    policies: tuple[Policy, ...] = ()
    forced: bool = False
