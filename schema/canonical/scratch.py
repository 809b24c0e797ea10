"""Canonicalize declarations: create them in scratch schemas, read them back, roll back.

Columns of all tables share one scratch table with a column for each type and default; checks, generated columns and
index expressions share as few tables as merged_tables can manage. Only what needs more (queries, functions, triggers)
is created as declared, with its dependencies.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any

import psycopg
from psycopg import Connection, sql

from schema.canonical import extensions
from schema.canonical.merged_tables import WIDEST, expressions, just, merge
from schema.capabilities import Capabilities
from schema.catalog.readers import tables as table_reader
from schema.errors import DeclarationError
from schema.kinds import check, column_options, exclusion, index, registry, table
from schema.model.change import dependencies
from schema.model.live.objects import Live
from schema.model.names import ident
from schema.model.objects import Column, Extension, Object, Schema, Table
from schema.model.sql_names import requalify

PREFIX = "lifecompanion_scratch"
Key = tuple[type[Object], str]


def in_server_words(connection: Connection[Any], capabilities: Capabilities, declared: Sequence[Object],
                    context: Sequence[Object] = ()) -> tuple[tuple[Object, ...], Mapping[Key, Live]]:
    """Return the objects in canonical form, and the live objects created for it, by type and full name; leaves nothing
    behind.

    `context` is what else the program declares: dependencies are created from it first. Foreign keys, hypertable and
    policies are plain values and stay as declared; foreign keys are not created at all, since a reference to a live
    table would lock out its writers. Raises DeclarationError that names the object which the server cannot create.
    """
    if not declared:
        return (), {}
    universe = tuple({(type(value), value.identity): value for value in (*context, *declared)}.values())
    tables = [value for value in declared if isinstance(value, Table)]
    created = dependencies.closure([value for value in declared if needs_server(value)], universe)
    for_types = dependencies.types(tables, universe)
    with connection.transaction(force_rollback=True):
        extensions.create_missing(connection, [value for value in universe if isinstance(value, Extension)])
        scratch = _Scratch(connection, capabilities, universe)
        scratch.make(dependencies.ordered([value for value in universe if value in for_types]))
        columns = scratch.columns(tables)
        merged = scratch.merged(tables)
        scratch.make([value for value in universe if value in created and value not in for_types])
        read_back = scratch.read([value for value in declared if value in created and needs_server(value)])
    words = tuple(_wanted(value, merged, columns, read_back.get((type(value), value.identity))) for value in declared)
    return words, read_back


def needs_server(declared: Object) -> bool:
    """Tell whether the object has parts that only the server can canonicalize."""
    words = registry.of(declared).server_words
    return words is not None and words.needed(declared)


Words = Mapping[table.Spelling, table.Spelling]


def _wanted(declared: Object, merged: Mapping[Table, Table], columns: Words, live: Live | None) -> Object:
    plain: Object = replace(declared, renamed_from=None, allow=())
    if isinstance(declared, Table):
        plain = table.with_plain_words(declared, merged.get(declared), columns)
    words = registry.of(declared).server_words
    canonical = plain if live is None or words is None else words.canonicalise(plain, live)
    return replace(canonical, grants=None, owner=None)


class _Scratch:
    """Scratch schemas, one for each declared schema, in a transaction that will be rolled back."""

    def __init__(self, connection: Connection[Any], capabilities: Capabilities, universe: Sequence[Object]) -> None:
        self.connection, self.capabilities = connection, capabilities
        self.created: list[Object] = []
        # Only these names are looked up in a scratch schema: objects that nobody declares are in their own schemas.
        self.names: dict[str, set[str]] = {}
        for value in universe:
            if not isinstance(value, Extension | Schema):
                self.names.setdefault(value.schema, set()).add(value.name)
        schemas = sorted(self.names.keys() | {"public"}, key=lambda name: name != "public")
        self.schemas = {name: f"{PREFIX}_{connection.info.backend_pid}_{number}" for number, name in enumerate(schemas)}
        for name in self.schemas.values():
            connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(name)))
        connection.execute("SELECT set_config('search_path', %s || ', ' || current_setting('search_path'), true), "
                           "set_config('check_function_bodies', 'off', true)", [self.schemas["public"]])

    def make(self, objects: Sequence[Object]) -> None:
        """Create the objects: all at once or, where that fails, one by one to name the faulty one."""
        kinds = [(value, registry.of(value).server_words) for value in objects]
        statements = [(value, part, requalify(text, self.schemas, self.names))
                      for value, words in kinds if words is not None for part, text in words.creation(value)]
        self.created.extend(objects)
        if not statements:
            return
        # Policies and triggers may name objects that come after their table.
        statements.sort(key=lambda one: isinstance(one[0], Table) and one[1] != one[0].full_name)
        try:
            with self.connection.transaction():
                self.connection.execute(";\n".join(text for _, _, text in statements).encode())
        except psycopg.Error:
            for value, part, text in statements:
                self._alone(text, value.full_name if part == value.full_name else f"{value.full_name}.{part}")

    def _alone(self, text: str, name: str) -> None:
        try:
            with self.connection.transaction():
                self.connection.execute(text.encode())
        except psycopg.Error as error:
            reason = " ".join((error.diag.message_primary or str(error)).split())
            for scratch, schema in self._back.items():
                reason = reason.replace(scratch, schema)
            raise DeclarationError(f"{name}: the server cannot create it: {reason}; "
                                   f"{extensions.remedy(self.connection, error, text)}") from None

    def columns(self, tables: Sequence[Table]) -> Words:
        """Map each declared (type, default, collation, storage) of a column to its canonical form."""
        owners: dict[table.Spelling, str] = {}
        for declared in tables:
            for column in declared.columns:
                owners.setdefault(table.spelling(column), f"{declared.full_name}.{column.name}")
        pairs = list(owners)
        words: dict[table.Spelling, table.Spelling] = {}
        for begin in range(0, len(pairs), WIDEST):
            part = pairs[begin:begin + WIDEST]
            wide = Table(f"plain_columns_{begin}", tuple(
                Column(f"c{n}", type_, default=default, collation=collation, storage=storage)
                for n, (type_, default, collation, storage) in enumerate(part)))
            alone = [(owners[pair], Table(wide.name, (replace(column, name="c"),)))
                     for pair, column in zip(part, wide.columns, strict=True)]
            live = self._shared(wide, alone)
            words.update({pair: table.spelling(column) for pair, column in zip(part, live.columns, strict=True)})
        return words

    def merged(self, tables: Sequence[Table]) -> dict[Table, Table]:
        """Map each table that has expressions to itself with these in canonical form."""
        spelled = {}
        for group in merge(tables):
            try:
                alone = [(declared.full_name, declared) for declared in group.tables]
                groups = [(group, self._shared(group.table, alone))]
            except psycopg.Error:
                # Each table can be made, but not all as one: an expression names its own table.
                groups = [(single, self._shared(single.table, [])) for single in map(just, group.tables)]
            spelled.update({declared: one.words(declared, live) for one, live in groups for declared in one.tables})
        return spelled

    def _shared(self, shared: Table, alone: Sequence[tuple[str, Table]]) -> Table:
        """Create, read and drop a table that represents many; where that fails, create each alone to name the faulty
        one.
        """
        try:
            with self.connection.transaction():
                self.connection.execute(";\n".join(text for _, text in self._statements(shared)).encode())
        except psycopg.Error:
            for name, declared in alone:
                with self.connection.transaction(force_rollback=True):
                    for part, statement in self._statements(declared):
                        self._alone(statement, f"{name}.{part}" if part else name)
            raise
        schema = self.schemas[shared.schema]
        live = table_reader.read_plain(self.connection, schema, [shared.name])[shared.name]
        self.connection.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(schema, shared.name)))
        merged = _requalified(live.object, self._back)
        assert isinstance(merged, Table)
        return merged

    def _statements(self, declared: Table) -> list[tuple[str, str]]:
        """Build (part, SQL) for columns, checks and the indexes that have expressions."""
        columns = tuple(replace(column, serial=False, identity=None, null=True) for column in declared.columns)
        bare = replace(declared, columns=columns, checks=(), keys=(), foreign_keys=(), exclusions=(), options=(),
                       unlogged=False)
        alter = f"ALTER TABLE {ident(declared.full_name)}"
        statements = [("", table.create_step(bare).sql),
                      *(("", column_options.storing(declared.full_name, column)) for column in columns
                        if column.storage and not column.virtual),
                      *((one.name, f"{alter} ADD {check.definition(one)}") for one in declared.checks),
                      *((one.name, f"{alter} ADD {exclusion.definition(one)}") for one in declared.exclusions),
                      *((one.name, index.definition(bare, one)) for one in expressions(bare))]
        return [(part, requalify(text, self.schemas, self.names)) for part, text in statements]

    def read(self, objects: Sequence[Object]) -> dict[tuple[type[Object], str], Live]:
        """Read the created objects back, by type and full name."""
        by_key = {}
        for cls in dict.fromkeys(type(value) for value in objects):
            for schema in dict.fromkeys(value.schema for value in objects if type(value) is cls):
                names = [value.name for value in objects if type(value) is cls and value.schema == schema]
                live = registry.of(cls).read(self.connection, self.capabilities, self.schemas[schema], names)
                for value in objects:
                    if type(value) is cls and value.schema == schema and value.name in live:
                        by_key[cls, value.identity] = self._created(value, live[value.name])
        return {key: _requalified(live, self._back) for key, live in by_key.items()}

    def _created(self, declared: Object, live: Any) -> Live:
        """Of several functions of one name, the one that was created of this declaration: they are read in the order in
        which they were created."""
        overloads = [live, *getattr(live, "overloads", ())]
        same = [other for other in self.created
                if type(other) is type(declared) and other.full_name == declared.full_name]
        chosen: Live = overloads[same.index(declared)] if len(overloads) == len(same) > 1 else live
        return chosen

    @property
    def _back(self) -> dict[str, str]:
        """Map each scratch schema to the declared one."""
        return {name: schema for schema, name in self.schemas.items()}


def _requalified(value: Any, schemas: Mapping[str, str]) -> Any:
    """Replace the scratch schemas' names in a value's texts by the declared schemas'."""
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{field.name: _requalified(getattr(value, field.name), schemas)
                                 for field in fields(value) if field.init})
    if isinstance(value, tuple):
        return tuple(_requalified(element, schemas) for element in value)
    if isinstance(value, str) and PREFIX in value:
        return schemas.get(value) or requalify(value, schemas)
    return value


