"""The backup bucket: declared, read, planned, created or changed, deleted only on request. Imports no pulumi."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, Self

from botocore.exceptions import ClientError

from backups.errors import BucketError, UnsupportedError
from backups.storage.client import S3Login, code, explain_errors, is_not_implemented, wait_until_it_answers
from backups.storage.deletion import delete_bucket
from backups.storage.protections import (
    ABORT,
    EXPIRE,
    LOCK,
    NONCURRENT,
    PROTECTIONS,
    NotImplementedByServer,
    Protection,
    Value,
)

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

__all__ = ["BucketSpec", "BucketState", "Change", "Ensured", "S3Login", "delete_bucket", "ensure_bucket",
           "list_unsupported", "narrow_to_declared", "plan_bucket", "read_bucket"]

NAME = re.compile(r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")
# AWS may show the old configuration for some seconds after a change.
SETTLE_SECONDS = 10.0


@dataclass(frozen=True)
class BucketSpec:
    """The declared bucket; None leaves a protection as the server has it.

    `prefix` is where the backups are; `expire_days` counts from an object's creation, `noncurrent_days` from when it
    was replaced or deleted; None days mean for ever. `encryption` is AES256 or aws:kms, the latter with `kms_key` or
    the account's default key. Raises BucketError for an invalid name or number of days.
    """

    name: str
    versioning: bool | None = True
    encryption: Literal["AES256", "aws:kms"] | None = "AES256"
    kms_key: str | None = None
    block_public_access: bool | None = True
    tls_only: bool | None = True
    ownership: Literal["BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"] | None = "BucketOwnerEnforced"
    prefix: str = "backups/"
    expire_days: int | None = 365
    noncurrent_days: int | None = 30
    abort_uploads_days: int | None = 7
    lock_days: int | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise BucketError for an invalid name or number of days."""
        if not NAME.match(self.name):
            raise BucketError(f"bucket {self.name}: not a bucket name; take 3 to 63 of a-z, 0-9, '-' and '.'")
        for key in ("expire_days", "noncurrent_days", "abort_uploads_days", "lock_days"):
            days = getattr(self, key)
            if days is not None and days < 1:
                raise BucketError(f"bucket {self.name}: {key} found {days}, required at least 1; "
                                  "leave it out for never")

    def protections(self) -> dict[str, Value]:
        """The declared protections by key, shaped like the live ones; those left to the server are absent."""
        encryption = " ".join(filter(None, (self.encryption, self.kms_key))) if self.encryption else None
        declared = {"block_public_access": self.block_public_access, "ownership": self.ownership,
                    "tls_only": self.tls_only, "encryption": encryption, "versioning": self.versioning,
                    EXPIRE: self._rule(self.expire_days), NONCURRENT: self._rule(self.noncurrent_days),
                    ABORT: self._rule(self.abort_uploads_days),
                    LOCK: {"mode": "GOVERNANCE", "days": self.lock_days} if self.lock_days else None,
                    "tags": dict(self.tags)}
        return {key: value for key, value in declared.items() if value is not None}

    def _rule(self, days: int | None) -> dict[str, Any]:
        return {"days": days, "prefix": self.prefix} if days else {}

    @classmethod
    def from_protections(cls, name: str, values: Mapping[str, Any]) -> Self:
        """The inverse of `protections`, from a mapping as Pulumi passes it: numbers as floats, no nulls."""
        rules = {key: rule for key in (EXPIRE, NONCURRENT, ABORT) if (rule := values.get(key))}
        days = {key: int(rules[key]["days"]) if key in rules else None for key in (EXPIRE, NONCURRENT, ABORT)}
        algorithm, _, key = str(values.get("encryption") or "").partition(" ")
        return cls(name, versioning=values.get("versioning"), encryption=algorithm or None,  # type: ignore[arg-type]
                   kms_key=key or None, block_public_access=values.get("block_public_access"),
                   tls_only=values.get("tls_only"), ownership=values.get("ownership"),
                   prefix=next((str(rule.get("prefix", "")) for rule in rules.values()), ""), expire_days=days[EXPIRE],
                   noncurrent_days=days[NONCURRENT], abort_uploads_days=days[ABORT],
                   lock_days=int(lock["days"]) if (lock := values.get(LOCK)) else None,
                   tags={str(k): str(v) for k, v in (values.get("tags") or {}).items()})


@dataclass(frozen=True)
class BucketState:
    """The live bucket: `protections` by key, `unsupported` the keys of those that the server does not implement."""

    name: str
    region: str
    protections: Mapping[str, Value]
    unsupported: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Change:
    """One difference; `key` is the protection's, or "bucket" where the bucket itself is missing."""

    key: str
    name: str
    found: Value
    required: Value

    def __str__(self) -> str:
        """As `name: live -> declared`."""
        return f"{self.name}: {_words(self.found)} -> {_words(self.required)}"


@dataclass(frozen=True)
class Ensured:
    """The result of `ensure_bucket`: the state afterwards, the changes made, and what the server cannot do."""

    state: BucketState
    changes: tuple[Change, ...]
    left_out: list[str]


def read_bucket(login: S3Login, name: str) -> BucketState | None:
    """The live bucket; None where there is none.

    Raises BucketError if it belongs to another account or is in another region, S3Error if the server cannot be asked.
    """
    return _read(login, login.client(), name)


