"""Which S3 server a stack's backups go to, and the bucket on it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from backups.bucket import BucketSpec
from infra.access import Access
from infra.bucket import backup_bucket, runner_policy
from infra.resources import Bucket, Seed, Table
from infra.server import ReadAddress, Server
from infra.settings import Settings, SettingsError
from infra.targets import engine
from infra.targets.gateway import OFFICIAL_IMAGE, find_gateway
from infra.targets.s3 import LocalS3, local_s3, own_image


@dataclass(frozen=True)
class Storage:
    """The stack's bucket, or why it has none."""

    bucket: Bucket | None = None
    facts: Mapping[str, Any] | None = None
    leaves_out: Sequence[str] = ()


def declare_storage(settings: Settings, server: Server, after: Sequence[pulumi.Resource]) -> Storage:
    """Declare the backup bucket, after everything that it backs up, and, where the stack keeps its own, its server."""
    if settings.s3 == "none":
        return Storage(leaves_out=("no backup bucket: lifecompanion:s3 is none",))
    local = None
    if settings.s3 == "local":
        if not _obtainable(server):
            missing = ("an S3 server of the stack's own takes its image, versitygw, or Go to build it, and none of "
                       "them is to be had; install one and run again")
            if settings.s3_on_unsupported == "error":
                raise SettingsError(f"lifecompanion:s3: local, but {missing}")
            return Storage(leaves_out=(f"no backup bucket: {missing}",))
        local = _local(settings, server)
    spec = BucketSpec(settings.bucket_name, expire_days=settings.backup_expire_days,
                      tags={"application": "lifecompanion", "stack": settings.stack})
    bucket = backup_bucket(spec, local.login if local else _login(settings), on_unsupported=settings.s3_on_unsupported,
                           allow_with_backups=settings.allow_bucket_deletion, local=local, after=after)
    facts: dict[str, Any] = {
        "name": spec.name, "region": local.region if local else settings.s3_region,
        "endpoint": local.endpoint if local else settings.s3_endpoint, "left_out": bucket.left_out,
    }
    if settings.s3 == "aws":
        facts["runner_policy"] = runner_policy(spec)
    return Storage(bucket, {key: value for key, value in facts.items() if value is not None})


def everything(access: Access, reads: Sequence[ReadAddress], tables: Mapping[str, Table],
               seed: Seed | None) -> list[pulumi.Resource]:
    """What a bucket outlives: the database, its tables and data, its standbys."""
    standbys = [read.resource for read in reads if read.resource]
    return [*access.ready, *tables.values(), *([seed] if seed else []), *standbys]


def _obtainable(server: Server) -> bool:
    """Whether the local S3 server is here, can be pulled, or can be built."""
    if find_gateway() or shutil.which("go"):
        return True
    return server.network is not None and (
        engine.has_image(OFFICIAL_IMAGE) or engine.has_image(own_image()) or engine.can_pull(OFFICIAL_IMAGE))


def _local(settings: Settings, server: Server) -> LocalS3:
    return local_s3(f"lifecompanion-{settings.stack}-s3", folder=f".lcdb/{settings.stack}/s3", port=settings.s3_port,
                    network=server.network)


def _login(settings: Settings) -> Mapping[str, pulumi.Input[Any]]:
    """Without keys of its own the stack uses what AWS's own tools would find."""
    keys = {"access_key": settings.s3_access_key, "secret_key": settings.s3_secret_key}
    given: dict[str, pulumi.Input[Any]] = {
        name: pulumi.Output.secret(key.get_secret_value()) for name, key in keys.items() if key}
    texts = {"endpoint": settings.s3_endpoint, "ca_file": settings.s3_ca_file, "region": settings.s3_region}
    return {**given, **{key: value for key, value in texts.items() if value},
            "path_style": settings.s3 == "compatible"}
