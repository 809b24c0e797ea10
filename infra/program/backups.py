"""Backups of a stack: the settings that backup commands read, the keys, and the container that keeps the schedule."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi

from infra.components import Component
from infra.program.access import BACKUP, Access, connection
from infra.program.storage import Storage
from infra.resources import Password
from infra.server import Server
from infra.settings import Settings


@dataclass(frozen=True)
class Backups:
    """What the stack's outputs say of its backups; None where it has no bucket."""

    config: pulumi.Output[Mapping[str, Any]] | None = field(default=None, repr=False)
    schedule: Sequence[Mapping[str, str]] = ()
    leaves_out: Sequence[str] = ()


def declare_backups(settings: Settings, server: Server, access: Access, storage: Storage) -> Backups:
    """Declare the key and, where the stack has a schedule, who keeps it. A stack without a bucket has no backups."""
    if storage.bucket is None or storage.login is None:
        return Backups()
    component = Component("Backups")
    keys = backup_keys(settings, component)
    config = _config(settings, server, access, storage, keys)
    schedule = [due.model_dump() for due in settings.schedule]
    leaves_out: list[str] = []
    if schedule and server.network is not None:
        from infra.program.backup_runner import declare_sidecar
        from infra.program.drill_server import declare_drill_server

        drilled = any(due.kind == "drill" for due in settings.schedule)
        drill = declare_drill_server(settings, component, server) if drilled else None
        declare_sidecar(settings, component, server, access, storage, config, drill)
    elif schedule:
        leaves_out.append(f"the schedule of backups is kept by nobody in target {settings.target}: call "
                          f"`lcdb backup serve --once --stack {settings.stack}` from a timer, see docs/backup.md")
    component.register_outputs({"schedule": schedule})
    return Backups(config, schedule, leaves_out)


def backup_keys(settings: Settings, component: Component) -> pulumi.Output[list[str]]:
    """The keys given in the stack's config, then one generated for good.

    That one stays whatever is given: what was taken before anything was would else be lost with it.
    """
    given = [key.get_secret_value() for key in settings.backup_keys]
    return pulumi.Output.secret(Password("backup-key", component.child()).value.apply(
        lambda own: list(dict.fromkeys([*given, own]))))


def _config(settings: Settings, server: Server, access: Access, storage: Storage,
            keys: pulumi.Output[list[str]]) -> pulumi.Output[Mapping[str, Any]]:
    """What backups.config.BackupConfig takes, as seen from this machine; secret."""
    admin = connection(server, settings.database, server.admin_user, server.admin_password)
    webhook = settings.backup_webhook
    plain = {
        "bucket": settings.bucket_name, "name": settings.database, "timestamps": settings.timestamps,
        "retention": settings.backup_retention.model_dump(), "max_age_hours": settings.backup_max_age_hours,
        "recovery_time_target": settings.recovery_time_target,
        **({"schedule": [due.model_dump() for due in settings.schedule]} if settings.schedule else {}),
        **({"webhook": webhook.get_secret_value()} if webhook else {}),
    }
    return pulumi.Output.secret(pulumi.Output.all(
        plain=pulumi.Output.secret(json.dumps(plain)), s3=pulumi.Output.from_input(storage.login), keys=keys,
        admin=admin, database=access.connection(server, BACKUP), image=server.image,
        image_digest=server.image_digest,
        physical=server.physical.facts if server.physical else None).apply(_merge))


def _merge(known: Mapping[str, Any]) -> Mapping[str, Any]:
    values = {**json.loads(known["plain"]), **{key: value for key, value in known.items() if key != "plain"}}
    return {key: value for key, value in values.items() if value is not None}
