"""The settings of all backup commands as one value: read from a stack's output, or from a file of mode 600."""

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
    """How many backups to keep: the newest of each of the last `daily` days, `weekly` weeks and `monthly` months.

    A period without a backup is not counted.
    """

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
    """All settings for one database's backups.

    `bucket`, `s3` and `keys` are enough to list, verify and restore on another machine; `max_age_hours` is in hours,
    `recovery_time_target` in minutes.
    """

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
    # How many seconds a logical backup may take to read compressed rows as queries give them, which a drill compares.
    proof_seconds: Annotated[float, Field(ge=0)] = 60

    @model_validator(mode="before")
    @classmethod
    def _fits_archiving(cls, values: Any) -> Any:
        if isinstance(values, dict) and values.get("physical") and "schedule" not in values:
            return {**values, "schedule": CONTINUOUS}
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], where: str) -> Self:
        """Validate a mapping of settings.

        Raises BackupError that names every wrong key and never a value. `where` is the mapping's origin, for that
        message.
        """
        try:
            return cls.model_validate(dict(values))
        except ValidationError as error:
            problems = "; ".join(
                f"{'.'.join(map(str, problem['loc']))}: {problem['msg'].replace('Value error, ', 'required ')}"
                for problem in error.errors(include_url=False, include_input=False))
            raise BackupError(f"{where}: {problems}; correct it") from None

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """Read the settings from a JSON file.

        Raises BackupError where the file is missing, is not JSON, or can be read by others.
        """
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
            raise BackupError(f"{path}: not JSON ({error}); write it again") from None
        return cls.from_dict(values if isinstance(values, dict) else {}, str(path))

    def store(self, *, first_written: bool = False) -> Store:
        """Open the bucket under the prefix of backups.

        With `first_written`, every object is read in its first version, so deletions and overwrites have no effect.
        """
        # Here and not above: a physical backup begins before the bucket's libraries are read.
        from backups.storage.client import S3Login
        from backups.storage.object_store import Store

        return Store(S3Login.from_dict(self.s3), self.bucket, self.prefix, first_written=first_written)

    def keyring(self) -> Keyring:
        """The keys that encrypt and decrypt backups; the first one encrypts new ones."""
        from backups.storage.encryption import Keyring

        return Keyring([key.get_secret_value() for key in self.keys])

    def database_name(self) -> str:
        """The database name that the backups are stored under. Raises BackupError where the settings have none."""
        if self.name or self.database:
            return self.name or str((self.database or {})["database"])
        raise BackupError("backup config: neither name nor database is given; name the database that was backed up")

    def source(self) -> Address:
        """The login that backups are taken with. Raises BackupError where the settings have none."""
        if self.database is None:
            raise BackupError("backup config: database is not given; give the login of the role backup")
        return Address.from_dict(self.database)

    def drill_server(self) -> Address | None:
        """The login of the idle server that drills restore into; None where there is none."""
        return None if self.drill is None else Address.from_dict(self.drill)

    def administrator(self) -> Address:
        """The login that restores are made with; where the backed-up database is known, the login connects to that one.

        The administrator's own database may lack the extensions that a manifest names and the tables that a drill
        counts. Raises BackupError where the settings have no such login.
        """
        if self.admin is None:
            raise BackupError("backup config: admin is not given; give --dsn with a superuser's login")
        login = Address.from_dict(self.admin)
        return login if self.database is None else replace(login, database=self.source().database)
