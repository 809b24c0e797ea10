"""Put declarations into the server's own words: create them in scratch schemas, read them back, roll back.

Plain columns of all tables share one scratch table with a column for each type and default. Only what the server
writes in words of its own (checks, expressions, queries, functions) is made as declared, with what it stands on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import psycopg
from psycopg import Connection, sql

from schema import dependencies
from schema.capabilities import Capabilities
from schema.errors import DeclarationError
from schema.kinds import table
from schema.live import Live
from schema.makers import MAKERS
from schema.objects import Column, Job, Object, Table
from schema.readers import READERS
from schema.rewriting import requalify

PREFIX = "lifecompanion_scratch"
WIDEST = 1000  # columns of one scratch table; PostgreSQL takes 1,600


def in_server_words(connection: Connection[Any], capabilities: Capabilities, declared: Sequence[Object],
                    context: Sequence[Object] = ()) -> tuple[Object, ...]:
    """The objects as the server would describe them had they been made as declared. Leaves nothing behind.

    `context` is what else the program declares: what the objects stand on is made of it first. Foreign keys, hypertable
    and policies are plain values and are kept; foreign keys are not even made here, since a reference to a live table
    would lock its writers out. Raises DeclarationError that names the object which the server cannot make.
    """
    if not declared:
        return ()
    universe = tuple({(type(each), each.full_name): each for each in (*context, *declared)}.values())
    made = dependencies.closure([each for each in declared if needs_server(each)], universe)
    for_types = dependencies.types(declared, universe)
    with connection.transaction(force_rollback=True):
        scratch = _Scratch(connection, capabilities, {each.schema for each in (*universe, *declared)})
        scratch.make([each for each in universe if each in for_types and each not in made])
        columns = scratch.columns([each for each in declared if isinstance(each, Table)])
        scratch.make([each for each in universe if each in made])
        found = scratch.read([each for each in declared if each in made])
    return tuple(_wanted(each, found.get((type(each), each.full_name)), columns) for each in declared)


def needs_server(each: Object) -> bool:
    """Whether the object has parts that only the server can put into its words."""
    return table.needs_server(each) if isinstance(each, Table) else not isinstance(each, Job)


Words = Mapping[tuple[str, str | None], tuple[str, str | None]]


def _wanted(declared: Object, found: Live | None, columns: Words) -> Object:
    plain = replace(declared, renamed_from=None, allow=())
    if isinstance(plain, Table):
        plain = table.with_plain_words(plain, columns)
    return plain if found is None else MAKERS[type(declared)].wanted(plain, found)


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
        made = [(each, part, requalify(text, self.schemas))
                for each in objects for part, text in MAKERS[type(each)].creation(each)]
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
            name = f"plain_columns_{begin}"
            wide = Table(name, tuple(Column(f"c{n}", type_, default=default)
                                     for n, (type_, default) in enumerate(part)))
            self._make_wide(wide, [owners[pair] for pair in part])
            live = READERS[Table](self.connection, self.capabilities, self.schemas["public"], [name])[name]
            assert isinstance(live.object, Table)
            words.update({pair: (self._back(column.type), column.default and self._back(column.default))
                          for pair, column in zip(part, live.object.columns, strict=True)})
        return words

    def _make_wide(self, wide: Table, owners: Sequence[str]) -> None:
        try:
            with self.connection.transaction():
                self.connection.execute(requalify(table.create_step(wide).sql, self.schemas).encode())
        except psycopg.Error:
            for number, (column, owner) in enumerate(zip(wide.columns, owners, strict=True)):
                one = table.create_step(Table(f"{wide.name}_{number}", (column,)))
                self._alone(requalify(one.sql, self.schemas), owner)
            raise

    def read(self, objects: Sequence[Object]) -> dict[tuple[type[Object], str], Live]:
        """The objects as the server describes them, by type and full name."""
        found = {}
        for cls in dict.fromkeys(type(each) for each in objects):
            for schema in dict.fromkeys(each.schema for each in objects if type(each) is cls):
                names = [each.name for each in objects if type(each) is cls and each.schema == schema]
                live = READERS[cls](self.connection, self.capabilities, self.schemas[schema], names)
                for each in objects:
                    if type(each) is cls and each.schema == schema:
                        found[cls, each.full_name] = live[each.name]
        back = {name: schema for schema, name in self.schemas.items()}
        return {key: _requalified(live, back) for key, live in found.items()}

    def _back(self, text: str) -> str:
        return requalify(text, {name: schema for schema, name in self.schemas.items()})


def _requalified(value: Any, schemas: Mapping[str, str]) -> Any:
    """A value with scratch schemas' names in its texts exchanged for those that they stand for."""
    from dataclasses import fields, is_dataclass

    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{each.name: _requalified(getattr(value, each.name), schemas)
                                 for each in fields(value) if each.init})
    if isinstance(value, tuple):
        return tuple(_requalified(each, schemas) for each in value)
    if isinstance(value, str) and PREFIX in value:
        return schemas.get(value) or requalify(value, schemas)
    return value


