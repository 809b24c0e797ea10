"""Put declarations into the server's own words: create them in scratch schemas, read them back, roll back.

Columns of all tables share one scratch table with a column for each type and default; checks, generated columns and
index expressions share as few as merged_tables can do with. Only what needs more (queries, functions, triggers) is made
as declared, with what it stands on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any

import psycopg
from psycopg import Connection, sql

from schema.canonical.merged_tables import WIDEST, expressions, just, merge
from schema.capabilities import Capabilities
from schema.catalog.readers import tables as table_reader
from schema.errors import DeclarationError
from schema.kinds import check, index, registry, table
from schema.model import dependencies
from schema.model.live import Live
from schema.model.names import ident
from schema.model.objects import Column, Object, Table
from schema.model.sql_names import requalify

PREFIX = "lifecompanion_scratch"
Key = tuple[type[Object], str]


def in_server_words(connection: Connection[Any], capabilities: Capabilities, declared: Sequence[Object],
                    context: Sequence[Object] = ()) -> tuple[tuple[Object, ...], Mapping[Key, Live]]:
    """The objects as the server would describe them had they been made as declared, and those that were made, by type
    and full name. Leaves nothing behind.

    `context` is what else the program declares: what the objects stand on is made of it first. Foreign keys, hypertable
    and policies are plain values and are kept; foreign keys are not even made here, since a reference to a live table
    would lock its writers out. Raises DeclarationError that names the object which the server cannot make.
    """
    if not declared:
        return (), {}
    universe = tuple({(type(each), each.full_name): each for each in (*context, *declared)}.values())
    tables = [each for each in declared if isinstance(each, Table)]
    made = dependencies.closure([each for each in declared if needs_server(each)], universe)
    for_types = dependencies.types(tables, universe)
    with connection.transaction(force_rollback=True):
        scratch = _Scratch(connection, capabilities, {each.schema for each in (*universe, *declared)})
        scratch.make([each for each in universe if each in for_types])
        columns = scratch.columns(tables)
        merged = scratch.merged(tables)
        scratch.make([each for each in universe if each in made and each not in for_types])
        found = scratch.read([each for each in declared if each in made and registry.of(each).server_words])
    words = tuple(_wanted(each, merged, columns, found.get((type(each), each.full_name))) for each in declared)
    return words, found


def needs_server(each: Object) -> bool:
    """Whether the object has parts that only the server can put into its words."""
    words = registry.of(each).server_words
    return words is not None and words.needed(each)


Words = Mapping[tuple[str, str | None], tuple[str, str | None]]


def _wanted(declared: Object, merged: Mapping[Table, Table], columns: Words, found: Live | None) -> Object:
    plain: Object = replace(declared, renamed_from=None, allow=())
    if isinstance(declared, Table):
        plain = table.with_plain_words(declared, merged.get(declared), columns)
    words = registry.of(declared).server_words
    return plain if found is None or words is None else words.taken(plain, found)


class _Scratch:
    """Scratch schemas, one for each declared schema, in a transaction that is going to be rolled back."""

    def __init__(self, connection: Connection[Any], capabilities: Capabilities, schemas: set[str]) -> None:
        self.connection, self.capabilities = connection, capabilities
        self.schemas = {name: f"{PREFIX}_{connection.info.backend_pid}_{number}"
                        for number, name in enumerate(sorted(schemas | {"public"}, key=lambda name: name != "public"))}
        for name in self.schemas.values():
            connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(name)))
        connection.execute("SELECT set_config('search_path', %s || ', ' || current_setting('search_path'), true), "
                           "set_config('check_function_bodies', 'off', true)", [self.schemas["public"]])

    def make(self, objects: Sequence[Object]) -> None:
        """Create the objects: all at once, and one by one where that fails, to name the one that is wrong."""
        kinds = [(each, registry.of(each).server_words) for each in objects]
        made = [(each, part, requalify(text, self.schemas))
                for each, words in kinds if words is not None for part, text in words.creation(each)]
        if not made:
            return
        try:
            with self.connection.transaction():
                self.connection.execute(";\n".join(text for _, _, text in made).encode())
        except psycopg.Error:
            for each, part, text in made:
                self._alone(text, each.full_name if part == each.full_name else f"{each.full_name}.{part}")

    def _alone(self, text: str, name: str) -> None:
        try:
            self.connection.execute(text.encode())
        except psycopg.Error as error:
            said = " ".join((error.diag.message_primary or str(error)).split())
            raise DeclarationError(f"{name}: the server cannot make it: {said}; correct the declaration") from None

    def columns(self, tables: Sequence[Table]) -> Words:
        """Type and default of every column, by what is declared for them."""
        owners: dict[tuple[str, str | None], str] = {}
        for each in tables:
            for column in each.columns:
                owners.setdefault((column.type, column.default), f"{each.full_name}.{column.name}")
        pairs = list(owners)
        words: dict[tuple[str, str | None], tuple[str, str | None]] = {}
        for begin in range(0, len(pairs), WIDEST):
            part = pairs[begin:begin + WIDEST]
            wide = Table(f"plain_columns_{begin}", tuple(Column(f"c{n}", type_, default=default)
                                                         for n, (type_, default) in enumerate(part)))
            alone = [(owners[type_, default], Table(wide.name, (Column("c", type_, default=default),)))
                     for type_, default in part]
            made = self._shared(wide, alone)
            words.update({pair: (column.type, column.default)
                          for pair, column in zip(part, made.columns, strict=True)})
        return words

    def merged(self, tables: Sequence[Table]) -> dict[Table, Table]:
        """The tables that have expressions, with these in the server's words."""
        found = {}
        for group in merge(tables):
            try:
                groups = [(group, self._shared(group.table, [(each.full_name, each) for each in group.tables]))]
            except psycopg.Error:
                # Each table can be made, but not all as one: an expression names its own table.
                groups = [(alone, self._shared(alone.table, [])) for alone in map(just, group.tables)]
            found.update({each: one.words(each, made) for one, made in groups for each in one.tables})
        return found

    def _shared(self, shared: Table, alone: Sequence[tuple[str, Table]]) -> Table:
        """Make, read and drop a table that stands for many; where that fails, make each alone to name the one that is
        wrong."""
        try:
            with self.connection.transaction():
                self.connection.execute(";\n".join(text for _, text in self._statements(shared)).encode())
        except psycopg.Error:
            for name, each in alone:
                with self.connection.transaction(force_rollback=True):
                    for part, statement in self._statements(each):
                        self._alone(statement, f"{name}.{part}" if part else name)
            raise
        schema = self.schemas[shared.schema]
        live = table_reader.read(self.connection, self.capabilities, schema, [shared.name])[shared.name]
        self.connection.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(schema, shared.name)))
        found = _requalified(live.object, self._back)
        assert isinstance(found, Table)
        return found

    def _statements(self, each: Table) -> list[tuple[str, str]]:
        """(part, SQL) for columns, checks and the indexes that have expressions."""
        columns = tuple(replace(column, serial=False, identity=None, null=True) for column in each.columns)
        bare = replace(each, columns=columns, checks=(), keys=(), foreign_keys=())
        alter = f"ALTER TABLE {ident(each.full_name)}"
        made = [("", table.create_step(bare).sql),
                *((one.name, f"{alter} ADD {check.definition(one)}") for one in each.checks),
                *((one.name, index.definition(bare, one)) for one in expressions(bare))]
        return [(part, requalify(text, self.schemas)) for part, text in made]

    def read(self, objects: Sequence[Object]) -> dict[tuple[type[Object], str], Live]:
        """The objects as the server describes them, by type and full name."""
        found = {}
        for cls in dict.fromkeys(type(each) for each in objects):
            for schema in dict.fromkeys(each.schema for each in objects if type(each) is cls):
                names = [each.name for each in objects if type(each) is cls and each.schema == schema]
                live = registry.of(cls).read(self.connection, self.capabilities, self.schemas[schema], names)
                for each in objects:
                    if type(each) is cls and each.schema == schema:
                        found[cls, each.full_name] = live[each.name]
        return {key: _requalified(live, self._back) for key, live in found.items()}

    @property
    def _back(self) -> dict[str, str]:
        """The declared schema that each scratch schema stands for."""
        return {name: schema for schema, name in self.schemas.items()}


def _requalified(value: Any, schemas: Mapping[str, str]) -> Any:
    """A value with scratch schemas' names in its texts exchanged for those that they stand for."""
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{each.name: _requalified(getattr(value, each.name), schemas)
                                 for each in fields(value) if each.init})
    if isinstance(value, tuple):
        return tuple(_requalified(each, schemas) for each in value)
    if isinstance(value, str) and PREFIX in value:
        return schemas.get(value) or requalify(value, schemas)
    return value


