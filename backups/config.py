"""What backups need to know, in one value: a stack's output, or a file that only its user can read."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator

from backups.errors import BackupError
from schema.connection import Address

if TYPE_CHECKING:
    from backups.storage.encryption import Keyring
    from backups.storage.object_store import Store

Kind = Literal["logical", "full", "diff", "incr", "drill", "prune"]
PHYSICAL_KINDS: frozenset[Kind] = frozenset({"full", "diff", "incr"})


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Retention(_Part):
    """How many backups stay: the newest of each of the last days, weeks and months that have one."""

    daily: Annotated[int, Field(ge=1)] = 7
    weekly: Annotated[int, Field(ge=0)] = 4
    monthly: Annotated[int, Field(ge=0)] = 12


class Due(_Part):
    """One line of the schedule: a cron expression in a time zone."""

    kind: Kind
    cron: str
    timezone: str = "UTC"

    @field_validator("cron")
    @classmethod
    def _is_cron(cls, value: str) -> str:
        from datetime import UTC, datetime

        from cronsim import CronSim, CronSimError

        try:
            CronSim(value, datetime.now(UTC))
        except CronSimError as error:
            raise ValueError(f"a cron expression of five fields ({error})") from None
        return value

    @field_validator("timezone")
    @classmethod
    def _is_zone(cls, value: str) -> str:
        from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError("a time zone such as UTC or Europe/Berlin") from None
        return value


DAILY = (Due(kind="logical", cron="15 2 * * *"), Due(kind="prune", cron="45 3 * * *"),
         Due(kind="drill", cron="15 4 * * 0"))
# Where the server archives: a restore never replays more than four hours of WAL, whichever day of the week it is.
CONTINUOUS = (Due(kind="full", cron="30 1 * * 0"), Due(kind="diff", cron="30 1 * * 1-6"),
              Due(kind="incr", cron="30 */4 * * *"), *DAILY)


class BackupConfig(_Part):
    """Everything for one database. Only bucket, login and keys are needed to list, verify and restore elsewhere."""

    bucket: str
    s3: dict[str, Any]
    keys: list[SecretStr]
    prefix: str = "backups/"
    name: str | None = None
    database: dict[str, Any] | None = None
    admin: dict[str, Any] | None = None
    image: str | None = None
    image_digest: str | None = None
    schedule: tuple[Due, ...] = DAILY
    retention: Retention = Retention()
    max_age_hours: Annotated[float, Field(gt=0)] = 26
    webhook: SecretStr | None = None
    timestamps: Literal["timestamp", "timestamptz"] = "timestamp"
    physical: dict[str, Any] | None = None
    # A superuser's login to an idle server that drills may use as they like; set where the schedule has no Docker.
    drill: dict[str, Any] | None = None
    # How long a recovery may take before `status` fails and an incremental is taken out of turn.
    recovery_time_target: Annotated[float, Field(gt=0)] = 60

    @model_validator(mode="before")
    @classmethod
    def _fits_archiving(cls, values: Any) -> Any:
        if isinstance(values, dict) and values.get("physical") and "schedule" not in values:
            return {**values, "schedule": CONTINUOUS}
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], where: str) -> Self:
        """Raises BackupError that names every wrong key and never a value."""
        try:
            return cls.model_validate(dict(values))
        except ValidationError as error:
            problems = "; ".join(
                f"{'.'.join(map(str, problem['loc']))}: {problem['msg'].replace('Value error, ', 'required ')}"
                for problem in error.errors(include_url=False, include_input=False))
            raise BackupError(f"{where}: {problems}; correct it") from None

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """Raises BackupError where the file is not there, is not JSON, or can be read by others."""
        try:
            mode = path.stat().st_mode
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            raise BackupError(f"{path}: {error.strerror}; write it with `lcdb backup config > {path.name}`") from None
        if mode & 0o077 and os.geteuid() == path.stat().st_uid:
            raise BackupError(f"{path}: found mode {mode & 0o777:o}, required 600, as it holds keys; chmod 600 {path}")
        try:
            values = json.loads(text)
        except ValueError as error:
            raise BackupError(f"{path}: not JSON ({error}); write it anew") from None
        return cls.from_dict(values if isinstance(values, dict) else {}, str(path))

    def store(self, *, first_written: bool = False) -> Store:
        """The bucket, under the prefix of backups; with `first_written`, as it was before anything was overwritten."""
        # Here and not above: a physical backup begins before the bucket's libraries are read.
        from backups.storage.client import S3Login
        from backups.storage.object_store import Store

        return Store(S3Login.from_dict(self.s3), self.bucket, self.prefix, first_written=first_written)

    def keyring(self) -> Keyring:
        from backups.storage.encryption import Keyring

        return Keyring([key.get_secret_value() for key in self.keys])

    def database_name(self) -> str:
        """The name that the backups are under."""
        if self.name or self.database:
            return self.name or str((self.database or {})["database"])
        raise BackupError("backup config: neither name nor database is given; name the database that was backed up")

    def source(self) -> Address:
        """The login that backups are taken with."""
        if self.database is None:
            raise BackupError("backup config: database is not given; give the login of the role backup")
        return Address.from_dict(self.database)

    def drill_server(self) -> Address | None:
        """The idle server that drills restore into; None where they make one, or use the live one."""
        return None if self.drill is None else Address.from_dict(self.drill)

    def administrator(self) -> Address:
        """The login that restores are made with, to the database that is backed up where that is known.

        His own may lack its extensions, which a manifest names, and its tables, which a drill counts.
        """
        if self.admin is None:
            raise BackupError("backup config: admin is not given; give --dsn with a superuser's login")
        login = Address.from_dict(self.admin)
        return login if self.database is None else replace(login, database=self.source().database)
