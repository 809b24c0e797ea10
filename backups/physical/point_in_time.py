"""Recovery to a point in time: a new container with its own volume, filled by pgBackRest, its jobs off."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

from backups.config import BackupConfig
from backups.docker import HBA, query_container, read_port, run_docker, server_options, try_docker
from backups.docker import remove_container as remove_server
from backups.errors import MissedPointError, RestoreError
from backups.physical.bucket_history import require_history
from backups.physical.catalog import find_physical, list_physical
from backups.physical.settings import CA_FILE, DATA, read_cipher, render_settings
from backups.progress import LineListener, ignore
from backups.storage.client import S3Login
from backups.storage.object_store import Store
from backups.temporary_folders import scratch_folder
from schema.connection import Address

NAME = re.compile(r"^[a-z0-9][a-z0-9_.-]{0,50}$")
LOOPBACK = re.compile(r"^https?://(localhost|127\.[\d.]+|\[::1\])(:|/|$)")
SECRETS = "/run/lifecompanion"
RECOVERY_PARAMETERS: Mapping[str, str] = {
    # It must never push its own timeline into the archive that it was recovered from.
    "archive_mode": "off", "listen_addresses": "*", "hba_file": "/etc/lifecompanion/pg_hba.conf", "timezone": "UTC",
    "shared_preload_libraries": "timescaledb,pg_stat_statements", "max_worker_processes": "24",
    # Its image raises these to what the source had, or it would not start on its WAL.
    "max_connections": "100", "max_locks_per_transaction": "512", "max_wal_senders": "10",
}
RECOVERED_BY = ("restore_command", "recovery_target", "recovery_target_time", "recovery_target_name",
                "recovery_target_action", "recovery_target_timeline")
RECOVERY_SECONDS = 6 * 3600
STOP_SECONDS = 60


@dataclass(frozen=True)
class Recovered:
    """A recovered server; `ended` is a Unix time; its roles and passwords are the source's."""

    container: str
    address: Address
    to: str
    seconds: float
    ended: float


def recover(config: BackupConfig, name: str, *, to: datetime | None = None, restore_point: str | None = None,
            backup: str | None = None, as_of: datetime | None = None, image: str | None = None,
            network: str | None = None, options: Sequence[str] = (), labels: Sequence[str] = (),
            parameters: Mapping[str, str] = MappingProxyType({}), listener: LineListener = ignore
            ) -> Recovered:
    """Recover to a time, to a named restore point, or to the end of the archive, in a new container `name`.

    Bucket, login and keys are enough; the source server may be gone. It starts from `backup`, by default from the
    newest that ends before the point; with `as_of`, from the bucket as it was at that time. Jobs are off until
    `release_container`. `labels` are added to the volume. Raises RestoreError; an existing container or volume of this
    name is not touched.
    """
    if not NAME.match(name):
        raise RestoreError(f"target {name}: not a name; take a-z, 0-9, '-', '_' and '.'")
    physical, login = config.physical or {}, S3Login.from_dict(config.s3)
    if LOOPBACK.match(str(login.endpoint)) and not physical.get("endpoint") and network != "host":
        raise RestoreError(f"recovery in a container: S3 endpoint found {login.endpoint}, which in a container is the "
                           "container itself; required one that both reach: give the whole of `lcdb backup config`, or "
                           "the server's other address")
    image = image or physical.get("image")
    if not image:
        raise RestoreError("recovery: no image with PostgreSQL and pgBackRest is known; give --image")
    if _exists(name):
        raise RestoreError(f"target {name}: a container or volume of this name is there already, and a restore "
                           "overwrites nothing; give another name")
    store, database = config.store(first_written=as_of is not None), config.database_name()
    point = _point(to, restore_point)
    if to is not None:
        _require_reach(store, database, to, backup)
    if as_of is not None:
        require_history(store, database, as_of)
        # Options of pgBackRest, for the restore and for each reading of WAL after it.
        point |= {"PGBACKREST_REPO": "1",
                  "PGBACKREST_REPO_TARGET_TIME": f"{as_of.astimezone(UTC):%Y-%m-%d %H:%M:%S}+00"}
    cipher = physical.get("cipher") or read_cipher(store, config.keyring(), database)
    settings = render_settings(login, config.bucket, database, cipher, config.retention, prefix=config.prefix,
                               endpoint=physical.get("endpoint"))
    labelled = [word for label in ("lifecompanion.recovered=true", *labels) for word in ("--label", label)]
    words = ["--network", network or physical.get("network") or "bridge", *options]
    since = time.monotonic()
    sets = _sets(store, database, backup, restore_point, as_of)
    for number, set_ in enumerate(sets, 1):
        try:
            port = _create(name, image, labelled, words, settings, login, {**RECOVERY_PARAMETERS, **parameters},
                           point | ({"RESTORE_SET": set_} if set_ else {}))
            _await(name, listener)
            break
        except MissedPointError:
            remove_container(name)
            if number == len(sets):
                raise
            listener(f"the point does not come after backup {set_}: from the one before it")
    address = Address("127.0.0.1", port, "postgres", "postgres", "", sslmode="disable")
    if config.admin:
        admin = config.administrator()
        address = replace(address, user=admin.user, password=admin.password, database=admin.database)
    return Recovered(name, address, to.isoformat() if to else restore_point or "end of the archive",
                     round(time.monotonic() - since, 1), time.time())


