"""What the server can do: versions and TimescaleDB edition against what is declared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from schema.errors import UnsupportedError
from schema.objects import Object

OLDEST_SERVER = 130000


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

    @property
    def community(self) -> bool:
        """Whether the columnstore, policies and continuous aggregates can be used."""
        return self.timescaledb_version is not None and self.license == "timescale"

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

    def fit(self, objects: Sequence[Object], on_unsupported: str) -> tuple[tuple[Object, ...], tuple[str, ...]]:
        """The objects without what this server cannot have, and the names of what was left out.

        Raises UnsupportedError that names each, unless `on_unsupported` is "skip".
        """
        missing = [f"{each.full_name}.{part}" for each in objects for part in self._impossible(each)]
        if missing and on_unsupported != "skip":
            raise UnsupportedError(f"{self._found()}: cannot have {', '.join(missing)}; {self._remedy()}, or set "
                                   "onUnsupported: skip to go without")
        return tuple(self._without_impossible(each) for each in objects), tuple(missing)

    def explain_left_out(self, name: str) -> str:
        """One line for something that was left out."""
        return f"{name} was left out: {self._found()} cannot have it; {self._remedy()}"

    def _without_impossible(self, each: Object) -> Object:
        missing = self._impossible(each)
        return replace(each, hypertable=None if "hypertable" in missing else each.hypertable,
                       compression=None if "compression" in missing else each.compression,
                       retention=None if "retention" in missing else each.retention)

    def _impossible(self, each: Object) -> list[str]:
        parts = ["compression", "retention"] if not self.community else []
        if self.timescaledb_version is None:
            parts = ["hypertable", *parts]
        return [part for part in parts if getattr(each, part) is not None]

    def _found(self) -> str:
        return f"{self.database} ({self.edition})"

    def _remedy(self) -> str:
        if self.timescaledb_version is None:
            return "create the extension timescaledb there"
        return "use the timescale (Community) edition, as in the image timescale/timescaledb"
