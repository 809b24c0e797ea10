"""Which S3 server a stack's backups go to, and the bucket on it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi

from backups.storage.bucket import BucketSpec
from infra.components import Component
from infra.local import docker_engine
from infra.local.notices import notify
from infra.local.s3_server import S3ServerError, ensure_s3_server
from infra.local.seaweedfs import OFFICIAL_IMAGE
from infra.program.access import Access
from infra.program.schema import DeclaredObjects
from infra.resources import Bucket, Seed
from infra.server import LocalS3, ReadAddress, Server
from infra.services.s3 import local_server, own_image, s3_login
from infra.settings import Settings, SettingsError

RULES_ALONE = ("bucket lifecycle: the stack's own S3 server keeps the rules, but nothing carries them out; "
               "`lcdb backup prune` deletes old backups")


@dataclass(frozen=True)
class Storage:
    """The stack's bucket, or why it has none."""

    bucket: Bucket | None = None
    facts: Mapping[str, Any] | None = None
    login: Mapping[str, pulumi.Input[Any]] | None = field(default=None, repr=False)
    local: LocalS3 | None = None
    leaves_out: Sequence[str] = ()


def declare_storage(settings: Settings, server: Server, after: Sequence[pulumi.Resource]) -> Storage:
    """Declare the backup bucket, after everything that it backs up, and, where the stack keeps its own, its server."""
    if settings.s3 == "none":
        return Storage(leaves_out=("no backup bucket: lifecompanion:s3 is none",))
    local = None
    if settings.s3 == "local":
        lacking = _lacking(server)
        if lacking and settings.s3_on_unsupported == "error":
            raise SettingsError(f"lifecompanion:s3: local, but {lacking}")
        if lacking:
            return Storage(leaves_out=(f"no backup bucket: {lacking}",))
        # Physical backups had the server's settings before the database was there.
        local = server.s3 or local_server(settings, server.network)
    spec = BucketSpec(settings.bucket_name, expire_days=settings.backup_expire_days,
                      lock_days=settings.backup_lock_days or None,
                      tags={"application": "lifecompanion", "stack": settings.stack})
    login = local.login if local else s3_login(settings)
    component = local.component if local else Component("Storage")
    bucket = _bucket(component, spec, login, on_unsupported=settings.s3_on_unsupported,
                     allow_with_backups=settings.allow_bucket_deletion, local=local, after=after)
    facts: dict[str, Any] = {
        "name": spec.name, "region": local.region if local else settings.s3_region,
        "endpoint": local.endpoint if local else settings.s3_endpoint, "left_out": bucket.left_out,
    }
    component.register_outputs(facts)
    if settings.s3 == "aws":
        facts["runner_policy"] = runner_policy(spec)
    return Storage(bucket, {key: value for key, value in facts.items() if value is not None}, login, local,
                   (RULES_ALONE,) if local else ())


def database_resources(access: Access, reads: Sequence[ReadAddress], objects: DeclaredObjects,
                       seed: Seed | None) -> list[pulumi.Resource]:
    """The resources that a bucket is made after and deleted before: the database, its objects and data, its standbys.
    """
    standbys = [read.resource for read in reads if read.resource]
    return [*access.ready, *objects.values(), *([seed] if seed else []), *standbys]


def _lacking(server: Server) -> str | None:
    """Why the stack's own S3 server cannot be had; None where it is here, can be pulled, or has been installed."""
    if server.network is not None and any(docker_engine.has_image(image) for image in (OFFICIAL_IMAGE, own_image())):
        return None
    try:
        ensure_s3_server(notify=notify)
    except S3ServerError as error:
        return None if server.network is not None and docker_engine.can_pull(OFFICIAL_IMAGE) else str(error)
    return None


def _bucket(component: Component, spec: BucketSpec, login: Mapping[str, pulumi.Input[Any]], *,
            on_unsupported: str = "error", allow_with_backups: bool = False, local: LocalS3 | None = None,
            after: Sequence[pulumi.Resource] = ()) -> Bucket:
    """Declare the bucket. `login` has S3Login's fields; `local` is the S3 server of this stack that it lies on.

    It is made after, and so deleted before, what `after` names: a bucket that refuses to go stops a `destroy` before
    anything that it is the backup of is gone. A bucket that may be deleted with its backups vanishes with the data of
    a server of ours; any other is asked for first.
    """
    opts = component.child(
        depends_on=[*after, *([local.resource] if local else [])],
        deleted_with=local.data if local and allow_with_backups else None,
        # New names first need the new bucket; the old one is then deleted on its own terms.
        delete_before_replace=False)
    return Bucket("backup-bucket", spec.name, login, spec.protections(), on_unsupported=on_unsupported,
                  allow_with_backups=allow_with_backups, server_is_ours=local is not None, opts=opts)


def runner_policy(spec: BucketSpec, partition: str = "aws") -> str:
    """The IAM policy, as JSON, for whoever runs backups: put, list and read, never destroy, never weaken.

    pgBackRest cannot work without deleting: each backup begins by removing a link, and one that was cut off is cleared
    away. Where the bucket keeps versions it may, in the folder of its backups alone: what it deletes is hidden.
    """
    bucket = f"arn:{partition}:s3:::{spec.name}"
    objects = f"{bucket}/{spec.prefix}*"
    hidden = f"{objects}/physical/backup/*"
    statements: list[dict[str, Any]] = [
        {"Sid": "SeeTheBucket", "Effect": "Allow", "Resource": bucket,
         "Action": ["s3:GetBucketLocation", "s3:GetBucketVersioning", "s3:ListBucketMultipartUploads"]},
        {"Sid": "ListBackups", "Effect": "Allow", "Resource": bucket,
         "Action": ["s3:ListBucket", "s3:ListBucketVersions"],
         "Condition": {"StringLike": {"s3:prefix": [f"{spec.prefix}*"]}}},
        {"Sid": "WriteAndReadBackups", "Effect": "Allow", "Resource": objects,
         "Action": ["s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts", "s3:GetObject",
                    "s3:GetObjectVersion"]},
        {"Sid": "NeverDestroyNorWeaken", "Effect": "Deny", "Resource": [bucket, f"{bucket}/*"],
         "Action": ["s3:DeleteObjectVersion", "s3:DeleteBucket", "s3:DeleteBucketPolicy",
                    "s3:PutBucketPolicy", "s3:PutBucketVersioning", "s3:PutLifecycleConfiguration",
                    "s3:PutEncryptionConfiguration", "s3:PutBucketPublicAccessBlock",
                    "s3:BypassGovernanceRetention", "s3:PutBucketObjectLockConfiguration"]},
    ]
    if spec.versioning:
        statements += [{"Sid": "HideWhatWasCutOff", "Effect": "Allow", "Resource": hidden,
                        "Action": ["s3:DeleteObject"]},
                       {"Sid": "DeleteNothingElse", "Effect": "Deny", "NotResource": hidden,
                        "Action": ["s3:DeleteObject"]}]
    else:
        statements.append({"Sid": "DeleteNothing", "Effect": "Deny", "Resource": f"{bucket}/*",
                           "Action": ["s3:DeleteObject"]})
    if spec.encryption == "aws:kms" and spec.kms_key and spec.kms_key.startswith("arn:"):
        statements.append({"Sid": "UseTheKey", "Effect": "Allow", "Resource": spec.kms_key,
                           "Action": ["kms:GenerateDataKey", "kms:Decrypt"]})
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, indent=2)