def _read(login: S3Login, client: S3Client, name: str) -> BucketState | None:
    with explain_errors(login, f"look at bucket {name}"):
        try:
            region = client.get_bucket_location(Bucket=name).get("LocationConstraint") or "us-east-1"
        except ClientError as error:
            if code(error) in ("NoSuchBucket", "404"):
                return None
            if code(error) in ("AccessDenied", "403"):
                raise _foreign(login, name) from None
            raise
    if login.endpoint is None and region not in (login.region, {"eu-west-1": "EU"}.get(login.region)):
        raise BucketError(f"bucket {name}: region found {region}, required {login.region}; "
                          "set the region that the bucket is in")
    values: dict[str, Value] = {}
    unsupported = set()
    for protection in PROTECTIONS:
        try:
            with explain_errors(login, f"read the {protection.name} of bucket {name}"):
                values[protection.key] = protection.read(client, name)
        except NotImplementedByServer:
            unsupported.add(protection.key)
    if not values.get(LOCK):
        values.pop(LOCK, None)  # most buckets have none, and it cannot be had by halves
    return BucketState(name, login.region, values, frozenset(unsupported))


def plan_bucket(spec: BucketSpec, state: BucketState | None) -> list[Change]:
    """The changes to make, in order; what the server does not implement is left out. Pure."""
    declared = spec.protections()
    if state is None:
        return [Change("bucket", f"bucket {spec.name}", "absent", "present"),
                *(Change(p.key, p.name, "absent", declared[p.key]) for p in PROTECTIONS if declared.get(p.key))]
    return [Change(p.key, p.name, live, declared[p.key]) for p in PROTECTIONS
            if p.key in declared and p.key not in state.unsupported
            and (live := narrow_to_declared(p.key, declared[p.key], state.protections.get(p.key, {}))
                 ) != declared[p.key]]


def narrow_to_declared(key: str, declared: Value, live: Value) -> Value:
    """The part of a live value that the declaration covers: tags that it does not name are ignored."""
    return {tag: live[tag] for tag in declared if tag in live} if key == "tags" else live


def list_unsupported(spec: BucketSpec, unsupported: frozenset[str]) -> list[str]:
    """One line for each declared protection that the server does not implement."""
    return [f"{p.name}: not implemented by this server" for p in PROTECTIONS
            if p.key in unsupported and spec.protections().get(p.key)]


def ensure_bucket(login: S3Login, spec: BucketSpec, *, on_unsupported: Literal["error", "warn"] = "error",
                  wait_seconds: float = 0) -> Ensured:
    """Create the bucket, or change the live one to its declaration; objects stay, equal protections are not touched.

    Protections that the server does not implement are returned in `left_out`; with on_unsupported="error" they raise
    UnsupportedError after everything else was set. `wait_seconds`: how long to wait for a server that is starting.
    Raises BucketError, S3Error.
    """
    client = login.client()
    wait_until_it_answers(login, client, wait_seconds)
    state = _read(login, client, spec.name)
    changes = plan_bucket(spec, state)
    if state is None:
        _create(login, client, spec)
        state = _read(login, client, spec.name)
        if state is None:
            raise BucketError(f"bucket {spec.name} at {login}: created, but the server does not show it; run again")
        changes = [changes[0], *plan_bucket(spec, state)]
    refused = {change.key for change in changes if change.key != "bucket" and not _put(login, client, spec, change)}
    state = _await_settled(login, client, spec, refused) if changes else state
    missing = list_unsupported(spec, state.unsupported)
    if missing and on_unsupported == "error":
        raise UnsupportedError(f"bucket {spec.name} at {login}: {'; '.join(missing)}; use a server that has it, "
                               "or let the stack warn instead of fail")
    return Ensured(state, tuple(change for change in changes if change.key not in refused), missing)


def _create(login: S3Login, client: S3Client, spec: BucketSpec) -> None:
    place: Any = {} if login.region == "us-east-1" else {
        "CreateBucketConfiguration": {"LocationConstraint": login.region}}
    with explain_errors(login, f"create bucket {spec.name}"):
        try:
            if spec.lock_days:
                place["ObjectLockEnabledForBucket"] = True
            client.create_bucket(Bucket=spec.name, **place)
        except ClientError as error:
            if code(error) == "BucketAlreadyExists":
                raise _foreign(login, spec.name) from None
            if code(error) != "BucketAlreadyOwnedByYou":  # another run of ours was first
                raise


def _put(login: S3Login, client: S3Client, spec: BucketSpec, change: Change) -> bool:
    """Put one protection; False where the server turns out not to have it."""
    protection = _protection(change.key)
    with explain_errors(login, f"set the {protection.name} of bucket {spec.name} (on AWS: {protection.permission})"):
        try:
            protection.put(client, spec.name, change.required)
        except NotImplementedByServer:
            return False
        except ClientError as error:
            if is_not_implemented(error):
                return False
            raise
    return True


def _await_settled(login: S3Login, client: S3Client, spec: BucketSpec, refused: set[str]) -> BucketState:
    """The state once it shows what was put; raises BucketError when it still does not."""
    until = time.monotonic() + SETTLE_SECONDS
    while True:
        live = _read(login, client, spec.name)
        if live:
            live = replace(live, unsupported=live.unsupported | refused)
        open_changes = plan_bucket(spec, live)
        if live and not open_changes:
            return live
        if time.monotonic() > until:
            raise BucketError(f"bucket {spec.name} at {login}: accepted but not done: "
                              f"{'; '.join(map(str, open_changes))}; run again, or look who else changes this bucket")
        time.sleep(1)


def _protection(key: str) -> Protection:
    return next(protection for protection in PROTECTIONS if protection.key == key)


def _foreign(login: S3Login, name: str) -> BucketError:
    return BucketError(f"bucket {name} at {login}: it exists, but this login may not see it: it belongs to "
                       "somebody else; take another name, or give this login the right to s3:GetBucketLocation on it")


def _words(value: Value) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_words(part)}" for key, part in value.items()) or "none"
    return str(value) or '""'
