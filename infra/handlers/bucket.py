"""Between Pulumi's properties and the backup bucket: what its resource plans, makes, reads and deletes."""

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
# What a server of ours may take to answer after its start.
START_SECONDS = 60.0


def spec_of(props: Mapping[str, Any]) -> BucketSpec:
    """The declaration that a resource's properties carry."""
    return BucketSpec.from_protections(str(props["bucket"]), props)


def planned(props: Mapping[str, Any], *, server_known: bool) -> list[str]:
    """What an update would change, line by line; a server that is not up yet is planned for as an empty one."""
    spec = spec_of(props)
    login = S3Login.from_dict(props["login"]) if server_known else None
    try:
        if login is None or login.ca_file_is_missing():
            return [str(change) for change in plan_bucket(spec, None)]
        return [str(change) for change in plan_bucket(spec, read_bucket(login, spec.name))]
    except BackupError as error:
        # `up` may be about to start this very server; if not, the update says it again and fails.
        return [f"not known yet: {error}"]


def ensured(props: Mapping[str, Any]) -> list[str]:
    """Make the bucket as declared and return what the server cannot do."""
    done = ensure_bucket(S3Login.from_dict(props["login"]), spec_of(props), on_unsupported=props["on_unsupported"],
                         wait_seconds=START_SECONDS if props["server_is_ours"] else 0)
    return done.left_out


def live(props: Mapping[str, Any]) -> Props | None:
    """The properties with the bucket's real protections in place of the declared ones; None where it is gone.

    A server of ours that is down says so by its own resource; the bucket on it is taken to be as it was.
    """
    spec = spec_of(props)
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
    found = {key: narrow_to_declared(key, declared, state.protections.get(key, {}))
             for key, declared in spec.protections().items() if key not in missing}
    return {**props, **found, "left_out": list_unsupported(spec, missing)}


def is_left_out(key: str, lines: Sequence[str]) -> bool:
    """Whether one of `left_out`'s lines names this protection."""
    name = next(protection.name for protection in PROTECTIONS if protection.key == key)
    return any(line.startswith(f"{name}: ") for line in lines)


def is_work(plan: Sequence[str], lines: Sequence[str]) -> bool:
    """Whether a plan holds more than what the server was found not to have when it was tried."""
    names = [protection.name for protection in PROTECTIONS if is_left_out(protection.key, lines)]
    return any(not line.startswith(tuple(f"{name}: " for name in names)) for line in plan)


def deleted(props: Mapping[str, Any]) -> None:
    """Delete the bucket, refused while it holds backups unless the stack allows it."""
    delete_bucket(S3Login.from_dict(props["login"]), str(props["bucket"]),
                  allow_with_backups=bool(props["allow_with_backups"]))
