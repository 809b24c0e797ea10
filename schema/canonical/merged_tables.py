"""Tables merged into as few as their columns allow, so that the server puts all their expressions into words at once.

An expression's words depend on the names and types of the columns alone. Tables whose columns of one name are of one
type can therefore share one scratch table, however many they are; pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from schema.kinds import index
from schema.model.objects import Check, Column, Index, Table

# PostgreSQL takes 1,600 columns; a group that is full is followed by another.
WIDEST = 1200


@dataclass
class Group:
    """One merged table in the making: its columns by name, and whose expressions it holds under which names."""

    name: str
    schema: str = "public"
    columns: dict[str, Column] = field(default_factory=dict)
    checks: dict[str, str] = field(default_factory=dict)
    indexes: dict[Index, str] = field(default_factory=dict)
    tables: list[Table] = field(default_factory=list)

    def takes(self, columns: Sequence[Column]) -> bool:
        """Whether a table with these columns can be merged into the group."""
        new = [each for each in columns if self.columns.get(each.name, each) == each]
        return len(new) == len(columns) and len(self.columns) + len(columns) <= WIDEST

    def add(self, each: Table, columns: Sequence[Column]) -> None:
        """Merge a table that the group takes."""
        self.tables.append(each)
        self.columns.update({column.name: column for column in columns})
        for check in each.checks:
            self.checks.setdefault(check.expression, f"c{len(self.checks)}")
        for one in expressions(each):
            self.indexes.setdefault(nameless(one), f"{self.name}_i{len(self.indexes)}")

    @property
    def table(self) -> Table:
        """The merged table."""
        return Table(self.name, tuple(self.columns.values()), schema=self.schema,
                     checks=tuple(Check(name, text) for text, name in self.checks.items()),
                     indexes=tuple(replace(each, name=name) for each, name in self.indexes.items()))

    def words(self, each: Table, made: Table) -> Table:
        """A table of the group with its expressions in the words of the merged table that was made."""
        checks = {check.name: check.expression for check in made.checks}
        indexes = {one.name: one for one in made.indexes}
        generated = {column.name: column.generated for column in made.columns}

        def in_words(one: Index) -> Index:
            found = index.plain(one)
            if found is None:
                found = replace(indexes[self.indexes[nameless(one)]], name=one.name, comment=one.comment)
            return found

        return replace(
            each, checks=tuple(replace(check, expression=checks[self.checks[check.expression]])
                               for check in each.checks),
            columns=tuple(replace(column, generated=generated[column.name]) if column.generated else column
                          for column in each.columns),
            indexes=tuple(in_words(one) for one in each.indexes))


def just(each: Table) -> Group:
    """A group of one table, under its own name."""
    group = Group(each.name, each.schema)
    group.add(each, [Column(column.name, column.type, generated=column.generated) for column in each.columns])
    return group


def merge(tables: Iterable[Table]) -> list[Group]:
    """The tables that have expressions, in as few groups as their columns allow."""
    groups: list[Group] = []
    for each in tables:
        if not has_expressions(each):
            continue
        columns = [Column(column.name, column.type, generated=column.generated) for column in each.columns]
        group = next((one for one in groups if one.takes(columns)), None)
        if group is None:
            group = Group(f"merged_{len(groups)}")
            groups.append(group)
        group.add(each, columns)
    return groups


def has_expressions(each: Table) -> bool:
    """Whether checks, generated columns or indexes need the server's words."""
    return bool(each.checks or expressions(each) or any(column.generated for column in each.columns))


def expressions(each: Table) -> list[Index]:
    """The indexes that need the server's words."""
    return [one for one in each.indexes if index.plain(one) is None]


def nameless(each: Index) -> Index:
    """The index without what is its own alone."""
    return replace(each, name="", comment=None)
