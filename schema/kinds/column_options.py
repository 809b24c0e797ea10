"""Options of columns beside their type: storage, compression, statistics target, how an identity or serial counts."""

from __future__ import annotations

from dataclasses import replace

from schema.errors import UnsupportedError
from schema.kinds.column_type import step
from schema.model.change.diff import TableDiff
from schema.model.change.step import Step
from schema.model.names import ident, literal, quoted
from schema.model.objects import Column, Numbers
from schema.model.table_options import start

DEFAULT_STATISTICS_SINCE = 170000


def counting(column: Column) -> str:
    """The options of an identity's sequence as CREATE takes them; nothing where it has none of its own."""
    given = column.numbers
    return " ".join(_options(given, column.type)[name] for name, default in vars(Numbers()).items()
                    if getattr(given, name) != default) if given else ""


def next_number(column: Column) -> str:
    """The number that follows all that the column has, as SQL; where it has options of its own, none before its first.
    """
    name, given = quoted(column.name), column.numbers or Numbers()
    if given.increment < 0:
        return f"least({start(given, column.type)}, coalesce(min({name}), 0) - 1)"
    plain = f"coalesce(max({name}), 0) + 1"
    return f"greatest({start(given, column.type)}, {plain})" if column.numbers else plain


def as_created(column: Column) -> Column:
    """The column as CREATE TABLE or ADD COLUMN leaves it, before its further options are set."""
    return replace(column, comment=None, storage=None, compression=None, statistics=None,
                   numbers=None if column.serial else column.numbers)


def storing(table: str, column: Column) -> str:
    """Set how values of the column are stored, on a table that has just been created."""
    return f"ALTER TABLE {ident(table)} ALTER COLUMN {quoted(column.name)} SET STORAGE {column.storage}"


def steps(diff: TableDiff, declared: Column, canonical: Column, live: Column) -> list[Step]:
    """Set the options that differ; no step where they are as declared. Rows stay as they are stored."""
    name = quoted(declared.name)
    counts = canonical.numbers != live.numbers and bool(live.identity and canonical.identity)
    if diff.has_columnstore and (canonical.storage != live.storage or counts):
        what = "how its values are stored" if canonical.storage != live.storage else "how its identity counts"
        raise UnsupportedError(f"{diff.name}.{declared.name}: {what} cannot be changed while the columnstore is "
                               "enabled; declare it as it is, or declare the table without compression first (its "
                               "chunks must be decompressed), apply, then declare both")
    changes = []
    if canonical.storage != live.storage:
        changes.append((_storage(diff, canonical), f"its storage is {live.storage or 'the default of its type'}"))
    if canonical.compression != live.compression:
        changes.append((f"SET COMPRESSION {canonical.compression or 'default'}",
                        f"its compression is {live.compression or 'default'}"))
    if canonical.statistics != live.statistics:
        unset = "DEFAULT" if diff.context.server_version >= DEFAULT_STATISTICS_SINCE else "-1"
        changes.append((f"SET STATISTICS {unset if canonical.statistics is None else canonical.statistics}",
                        f"its statistics target is {'default' if live.statistics is None else live.statistics}"))
    steps = [step(diff, declared, f"ALTER COLUMN {name} {change}", why) for change, why in changes]
    if counts or (canonical.numbers != live.numbers and canonical.serial):
        steps.append(_count(diff, declared, canonical, live))
    return steps


def _storage(diff: TableDiff, column: Column) -> str:
    """SET STORAGE as SQL. Before PostgreSQL 16 the type's own has to be named."""
    if column.storage is None and diff.context.server_version < 160000:
        return f"SET STORAGE {'main' if column.type.startswith(('numeric', 'inet', 'cidr')) else 'extended'}"
    return f"SET STORAGE {column.storage or 'default'}"


def _count(diff: TableDiff, declared: Column, canonical: Column, live: Column) -> Step:
    """Change how the column counts; the next number stays the next one."""
    numbers = canonical.numbers or Numbers()
    options = _options(numbers, canonical.type)
    before = _options(live.numbers or Numbers(), canonical.type)
    turned = (numbers.increment < 0) != ((live.numbers or Numbers()).increment < 0)
    # The server keeps the bounds of the old direction unless it is told, and a next number that is outside of the new.
    changed = [option for name, option in options.items()
               if option != before[name] or (turned and name in ("minimum", "maximum"))]
    if turned and (numbers.maximum if numbers.increment < 0 else numbers.minimum) is None:
        changed.append(f"RESTART WITH {start(numbers, canonical.type)}")
    why = f"it counts with {counting(live) or 'the options of every sequence'}"
    if not canonical.serial:
        sets = " ".join(f"SET {option}" for option in changed)
        return step(diff, declared, f"ALTER COLUMN {quoted(declared.name)} {sets}", why)
    table, name = literal(ident(diff.name)), literal(declared.name)
    sql = (f"DO $$ BEGIN EXECUTE format('ALTER SEQUENCE %s {' '.join(changed)}', "
           f"pg_get_serial_sequence({table}, {name})); END $$")
    return replace(step(diff, declared, "", why), sql=sql)


def _options(given: Numbers, type_: str) -> dict[str, str]:
    """Each option as SQL, by the name of its property."""
    return {"start": f"START WITH {start(given, type_)}", "increment": f"INCREMENT BY {given.increment}",
            "minimum": "NO MINVALUE" if given.minimum is None else f"MINVALUE {given.minimum}",
            "maximum": "NO MAXVALUE" if given.maximum is None else f"MAXVALUE {given.maximum}",
            "cache": f"CACHE {given.cache}", "cycle": "CYCLE" if given.cycle else "NO CYCLE"}
