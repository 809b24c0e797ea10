"""Schemas with their rights, and what roles get of the objects that will be created in them; pure."""

from __future__ import annotations

from dataclasses import dataclass

from schema.errors import DeclarationError
from schema.model.declared import Declared


@dataclass(frozen=True)
class DefaultGrant:
    """What a role may do with objects that will be created in a schema: ALTER DEFAULT PRIVILEGES ... IN SCHEMA.

    `on` is "tables" (views and materialized views included), "sequences", "functions" or "types". It holds for what the
    role `by` creates; without one, for what this login creates. The role "public" is everybody.
    """

    to: str
    privileges: tuple[str, ...]
    on: str = "tables"
    by: str | None = None
    grantable: bool = False


@dataclass(frozen=True)
class Schema(Declared, kind="schema"):
    """A schema with comment, owner and grants. One that only has to exist need not be declared: objects bring theirs.

    `default_grants` are all default privileges in the schema; None leaves them as they are. `schema` is its own name.
    Raises DeclarationError where it is another.
    """

    name: str
    default_grants: tuple[DefaultGrant, ...] | None = None

    def __post_init__(self) -> None:
        if self.schema not in ("public", self.name):
            raise DeclarationError(f"{self.name}: a schema is in no schema, found schema={self.schema!r}; leave it out")
        object.__setattr__(self, "schema", self.name)

    @property
    def full_name(self) -> str:
        """The name alone."""
        return self.name
