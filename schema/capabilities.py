"""What the server can do: versions and TimescaleDB edition against what is declared."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Self

from schema.errors import UnsupportedError
from schema.model import dependencies
from schema.model.objects import ContinuousAggregate, Job, Object
from schema.model.versions import too_new

OLDEST_SERVER = 130000
Edition = Literal["timescale", "apache"]
# TimescaleDB's versions that first tell chunks' own columnstore settings, name jobs, take any index of a chunk that is
# like its table's for that one's, and take another type for a column while the columnstore is enabled.
CHUNK_SETTINGS = (2, 15)
JOB_NAMES = (2, 20)
CHUNK_INDEXES_BY_LIKENESS = (2, 22)
TYPES_IN_COLUMNSTORE = (2, 24)


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
        """Any server of that edition, for what is written for no server in particular."""
        return cls(server_version=170000, timescaledb_version="2.29", timescaledb_schema="public", license=edition,
                   standby=False, read_only=False, single_process=False, role="", database="", may_create_schema=True)

    @property
    def community(self) -> bool:
        """Whether the columnstore, policies and continuous aggregates can be used."""
        return self.timescaledb_version is not None and self.license == "timescale"

    @property
    def timescaledb(self) -> tuple[int, ...]:
        """TimescaleDB's version as numbers, (2, 29, 2); empty where it is not there."""
        return tuple(int(part) for part in re.findall(r"\d+", (self.timescaledb_version or "").split("-")[0]))

    @property
    def edition(self) -> str:
        """The edition in words."""
        if self.timescaledb_version is None:
            return "no TimescaleDB"
        return f"TimescaleDB {self.timescaledb_version}, {'timescale' if self.community else 'apache'} edition"

    def require_usable(self) -> None:
        """Raise UnsupportedError where nothing at all can be planned."""
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
        """The objects without what this server cannot have (None for a whole object), and the names of what was left.

        `context` is what else they may stand on. Raises UnsupportedError that names each, unless `on_unsupported` is
        "skip".
        """
        self._require_versions(objects)
        gone = self._gone((*context, *objects))
        missing = [each.full_name for each in objects if each in gone]
        missing += [f"{each.full_name}.{part}" for each in objects if each not in gone
                    for part in self._impossible(each)]
        if missing and on_unsupported != "skip":
            raise UnsupportedError(f"{self._found()}: cannot have {', '.join(missing)}; {self._remedy()}, or set "
                                   "onUnsupported: skip to go without")
        return tuple(None if each in gone else self._without_impossible(each) for each in objects), tuple(missing)

    def _require_versions(self, objects: Sequence[Object]) -> None:
        """Raise UnsupportedError where the server is too old for a property: what is left out of an object changes
        what it means, so that nothing of the kind is left out."""
        for declared in objects:
            for part, name, needed in too_new(declared, self.server_version):
                raise UnsupportedError(f"{part}: {name} needs PostgreSQL {needed} or later, found "
                                       f"{self.server_version // 10000}; declare it without, or upgrade the server")

    def explain_left_out(self, name: str) -> str:
        """One line for something that was left out."""
        return f"{name} was left out: {self._found()} cannot have it; {self._remedy()}"

    def _gone(self, objects: Sequence[Object]) -> set[Object]:
        """The objects that this server cannot have at all, with those whose SQL names them."""
        gone: set[Object] = set()
        if self.community or not any(isinstance(each, ContinuousAggregate | Job) for each in objects):
            return gone
        for each in dependencies.ordered(tuple(dict.fromkeys(objects))):
            needed = dependencies.needs(each, objects) if gone else ()
            if isinstance(each, ContinuousAggregate | Job) or gone.intersection(needed):
                gone.add(each)
        return gone

    def _without_impossible(self, each: Object) -> Object:
        without: dict[str, Any] = dict.fromkeys(self._impossible(each))
        return replace(each, **without) if without else each

    def _impossible(self, each: Object) -> list[str]:
        parts = ["compression", "retention", "reorder"] if not self.community else []
        if self.timescaledb_version is None:
            parts = ["hypertable", *parts]
        return [part for part in parts if getattr(each, part, None) is not None]

    def _found(self) -> str:
        return f"{self.database} ({self.edition})"

    def _remedy(self) -> str:
        if self.timescaledb_version is None:
            return "create the extension timescaledb there"
        return "use the timescale (Community) edition, as in the image timescale/timescaledb"