def _sets(store: Store, database: str, backup: str | None, restore_point: str | None, as_of: datetime | None
          ) -> list[str | None]:
    """The backups to try, in order; None leaves the choice to pgBackRest, which knows when each of them ended."""
    if backup is not None:
        return [find_physical(store, database, backup).id]
    if restore_point is None:
        return [None]
    # A name says nothing of its time: pgBackRest would take the newest backup, whose WAL begins after an older point.
    labels = [entry.id for entry in reversed(list_physical(store, database))
              if as_of is None or entry.manifest is None or entry.manifest.stop <= as_of]
    return [*labels] or [None]


def release_container(name: str) -> None:
    """Let the jobs of a recovered server run: allow its background workers again and restart it."""
    output = run_docker("exec", "--user", "postgres", name, "psql", "-XAtqc",
                        "ALTER SYSTEM RESET timescaledb.max_background_workers")
    if output.strip():
        raise RestoreError(f"container {name}: {output.strip()[:200]}")
    run_docker("restart", name)
    _await(name, ignore)


def end_container(name: str) -> None:
    """Stop a recovered server and remove its container; its volume, of the same name, stays.

    The recovery settings are reset first: a standby made from the volume would otherwise stop at the same point.
    """
    words = (word for setting in RECOVERED_BY for word in ("-c", f"ALTER SYSTEM RESET {setting}"))
    run_docker("exec", "--user", "postgres", name, "psql", "-XAtq", *words)
    run_docker("stop", "--time", str(STOP_SECONDS), name)
    run_docker("rm", name)


def remove_container(name: str) -> None:
    """Remove a recovered server and its data; nothing to do where it does not exist."""
    remove_server(name)
    try_docker("volume", "rm", "--force", name)


def _point(to: datetime | None, restore_point: str | None) -> dict[str, str]:
    if to is not None:
        if to.tzinfo is None:
            raise RestoreError(f"point in time {to}: without a time zone; write it as '{to}+00'")
        return {"RESTORE_TYPE": "time", "RESTORE_TARGET": to.isoformat(sep=" ")}
    if restore_point:
        return {"RESTORE_TYPE": "name", "RESTORE_TARGET": restore_point}
    return {"RESTORE_TYPE": "default"}


def _require_reach(store: Store, database: str, to: datetime, backup: str | None) -> None:
    """Raise RestoreError, before anything is made, where the point is yet to come or before every backup's end."""
    if to > datetime.now(UTC):
        raise RestoreError(f"point in time {to}: is yet to come; give one that is past, or none for the end of the WAL "
                           "in the bucket")
    entries = [find_physical(store, database, backup)] if backup else list_physical(store, database)
    oldest = min((entry.manifest.stop if entry.manifest else entry.taken for entry in entries), default=None)
    if oldest and to < oldest:
        raise RestoreError(f"point in time {to}: before backup {backup or entries[0].id} can be recovered to, which is "
                           f"from {oldest:%Y-%m-%d %H:%M:%S+00} on; see `lcdb backup list`")


