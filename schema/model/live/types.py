"""Live domains, composite types and collations, with what planning has to know beside them; pure values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar

from schema.model.live.objects import Rights
from schema.model.objects import Declared

T = TypeVar("T", bound=Declared)


@dataclass(frozen=True)
class TypeColumn:
    """A table's column that holds values of a type; `filled` is whether the table may have rows, `compressed` whether
    some of them are in the columnstore."""

    table: str
    column: str
    filled: bool
    compressed: bool

    @property
    def name(self) -> str:
        """The column with its table, as people write it."""
        return f"{self.table}.{self.column}"


@dataclass(frozen=True)
class LiveType(Generic[T]):
    """A live domain, composite type or collation. `columns` hold values of it, `dependants` keep it from being dropped
    (as the catalog describes them), `not_valid` are checks that were never validated."""

    object: T
    rights: Rights = field(default_factory=Rights)
    columns: tuple[TypeColumn, ...] = ()
    dependants: tuple[str, ...] = ()
    not_valid: frozenset[str] = frozenset()

    @property
    def filled(self) -> bool:
        """Whether rows may hold values of the type."""
        return any(column.filled for column in self.columns)
