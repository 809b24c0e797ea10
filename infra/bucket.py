"""The backup bucket in a stack: what its provider does, the resource declared, the runner's rights written out."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pulumi

from backups.bucket import (
    BucketSpec,
    S3Login,
    delete_bucket,
    ensure_bucket,
    left_out,
    observed,
    plan_bucket,
    read_bucket,
)
from backups.errors import BackupError, S3UnreachableError
from backups.protections import PROTECTIONS

if TYPE_CHECKING:
    from infra.resources import Bucket
    from infra.targets.s3 import LocalS3

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
    found = {key: observed(key, declared, state.protections[key])
             for key, declared in spec.protections().items() if key not in missing}
    return {**props, **found, "left_out": left_out(spec, missing)}


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


def backup_bucket(spec: BucketSpec, login: Mapping[str, pulumi.Input[Any]], *, on_unsupported: str = "error",
                  allow_with_backups: bool = False, local: LocalS3 | None = None,
                  after: Sequence[pulumi.Resource] = ()) -> Bucket:
    """Declare the bucket. `login` has S3Login's fields; `local` is the S3 server of this stack that it lies on.

    It is made after, and so deleted before, what `after` names: a bucket that refuses to go stops a `destroy` before
    anything that it is the backup of is gone. A bucket that may be deleted with its backups vanishes with the data of
    a server of ours; any other is asked for first.
    """
    from infra.resources import Bucket

    opts = pulumi.ResourceOptions(
        depends_on=[*after, *([local.resource] if local else [])],
        deleted_with=local.data if local and allow_with_backups else None,
        # New names first need the new bucket; the old one is then deleted on its own terms.
        delete_before_replace=False)
    return Bucket("backup-bucket", spec.name, login, spec.protections(), on_unsupported=on_unsupported,
                  allow_with_backups=allow_with_backups, server_is_ours=local is not None, opts=opts)


def runner_policy(spec: BucketSpec, partition: str = "aws") -> str:
    """The IAM policy, as JSON, for whoever runs backups: put, list and read, never delete, never weaken."""
    bucket = f"arn:{partition}:s3:::{spec.name}"
    objects = f"{bucket}/{spec.prefix}*"
    statements: list[dict[str, Any]] = [
        {"Sid": "SeeTheBucket", "Effect": "Allow", "Resource": bucket,
         "Action": ["s3:GetBucketLocation", "s3:GetBucketVersioning", "s3:ListBucketMultipartUploads"]},
        {"Sid": "ListBackups", "Effect": "Allow", "Resource": bucket,
         "Action": ["s3:ListBucket", "s3:ListBucketVersions"],
         "Condition": {"StringLike": {"s3:prefix": [f"{spec.prefix}*"]}}},
        {"Sid": "WriteAndReadBackups", "Effect": "Allow", "Resource": objects,
         "Action": ["s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts", "s3:GetObject",
                    "s3:GetObjectVersion"]},
        {"Sid": "NeverDeleteNorWeaken", "Effect": "Deny", "Resource": [bucket, f"{bucket}/*"],
         "Action": ["s3:DeleteObject", "s3:DeleteObjectVersion", "s3:DeleteBucket", "s3:DeleteBucketPolicy",
                    "s3:PutBucketPolicy", "s3:PutBucketVersioning", "s3:PutLifecycleConfiguration",
                    "s3:PutEncryptionConfiguration", "s3:PutBucketPublicAccessBlock",
                    "s3:BypassGovernanceRetention", "s3:PutBucketObjectLockConfiguration"]},
    ]
    if spec.encryption == "aws:kms" and spec.kms_key and spec.kms_key.startswith("arn:"):
        statements.append({"Sid": "UseTheKey", "Effect": "Allow", "Resource": spec.kms_key,
                           "Action": ["kms:GenerateDataKey", "kms:Decrypt"]})
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, indent=2)