def _create(name: str, image: str, labelled: Sequence[str], more: Sequence[str], settings: str, login: S3Login,
            parameters: Mapping[str, str], point: Mapping[str, str]) -> int:
    """Make the container, put its secrets into it, start it; the port it will answer on. No secret is an argument."""
    envs = [word for key, value in {"PGDATA": DATA, "NO_TS_TUNE": "true", **point}.items()
            for word in ("--env", f"{key}={value}")]
    run_docker("volume", "create", *labelled, name)
    run_docker("create", "--init", "--name", name, *more, "--publish", "127.0.0.1::5432", "--shm-size", "256m",
               "--volume", f"{name}:{DATA}", *labelled, *envs, image, "postgres", *server_options(parameters))
    try:
        with scratch_folder("recover") as folder:
            _copy_in(name, folder, {"pgbackrest.conf": settings}, SECRETS, 0o600)
            if login.ca_file:
                _copy_in(name, folder, {Path(CA_FILE).name: Path(login.ca_file).read_text(encoding="ascii")},
                         SECRETS, 0o644)
            _copy_in(name, folder, {"pg_hba.conf": HBA}, "/etc/lifecompanion", 0o644)
        run_docker("start", name)
    except BaseException:
        remove_container(name)
        raise
    try:
        return read_port(name)
    except RestoreError:
        raise _explain_end(name) from None  # so soon that it has no port any more


def _copy_in(name: str, folder: Path, files: Mapping[str, str], into: str, mode: int) -> None:
    source = folder / "tree" / into.strip("/")
    source.mkdir(parents=True, exist_ok=True)
    # Modes come into the container as they are here, whatever this user's umask says: those of / and /etc too.
    for directory in (source, *source.parents):
        if directory == folder:
            break
        directory.chmod(0o755)
    for file, text in files.items():
        with os.fdopen(os.open(source / file, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, mode), "w") as out:
            os.fchmod(out.fileno(), mode)
            out.write(text)
    run_docker("cp", f"{folder}/tree/.", f"{name}:/")
    for file in files:
        (source / file).unlink()


def _await(name: str, listener: LineListener) -> None:
    """Wait until the server has reached its point and takes writes; raises RestoreError with its last words."""
    until = time.monotonic() + RECOVERY_SECONDS
    while time.monotonic() < until:
        state = run_docker("inspect", "--format", "{{.State.Running}}", name).strip()
        if state != "true":
            raise _explain_end(name)
        done = query_container(name, "SELECT pg_is_in_recovery(), pg_last_xact_replay_timestamp()")
        if done.returncode == 0 and done.stdout.startswith("f"):
            return
        if done.returncode == 0:
            listener(f"replayed until {done.stdout.strip().partition('|')[2] or 'the first checkpoint'}")
        time.sleep(0.5)
    raise RestoreError(f"recovery in container {name}: not at its end after {RECOVERY_SECONDS} s; see its log")


def _explain_end(name: str) -> RestoreError:
    logs = try_docker("logs", "--tail", "60", name)
    # What it answered to whoever asked too early is no reason.
    lines = [line for line in (logs.stdout + logs.stderr).splitlines()
             if ("ERROR" in line or "FATAL" in line) and "the database system is" not in line]
    why = lines[0].split("ERROR: ")[-1] if lines else "it ended"
    missed = ("before configured recovery target was reached", "unable to find backup set with stop time")
    if any(words in line for words in missed for line in lines):
        return MissedPointError(f"recovery in container {name}: what is in the bucket does not hold the point that was "
                                "asked for; see `lcdb backup list`; the container was removed again")
    return RestoreError(f"recovery in container {name}: {why[:300]}; see `docker logs {name}`, then remove it: "
                        f"docker rm -fv {name} && docker volume rm {name}")


def _exists(name: str) -> bool:
    return any(try_docker(kind, "inspect", name).returncode == 0 for kind in ("container", "volume"))
