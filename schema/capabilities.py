"""Capabilities of a server: versions and TimescaleDB edition, against what is declared."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Self

from schema.errors import UnsupportedError
from schema.model.change import dependencies
from schema.model.objects import ContinuousAggregate, Job, Object
from schema.model.versions import too_new

OLDEST_SERVER = 130000
Edition = Literal["timescale", "apache"]
# TimescaleDB's versions that first tell chunks' own columnstore settings, name jobs, take any index of a chunk that is
# like its table's for that one's, take another type for a column while the columnstore is enabled, take settings
# of the columnstore back, and rename an aggregate's column in its stored query, too.
CHUNK_SETTINGS = (2, 15)
JOB_NAMES = (2, 20)
CHUNK_INDEXES_BY_LIKENESS = (2, 22)
TYPES_IN_COLUMNSTORE = (2, 24)
RESETS = (2, 22)
RENAMES_IN_QUERY = (2, 26)


@dataclass(frozen=True)
class Capabilities:
    """One server and one login, as far as a plan depends on them."""

    server_version: int
    timescaledb_version: str | None
    timescaledb_schema: str | None
    license: str | None
    standby: bool
    read_only: bool
    single_process: bool
    role: str
    database: str
    may_create_schema: bool

    @classmethod
    def of(cls, edition: Edition) -> Self:
        """Return those of any server of this edition, for SQL that is written for no server in particular."""
        return cls(server_version=170000, timescaledb_version="2.29", timescaledb_schema="public", license=edition,
                   standby=False, read_only=False, single_process=False, role="", database="", may_create_schema=True)

    @property
    def community(self) -> bool:
        """Whether columnstore, policies and continuous aggregates can be used."""
        return self.timescaledb_version is not None and self.license == "timescale"

    @property
    def timescaledb(self) -> tuple[int, ...]:
        """TimescaleDB's version as numbers, (2, 29, 2); empty without the extension."""
        return tuple(int(part) for part in re.findall(r"\d+", (self.timescaledb_version or "").split("-")[0]))

    @property
    def edition(self) -> str:
        """Version and edition as text for messages."""
        if self.timescaledb_version is None:
            return "no TimescaleDB"
        return f"TimescaleDB {self.timescaledb_version}, {'timescale' if self.community else 'apache'} edition"

    def require_usable(self) -> None:
        """Raise UnsupportedError where nothing can be planned: too old, standby, read-only, no right to create schemas.
        """
        if self.server_version < OLDEST_SERVER:
            raise UnsupportedError(f"{self.database}: PostgreSQL {self.server_version // 10000} is too old (13 "
                                   "required); upgrade the server")
        if self.standby:
            raise UnsupportedError(f"{self.database}: the server is a standby and takes no changes; give the "
                                   "primary's address")
        if self.read_only:
            raise UnsupportedError(f"{self.database}: the connection is read-only; clear "
                                   f"default_transaction_read_only for {self.role}")
        if not self.may_create_schema:
            raise UnsupportedError(f"{self.database}: {self.role} may not create schemas, which comparing needs; "
                                   f"run GRANT CREATE ON DATABASE {self.database} TO {self.role}")

    def fit(self, objects: Sequence[Object], on_unsupported: str,
            context: Sequence[Object] = ()) -> tuple[tuple[Object | None, ...], tuple[str, ...]]:
        """Remove what this server does not support; return the objects (None for a whole one), and the names of what
        was removed.

        `context` is what else the objects may depend on. Raises UnsupportedError that names each removed part, unless
        `on_unsupported` is "skip".
        """
        self._require_versions(objects)
        gone = self._gone((*context, *objects))
        missing = [declared.full_name for declared in objects if declared in gone]
        missing += [f"{declared.full_name}.{part}" for declared in objects if declared not in gone
                    for part in self._impossible(declared)]
        if missing and on_unsupported != "skip":
            raise UnsupportedError(f"{self._describe()}: cannot have {', '.join(missing)}; {self._remedy()}, or set "
                                   "onUnsupported: skip to go without")
        fitting = tuple(None if declared in gone else self._without_impossible(declared) for declared in objects)
        return fitting, tuple(missing)

    def _require_versions(self, objects: Sequence[Object]) -> None:
        """Raise UnsupportedError where the server is too old for a property: what is left out of an object changes
        what it means, so that nothing of the kind is left out."""
        for declared in objects:
            for part, name, needed in too_new(declared, self.server_version):
                raise UnsupportedError(f"{part}: {name} needs PostgreSQL {needed} or later, found "
                                       f"{self.server_version // 10000}; declare it without, or upgrade the server")

    def explain_left_out(self, name: str) -> str:
        """Explain in one line why something was left out."""
        return f"{name} was left out: {self._describe()} cannot have it; {self._remedy()}"

    def _gone(self, objects: Sequence[Object]) -> set[Object]:
        """Return the objects that this server does not support at all, and those that depend on them."""
        gone: set[Object] = set()
        if self.community or not any(isinstance(declared, ContinuousAggregate | Job) for declared in objects):
            return gone
        for declared in dependencies.ordered(tuple(dict.fromkeys(objects))):
            needed = dependencies.needs(declared, objects) if gone else ()
            if isinstance(declared, ContinuousAggregate | Job) or gone.intersection(needed):
                gone.add(declared)
        return gone

    def _without_impossible(self, declared: Object) -> Object:
        without: dict[str, Any] = dict.fromkeys(self._impossible(declared))
        return replace(declared, **without) if without else declared

    def _impossible(self, declared: Object) -> list[str]:
        parts = ["compression", "retention", "reorder"] if not self.community else []
        if self.timescaledb_version is None:
            parts = ["hypertable", *parts]
        return [part for part in parts if getattr(declared, part, None) is not None]

    def _describe(self) -> str:
        return f"{self.database} ({self.edition})"

    def _remedy(self) -> str:
        if self.timescaledb_version is None:
            return "create the extension timescaledb there"
        return "use the timescale (Community) edition, as in the image timescale/timescaledb"
