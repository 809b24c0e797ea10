"""The physical repository after an attack with the runner's own login, which took the backups and has no other right:
restored from the bucket and the key alone, or, where an S3 server cannot tell what lay there when, refused in one
line."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from backups.physical.backup import take_physical
from backups.physical.catalog import SETS, list_physical
from backups.physical.point_in_time import remove_container
from backups.storage.bucket import BucketSpec, ensure_bucket
from backups.storage.object_store import Store
from cli.registry import gather
from tests.database.backups.test_ransomware import attack
from tests.support.running.archived import DATABASE, Archived, archived, bridge_address
from tests.support.running.s3_servers import S3Server, minio, runner_of, seaweedfs

pytestmark = pytest.mark.needs("official")

ROWS = 1000


@dataclass(frozen=True)
class Attacked:
    """What an empty machine has: the bucket, its login and the key, in a file; and when all was well."""

    s3: S3Server
    archive: Archived
    file: Path
    well: datetime
    objects_kept: set[str]
    versions_kept: int

    def restore(self, name: str, *words: str) -> Any:
        return CliRunner().invoke(gather(), ["backup", "restore", "--config", str(self.file), "--container", name,
                                               "--image", str(self.archive.config.image), "--json", *words])


@pytest.fixture(scope="module", params=[minio, seaweedfs], ids=["minio", "seaweedfs"])
def attacked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    folder = tmp_path_factory.mktemp("attacked")
    with request.param(tmp_path_factory.mktemp("s3"), bridge_address()) as s3:
        spec = BucketSpec(
            f"locked-{secrets.token_hex(4)}", lock_days=1, encryption=None, block_public_access=None,
            ownership=None, expire_days=None, noncurrent_days=None, abort_uploads_days=None)
        ensure_bucket(s3.login, spec, on_unsupported="error")
        runner = runner_of(s3, spec)
        with archived("official", runner, spec.name) as archive:
            archive.execute(f"CREATE TABLE public.written AS SELECT generate_series(1, {ROWS}) AS n")
            full = take_physical(archive.config, "full", verified=False)
            store = archive.config.store()
            cut_off = f"{DATABASE}/{SETS}{full.id}_{datetime.now(UTC):%Y%m%d-%H%M%S}I/"
            store.put(f"{cut_off}backup.manifest.copy", b"as far as it came")
            time.sleep(1.1)
            archive.execute(f"INSERT INTO public.written SELECT {ROWS} + n FROM public.written",
                            "SELECT pg_switch_wal()")
            take_physical(archive.config, "incr", verified=False)
            assert list(store.objects(cut_off)) == []  # it has the right to clear that away
            time.sleep(1.1)  # pgBackRest counts in whole seconds
            well = datetime.now(UTC)
            time.sleep(1.1)
            kept = attack(runner.client(), spec.name, spec.prefix)
            file = folder / "backup.json"
            file.write_text(json.dumps({
                "bucket": spec.name, "s3": runner.to_dict(), "name": DATABASE,
                "keys": [key.get_secret_value() for key in archive.config.keys]}))
            file.chmod(0o600)
            yield Attacked(s3, archive, file, well, *kept)


def test_no_version_was_destroyed_and_no_object_hidden_but_in_the_folder_of_pgbackrest_s_backups(
        attacked: Attacked) -> None:
    store = attacked.archive.config.store()
    first = set(dict(replace(store, first_written=True).objects()))
    backups = {key for key in first if f"{DATABASE}/physical/backup/" in key}
    assert len(backups) > 10
    assert attacked.objects_kept == {store.prefix + key for key in first - backups}
    assert any("/physical/archive/" in key for key in attacked.objects_kept)
    assert attacked.versions_kept >= 2 * len(first)  # what was there, and the garbage over it
    assert list_physical(store, DATABASE) == []
    assert [entry.kind for entry in list_physical(replace(store, first_written=True), DATABASE)] == ["full", "incr"]


def test_as_of_a_moment_before_it_all_is_restored(attacked: Attacked) -> None:
    name = f"attacked-{secrets.token_hex(4)}"
    try:
        done = attacked.restore(name, "--as-of", attacked.well.isoformat())
        assert done.exit_code == 0, done.output
        facts = json.loads(done.stdout)
        with replace(attacked.archive.admin, port=facts["port"]).connect() as connection:
            assert connection.execute("SELECT count(*), max(n) FROM public.written").fetchone() == (2 * ROWS, 2 * ROWS)
            assert connection.execute("SHOW timescaledb.max_background_workers").fetchone() == ("0",)
    finally:
        remove_container(name)


def test_an_s3_server_that_loses_version_times_is_reported(
        attacked: Attacked, monkeypatch: pytest.MonkeyPatch) -> None:
    history = Store.history
    # As versitygw does: what is written over is of now.
    monkeypatch.setattr(Store, "history", lambda store, key: {
        version: datetime.now(UTC) for version in history(store, key)})
    done = attacked.restore("never", "--as-of", attacked.well.isoformat())
    assert isinstance(done.exception, Exception)
    line = str(done.exception)
    assert "gives versions a new time when they are deleted or written over" in line
    assert "\n" not in line


def test_a_moment_before_the_first_backup_is_one_line(attacked: Attacked) -> None:
    done = attacked.restore("never", "--as-of", "2020-01-01 00:00:00+00")
    assert "\n" not in str(done.exception)
    assert "--as-of 2020" in str(done.exception)


def test_a_moment_without_a_zone_and_first_versions_of_a_repository_are_refused(attacked: Attacked) -> None:
    assert "without a time zone" in str(attacked.restore("never", "--as-of", "2026-11-22 09:41:00").exception)
    assert "required --as-of" in str(attacked.restore("never", "--as-first-written").exception)
