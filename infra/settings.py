"""All settings of a stack as one frozen, checked value; errors name the key, the value, and the remedy.

Each field is one stack config key `lifecompanion:<camelCase>`; Pulumi.yaml documents the same keys with the same
defaults, which a test holds together.
"""

from __future__ import annotations

import ipaddress
import json
import re
import zlib
from collections.abc import Collection, Mapping
from typing import Annotated, Any, Literal, Self

import pulumi
from pulumi.runtime import config as runtime
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_camel

from backups.config import CONTINUOUS, Due, Retention
from backups.storage.encryption import LEAST_KEY_LENGTH
from infra import archiving
from schema.model.change.step import Hazard

NAMESPACE = "lifecompanion"
OFFICIAL_IMAGE = "timescale/timescaledb:2.29.2-pg17"
SIZE = re.compile(r"^(\d+(?:\.\d+)?)\s*(MiB|GiB|MB|GB)$")
UNITS = {"MiB": 2**20, "GiB": 2**30, "MB": 10**6, "GB": 10**9}
# The replicas and the S3 server take the ports that follow the primary's.
PORTS_PER_STACK = 10


class SettingsError(Exception):
    """A value in the stack's config is wrong; the message has one line for each key."""


def _address(value: str) -> str:
    ipaddress.ip_address(value)
    return value


