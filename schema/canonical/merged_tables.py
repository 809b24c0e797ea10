"""Merge tables into as few as their columns allow, so that the server canonicalizes all their expressions at once;
pure.

The canonical form of an expression depends on the names and types of the columns alone. Tables whose columns of the
same name have the same type can therefore share one scratch table, however many they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from schema.kinds import index
from schema.model.objects import Check, Column, Exclusion, Index, Table
from schema.model.table_options import bare_index, targets

# PostgreSQL takes 1,600 columns; a group that is full is followed by another.
WIDEST = 1200


@dataclass
class Group:
    """One merged table in the making: its columns by name, and the names under which it holds the tables' expressions.
    """

    name: str
    schema: str = "public"
    columns: dict[str, Column] = field(default_factory=dict)
    checks: dict[str, str] = field(default_factory=dict)
    indexes: dict[Index, str] = field(default_factory=dict)
    exclusions: dict[Exclusion, str] = field(default_factory=dict)
    tables: list[Table] = field(default_factory=list)

    def takes(self, columns: Sequence[Column]) -> bool:
        """Tell whether a table with these columns can be merged into the group."""
        new = [column for column in columns if self.columns.get(column.name, column) == column]
        return len(new) == len(columns) and len(self.columns) + len(columns) <= WIDEST

    def add(self, table: Table, columns: Sequence[Column]) -> None:
        """Merge a table; `takes` has said that it fits."""
        self.tables.append(table)
        self.columns.update({column.name: column for column in columns})
        for check in table.checks:
            self.checks.setdefault(check.expression, f"c{len(self.checks)}")
        for one in expressions(table):
            self.indexes.setdefault(bare_index(one), f"{self.name}_i{len(self.indexes)}")
        for exclusion in table.exclusions:
            self.exclusions.setdefault(_bare(exclusion), f"{self.name}_x{len(self.exclusions)}")

    @property
    def table(self) -> Table:
        """The merged table."""
        return Table(self.name, tuple(self.columns.values()), schema=self.schema,
                     checks=tuple(Check(name, text) for text, name in self.checks.items()),
                     indexes=tuple(replace(definition, name=name) for definition, name in self.indexes.items()),
                     exclusions=tuple(replace(definition, name=name) for definition, name in self.exclusions.items()))

    def words(self, table: Table, live: Table) -> Table:
        """Return a table of the group with its expressions as `live`, the merged table read back, spells them."""
        checks = {check.name: check.expression for check in live.checks}
        indexes = {one.name: one for one in live.indexes}
        exclusions = {one.name: one for one in live.exclusions}
        generated = {column.name: column.generated for column in live.columns}

        def in_words(one: Index) -> Index:
            spelled = index.plain(one)
            if spelled is None:
                spelled = replace(indexes[self.indexes[bare_index(one)]], name=one.name, comment=one.comment,
                                  statistics=targets(one.statistics))
            return spelled

        return replace(
            table, checks=tuple(replace(check, expression=checks[self.checks[check.expression]])
                                for check in table.checks),
            columns=tuple(replace(column, generated=generated[column.name]) if column.generated else column
                          for column in table.columns),
            indexes=tuple(in_words(one) for one in table.indexes),
            exclusions=tuple(replace(exclusions[self.exclusions[_bare(one)]], name=one.name, comment=one.comment,
                                     deferrable=one.deferrable, initially_deferred=one.initially_deferred,
                                     statistics=targets(one.statistics))
                             for one in table.exclusions))


def just(table: Table) -> Group:
    """Make a group of one table, under its own name."""
    group = Group(table.name, table.schema)
    group.add(table, [_bare_column(column) for column in table.columns])
    return group


def _bare_column(column: Column) -> Column:
    return Column(column.name, column.type, generated=column.generated, collation=column.collation,
                  virtual=column.virtual)


def _bare(exclusion: Exclusion) -> Exclusion:
    return replace(exclusion, name="", comment=None, deferrable=False, initially_deferred=False, statistics=())


def merge(tables: Iterable[Table]) -> list[Group]:
    """Merge the tables that have expressions into as few groups as their columns allow."""
    groups: list[Group] = []
    for table in tables:
        if not has_expressions(table):
            continue
        columns = [_bare_column(column) for column in table.columns]
        group = next((one for one in groups if one.takes(columns)), None)
        if group is None:
            group = Group(f"merged_{len(groups)}")
            groups.append(group)
        group.add(table, columns)
    return groups


def has_expressions(table: Table) -> bool:
    """Tell whether checks, generated columns or indexes have to be canonicalized by the server."""
    return bool(table.checks or table.exclusions or expressions(table)
                or any(column.generated for column in table.columns))


def expressions(table: Table) -> list[Index]:
    """List the indexes that have to be canonicalized by the server."""
    return [one for one in table.indexes if index.plain(one) is None]
