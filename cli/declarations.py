"""The input of the `lcdb schema` commands: the declared objects of a stack or of a file, and the allowed hazards."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from schema.model.change.step import Hazard
from schema.model.objects import CLASS_BY_KIND, Object

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.settings import Settings
    from schema.comparison.compare import Options
    from schema.connection import Address


class DeclarationFileError(Exception):
    """A file of declarations cannot be used; the message is one line that begins with file and line."""


@dataclass(frozen=True)
class Source:
    """Where declarations are read from: a Python file, or a folder of SQL files, which needs the live database's
    address; the stack where neither is given. Raises DeclarationFileError where both are."""

    file: Path | None
    sql: Path | None = None
    address: Address | None = None

    def __post_init__(self) -> None:
        if self.file and self.sql:
            raise DeclarationFileError(f"{self.sql}: --declared {self.file} is given beside --sql; give one of them")


@dataclass(frozen=True)
class Wanted:
    """The declared objects, and which hazards their changes may carry."""

    objects: tuple[Object, ...]
    options: Options


def find_declared(stack: str | None, source: Source, *, allow: Sequence[Hazard] | None = None,
                  protect: Sequence[str] | None = None, skip_unsupported: bool = False,
                  fingerprint: str | None = None) -> Wanted:
    """Read the declarations of `source`, else the stack's; the hazards allowed are the stack's and those given here.

    Raises DeclarationFileError, SettingsError, StackError, SchemaError.
    """
    settings = schema_settings_of(stack)
    options = _options(stack, settings, allow, protect, skip_unsupported=skip_unsupported, fingerprint=fingerprint)
    objects = tuple(replace(declared, allow=(*declared.allow, *settings.allow.get(declared.full_name, ())))
                    for declared in find_objects(source, settings))
    return Wanted(objects, options)


def find_options(stack: str | None) -> Options:
    """Return the options of a plan without options of the command line. Raises SettingsError, StackError."""
    return _options(stack, schema_settings_of(stack))


def _options(stack: str | None, settings: Settings, allow: Sequence[Hazard] | None = None,
             protect: Sequence[str] | None = None, *, skip_unsupported: bool = False,
             fingerprint: str | None = None) -> Options:
    from schema.comparison.compare import Options

    options = Options(
        on_unsupported="skip" if skip_unsupported else settings.on_unsupported, whole_schema=True,
        allow=frozenset([*settings.allow_hazards, *(allow or ())]), fingerprint=fingerprint,
        protect=frozenset([*settings.protect, *(protect or ())]), max_replica_lag=settings.max_replica_lag or None)
    if Hazard.DROPS_TABLE in options.allow and Hazard.WITHOUT_BACKUP not in options.allow:
        options = replace(options, backed_up=_is_backed_up(stack))
    return options


def _is_backed_up(stack: str | None) -> bool:
    """Tell whether a verified backup holds the rows of the stack, or of the database that LCDB_BACKUP_CONFIG names."""
    from backups.errors import BackupError
    from backups.monitoring.verified_backup import is_backed_up
    from cli.backup_settings import config_values
    from infra.automation.stack_file import StackError

    file = os.environ.get("LCDB_BACKUP_CONFIG")
    if stack is None and not file:
        return False
    try:
        return is_backed_up(config_values(stack, Path(file) if file else None))
    except (BackupError, StackError) as error:
        print(f"no verified backup could be found: {error}", file=sys.stderr)
        return False


def find_objects(source: Source, settings: Settings) -> tuple[Object, ...]:
    """Return the objects that `source` declares, else the stack's; an object comes after those it depends on.

    Raises DeclarationFileError; with SQL files also SchemaError.
    """
    if source.sql and source.address:
        from schema.execution.guard import differences
        from schema.export.sql_files.declaration import read_declaration

        return read_declaration(source.address, source.sql, differences)
    from schema.lifecompanion import declared
    from schema.model.change.dependencies import ordered

    return tuple(ordered(load(source.file))) if source.file else declared(settings.timestamps)


def schema_settings_of(stack: str | None) -> Settings:
    """Read and check the schema settings in the stack's file; the defaults without a stack. Raises SettingsError."""
    from infra.automation.stack_file import stack_config
    from infra.settings import schema_settings

    return schema_settings(stack or "none", stack_config(stack) if stack else {})


def load(file: Path) -> tuple[Object, ...]:
    """Run a Python file and return its DECLARED; it may import modules of its folder. Raises DeclarationFileError."""
    try:
        code = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DeclarationFileError(f"{file}: cannot be read: {getattr(error, 'strerror', None) or error}; "
                                   "give a Python file with DECLARED") from None
    with _importing_from(file.resolve().parent):
        return run(code, file)


def run(code: str, file: Path) -> tuple[Object, ...]:
    """Run source text as if it were `file` and return its DECLARED. Raises DeclarationFileError."""
    namespace: dict[str, Any] = {"__name__": "declared", "__file__": str(file)}
    try:
        exec(compile(code, str(file), "exec"), namespace)  # noqa: S102 (the user's own program, as they asked)
        declared = namespace["declared"]() if callable(namespace.get("declared")) else namespace.get("DECLARED")
    except Exception as error:  # noqa: BLE001 a program may raise anything; the user gets one line of it
        raise DeclarationFileError(f"{_place(error, file)}: {type(error).__name__}: {error}; correct the file"
                                   ) from None
    if declared is None:
        raise DeclarationFileError(f"{file}: neither DECLARED nor declared() is in it; write "
                                   "DECLARED = (Table(...), ...)")
    kinds = ", ".join(sorted((cls.__name__ for cls in CLASS_BY_KIND.values()), key=lambda name: name != "Table"))
    if not isinstance(declared, list | tuple):
        raise DeclarationFileError(f"{file}: DECLARED is {type(declared).__name__}, required a tuple of {kinds}")
    for item in declared:
        if not isinstance(item, tuple(CLASS_BY_KIND.values())):
            raise DeclarationFileError(f"{file}: DECLARED holds {type(item).__name__}, required only {kinds}")
    return tuple(declared)


def _place(error: Exception, file: Path) -> str:
    """The file with the number of its last line that ran."""
    if isinstance(error, SyntaxError):
        return f"{file}:{error.lineno}"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(file)]
    return f"{file}:{lines[-1]}" if lines else str(file)


@contextmanager
def _importing_from(folder: Path) -> Iterator[None]:
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