def _from_json(value: Any) -> Any:
    """Lists and objects reach the program as JSON text."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        raise ValueError("a list or an object; set it with `pulumi config set --path`, or as JSON") from None


def _unset(value: Any) -> Any:
    return None if value in (0, "0") else value


def _size(value: Any) -> Any:
    match = SIZE.match(value) if isinstance(value, str) else None
    if isinstance(value, str) and not match:
        raise ValueError("a size such as 2GiB or 512MiB")
    return int(float(match[1]) * UNITS[match[2]]) if match else value


def _check_volume(volume: Mapping[str, int]) -> None:
    # Imported only where it is needed: the factories bring NumPy, and every update reads the settings.
    from seed import SeedError, Spec

    try:
        Spec.from_dict(volume)
    except SeedError as error:
        raise ValueError(str(error)) from None


Port = Annotated[int, Field(ge=1024, le=65535)]
Rows = Annotated[int, Field(ge=1)]
Bind = Annotated[str, AfterValidator(_address)]
Bytes = Annotated[int, BeforeValidator(_size)]
Role = Literal["owner", "app", "readonly", "backup", "monitor", "replicator"]
Password = Annotated[SecretStr, Field(min_length=12)]
BackupKey = Annotated[SecretStr, Field(min_length=LEAST_KEY_LENGTH)]
ReadAddress = Annotated[str, Field(pattern=r"^[A-Za-z0-9.\-]+:\d{1,5}$")]


class Settings(BaseModel):
    """The settings of one stack. Sizes are in bytes, durations in days; no repr shows a secret."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, hide_input_in_errors=True)

    stack: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.\-]{0,60}$")]
    target: Literal["docker", "host", "embedded"]
    database: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,40}$")] = "lifecompanion"
    port: Annotated[Port | None, BeforeValidator(_unset)] = None
    bind_address: Bind = "127.0.0.1"
    # Role to password, for roles whose password is not to be generated.
    passwords: Annotated[dict[Role, Password], BeforeValidator(_from_json)] = {}

    # docker target
    image: Annotated[str, Field(min_length=1)] = "auto"
    memory: Annotated[Bytes, Field(ge=256 * 2**20)] = 2 * 2**30
    cpus: Annotated[int, Field(ge=1, le=512)] = 2
    parameters: Annotated[dict[str, str], BeforeValidator(_from_json)] = {}
    replicas: Annotated[int, Field(ge=0, le=8)] = 0

    # host target
    host: str | None = None
    admin_user: str = "postgres"
    admin_password: SecretStr | None = None
    # Not "prefer" nor "allow": they give the password to whoever answers in place of the server.
    sslmode: Literal["disable", "require", "verify-ca", "verify-full"] = "verify-full"
    ssl_root_cert: str | None = None
    read_addresses: Annotated[tuple[ReadAddress, ...], BeforeValidator(_from_json)] = ()

    # schema
    timestamps: Literal["timestamp", "timestamptz"] = "timestamp"
    on_unsupported: Literal["error", "skip"] = "error"
    allow_hazards: Annotated[tuple[Hazard, ...], BeforeValidator(_from_json)] = ()
    # Full name of an object to the hazards that changes to it may carry beside those above.
    allow: Annotated[dict[str, tuple[Hazard, ...]], BeforeValidator(_from_json)] = {}
    # Full names of objects that are never dropped.
    protect: Annotated[tuple[str, ...], BeforeValidator(_from_json)] = ()
    # Bytes of WAL that a standby may be behind when a heavy step of a schema change begins; 0: it waits for nobody.
    max_replica_lag: Annotated[int, Field(ge=0)] = 0

    # seed
    seed: bool = False
    seed_number: Annotated[int, Field(ge=0, le=2**32 - 1)] = 20260101
    seed_users: Annotated[Rows | None, BeforeValidator(_unset)] = None
    seed_devices_per_user: Annotated[Rows | None, BeforeValidator(_unset)] = None
    seed_days: Annotated[Rows | None, BeforeValidator(_unset)] = None
    seed_interval: Annotated[Rows | None, BeforeValidator(_unset)] = None

    # backup bucket
    s3: Literal["local", "aws", "compatible", "none"] = "none"
    bucket: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9]$")] | None = None
    s3_region: str = "us-east-1"
    s3_endpoint: Annotated[str, Field(pattern=r"^https://\S+$")] | None = None
    s3_access_key: SecretStr | None = None
    s3_secret_key: SecretStr | None = None
    s3_ca_file: str | None = None
    s3_on_unsupported: Literal["error", "warn"] = "error"
    backup_expire_days: Annotated[int, Field(ge=1, le=3650)] = 365
    backup_lock_days: Annotated[int, Field(ge=0, le=3650)] = 0
    allow_bucket_deletion: bool = False

    # backups
    backup_keys: Annotated[tuple[BackupKey, ...], BeforeValidator(_from_json)] = ()
    backup_schedule: Annotated[tuple[Due, ...], BeforeValidator(_from_json)] = ()
    backup_retention: Annotated[Retention, BeforeValidator(_from_json)] = Retention()
    backup_max_age_hours: Annotated[int, Field(ge=1)] = 26
    recovery_time_target: Annotated[int, Field(ge=1)] = 60
    backup_webhook: SecretStr | None = None
    # None: wherever it makes sense, see infra/archiving.py.
    physical_backups: bool | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.target == "host" and not (self.host and self.admin_password):
            raise ValueError("target host needs host and adminPassword: "
                             "set both, the password with `pulumi config set --secret`")
        if self.target != "docker" and self.replicas:
            raise ValueError(f"replicas: found {self.replicas}, but target {self.target} has none of its own; "
                             "set 0, and for a host give readAddresses")
        if self.primary_port + PORTS_PER_STACK > 65536:
            raise ValueError(f"port: found {self.primary_port}, required at most {65536 - PORTS_PER_STACK}: "
                             "the ports of replicas and S3 server follow it")
        if self.backup_schedule and self.s3 == "none":
            raise ValueError("backupSchedule: found a schedule, but s3 is none; set where backups go")
        archiving.check_archiving(self.physical_backups, self.target, self.s3, self.backup_schedule)
        if self.s3 == "local" and self.target == "host":
            raise ValueError("s3: found local, but target host is for servers of value: set aws or compatible")
        if self.s3 in ("aws", "compatible") and not self.bucket:
            raise ValueError(f"s3 {self.s3} needs bucket: set the bucket's name")
        if self.s3 == "compatible" and not (self.s3_endpoint and self.s3_access_key and self.s3_secret_key):
            raise ValueError("s3 compatible needs s3Endpoint, s3AccessKey and s3SecretKey: set all three")
        if self.seed_volume:
            _check_volume(self.seed_volume)
        return self

    @property
    def archives(self) -> bool:
        """Whether the server's WAL goes into the bucket and physical backups are taken."""
        return archiving.archives(self.physical_backups, self.target, self.s3, self.backup_schedule)

    @property
    def schedule(self) -> tuple[Due, ...]:
        """The schedule given, else where the server archives the default one, with incrementals for a fast recovery."""
        return self.backup_schedule or (CONTINUOUS if self.archives else ())

    def allowed(self, name: str) -> frozenset[Hazard]:
        """Return the hazards that changes to the object with this full name may carry."""
        return frozenset((*self.allow_hazards, *self.allow.get(name, ())))

    @property
    def seed_volume(self) -> dict[str, int]:
        """How much development data to load, as arguments of seed.Spec, without those not given."""
        volume = {"users": self.seed_users, "devices_per_user": self.seed_devices_per_user, "days": self.seed_days,
                 "interval": self.seed_interval}
        return {name: value for name, value in volume.items() if value is not None}

    @property
    def primary_port(self) -> int:
        """The port given, else 5432 on a host, else one derived from the stack's name."""
        if self.port or self.target == "host":
            return self.port or 5432
        return 20000 + PORTS_PER_STACK * (zlib.crc32(self.stack.encode()) % 1000)

    def replica_port(self, number: int) -> int:
        """Return the port of standby `number`, counted from 1."""
        return self.primary_port + number

    @property
    def s3_port(self) -> int:
        """The port of the stack's own S3 server."""
        return self.primary_port + PORTS_PER_STACK - 1

    @property
    def bucket_name(self) -> str:
        """The bucket given, else one named after the stack."""
        return self.bucket or f"lifecompanion-{re.sub('[^a-z0-9]+', '-', self.stack.lower()).strip('-')}-backups"


