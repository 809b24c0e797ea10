"""Plan, make, read and delete the backup bucket from the properties of its Pulumi resource."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from backups.errors import BackupError, S3UnreachableError
from backups.storage.bucket import (
    BucketSpec,
    S3Login,
    delete_bucket,
    ensure_bucket,
    list_unsupported,
    narrow_to_declared,
    plan_bucket,
    read_bucket,
)
from backups.storage.protections import PROTECTIONS

Props = dict[str, Any]
# How long a server that the stack itself starts may take to answer.
START_SECONDS = 60.0


def read_spec(props: Mapping[str, Any]) -> BucketSpec:
    """Turn a resource's properties into the bucket's declaration."""
    return BucketSpec.from_protections(str(props["bucket"]), props)


def plan_changes(props: Mapping[str, Any], *, server_known: bool) -> list[str]:
    """Compare the declared bucket with the live one; one line for each change, none where they agree.

    A server that is not up yet counts as an empty one. One that cannot be asked gives the line `not known yet: ...`.
    """
    spec = read_spec(props)
    login = S3Login.from_dict(props["login"]) if server_known else None
    try:
        if login is None or login.ca_file_is_missing():
            return [str(change) for change in plan_bucket(spec, None)]
        return [str(change) for change in plan_bucket(spec, read_bucket(login, spec.name))]
    except BackupError as error:
        # `up` may be about to start this very server; if not, the update says it again and fails.
        return [f"not known yet: {error}"]


def ensure(props: Mapping[str, Any]) -> list[str]:
    """Make the live bucket the declared one; returns one line for each protection that the server does not support.

    Raises BackupError, where the stack does not allow (`s3OnUnsupported: warn`) that a protection is missing too.
    """
    done = ensure_bucket(S3Login.from_dict(props["login"]), read_spec(props), on_unsupported=props["on_unsupported"],
                         wait_seconds=START_SECONDS if props["server_is_ours"] else 0)
    return done.left_out


def read_live(props: Mapping[str, Any]) -> Props | None:
    """Read the live bucket: the properties with its real protections in place of the declared ones; None if it is gone.

    Where the stack's own server is down, the properties are returned unchanged: that server's resource reports it.
    Raises S3UnreachableError for any other server that does not answer.
    """
    spec = read_spec(props)
    try:
        state = read_bucket(S3Login.from_dict(props["login"]), spec.name)
    except S3UnreachableError as error:
        if not props["server_is_ours"]:
            raise
        print(f"bucket {spec.name}: not looked at: {error}", file=sys.stderr)
        return dict(props)
    if state is None:
        return None
    missing = state.unsupported | {key for key in spec.protections() if is_left_out(key, props.get("left_out") or ())}
    protections = {key: narrow_to_declared(key, declared, state.protections.get(key, {}))
                   for key, declared in spec.protections().items() if key not in missing}
    return {**props, **protections, "left_out": list_unsupported(spec, missing)}


def is_left_out(key: str, lines: Sequence[str]) -> bool:
    """Tell whether one of the lines of `left_out` is about this protection."""
    name = next(protection.name for protection in PROTECTIONS if protection.key == key)
    return any(line.startswith(f"{name}: ") for line in lines)


def has_changes(plan: Sequence[str], lines: Sequence[str]) -> bool:
    """Tell whether a plan changes anything but the protections that the server has refused before (`left_out`)."""
    names = [protection.name for protection in PROTECTIONS if is_left_out(protection.key, lines)]
    return any(not line.startswith(tuple(f"{name}: " for name in names)) for line in plan)


def delete(props: Mapping[str, Any]) -> None:
    """Delete the bucket. Raises BackupError while it holds backups, unless the stack allows it."""
    delete_bucket(S3Login.from_dict(props["login"]), str(props["bucket"]),
                  allow_with_backups=bool(props["allow_with_backups"]))