# The keys that say how a stack's schema is planned; secrets and servers are none of theirs.
SCHEMA_KEYS = ("timestamps", "onUnsupported", "allowHazards", "allow", "protect", "maxReplicaLag")

# Written in a stack file they would be readable by everyone who can read the repository.
SECRETS = frozenset({"adminPassword", "passwords", "s3AccessKey", "s3SecretKey", "backupKeys", "backupWebhook"})


def parse_settings(stack: str, config: Mapping[str, Any], secret_keys: Collection[str] = ()) -> Settings:
    """Check a stack's raw config (full keys to text) into Settings; keys of other namespaces are not ours to judge.

    Raises SettingsError that names, for every wrong key: the key, the value found, what is allowed.
    """
    # Pulumi.yaml can document a key only with a default: the empty one stands for "not given".
    own = {key.split(":", 1)[1]: value for key, value in config.items()
           if key.startswith(f"{NAMESPACE}:") and value != ""}
    plain = sorted(key for key in SECRETS & own.keys() if f"{NAMESPACE}:{key}" not in secret_keys)
    problems = [f"{NAMESPACE}:{key}: found in plain text, required a secret; "
                f"set it with `pulumi config set --secret {NAMESPACE}:{key}`" for key in plain]
    try:
        settings = Settings.model_validate({"stack": stack, **own})
    except ValidationError as error:
        problems += [_explain(dict(problem), own) for problem in error.errors(include_url=False)]
    if problems:
        raise SettingsError("\n".join(problems))
    return settings


def schema_settings(stack: str, config: Mapping[str, Any]) -> Settings:
    """Check the schema settings in a stack's config (keys without namespace); all other settings have their defaults.

    Raises SettingsError.
    """
    own = {f"{NAMESPACE}:{key}": config[key] for key in SCHEMA_KEYS if config.get(key) is not None}
    return parse_settings(stack, {f"{NAMESPACE}:target": "docker", **own})


def read_settings() -> Settings:
    """Read the settings of the stack that Pulumi runs. Raises SettingsError."""
    config = {**runtime.get_config_env(), **runtime.CONFIG.get()}
    secret = {key for key in config if runtime.is_config_secret(key)} | set(runtime.get_config_secret_keys_env())
    return parse_settings(pulumi.get_stack(), config, secret)


def _explain(problem: dict[str, Any], own: Mapping[str, Any]) -> str:
    path = problem["loc"]
    message = str(problem["msg"]).removeprefix("Value error, ")
    if not path:
        return f"{NAMESPACE}: {message}"
    key = str(path[0])
    if problem["type"] == "extra_forbidden":
        known = ", ".join(sorted(to_camel(name) for name in Settings.model_fields if name != "stack"))
        return f"{NAMESPACE}:{key}: no such key; known are: {known}"
    if problem["type"] == "missing":
        return f"{NAMESPACE}:{key}: not set; set it with `pulumi config set {NAMESPACE}:{key} ...`"
    value = "a secret" if key in SECRETS else repr(own.get(key))
    return f"{NAMESPACE}:{key}: found {value}, required: {message[:1].lower()}{message[1:]}"
