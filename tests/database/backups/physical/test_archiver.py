"""A server of ours and its stanza: made before the first segment is pushed, whenever the bucket comes."""

from __future__ import annotations

import secrets
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_fixed

from backups.errors import DumpError
from backups.monitoring.objectives import read_archiving
from backups.physical.backup import take_physical
from backups.physical.settings import PHYSICAL
from infra.local import processes
from tests.support.running.archived import DATABASE, Archived, archived, bridge_address, set_timeout
from tests.support.running.s3_servers import S3Server, seaweedfs
from tests.support.running.servers import docker

pytestmark = pytest.mark.needs("official", "s3")

NO_STANZA = "WAL waits: no stanza of this server in the bucket"
FIRST = "000000010000000000000001"
LOCKED = 50  # pgBackRest's exit status where another run of it holds the lock


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("s3")


@pytest.fixture(scope="module")
def s3(folder: Path) -> Iterator[S3Server]:
    """One of its own: it is stopped in the middle."""
    with seaweedfs(folder, bridge_address()) as s3_server:
        yield s3_server


def new_bucket(s3: S3Server) -> str:
    name = f"archiver-{secrets.token_hex(4)}"
    s3.login.client().create_bucket(Bucket=name)
    return name


def write(archive: Archived) -> None:
    """Some segments, the last of them closed."""
    archive.execute(f"CREATE TABLE public.t{secrets.token_hex(4)} AS SELECT generate_series(1, 700000) AS n",
                    "SELECT pg_switch_wal()")


def failures(archive: Archived) -> object:
    return archive.execute("SELECT failed_count FROM pg_stat_archiver")[0][0]


def await_true(archive: Archived, query: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while archive.execute(query) != [(True,)]:
        assert time.monotonic() < deadline, log(archive)
        time.sleep(0.1)


def await_archived(archive: Archived) -> None:
    await_true(archive, "SELECT NOT EXISTS (SELECT FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready')")


def log(archive: Archived) -> str:
    done = subprocess.run(["docker", "logs", archive.container], capture_output=True, text=True, check=True)
    return done.stdout + done.stderr


def pushed(archive: Archived) -> set[str]:
    """What lies in the archive, by the segments' names."""
    return {key.rsplit("/", 1)[1].partition("-")[0] for key, _ in archive.config.store().objects(
        f"{DATABASE}/{PHYSICAL}/archive/")}


def started_again(archive: Archived) -> Archived:
    """It, at the port that its container has now."""
    docker("start", archive.container)
    port = int(docker("port", archive.container, "5432/tcp").split(":")[-1])
    admin = replace(archive.admin, port=port)
    admin.connect(wait_seconds=120).close()
    login = admin.to_dict()
    return replace(archive, admin=admin, config=archive.config.model_copy(update={"admin": login, "database": login}))


def upgrade_stanza(archive: Archived) -> None:
    """Do what the refusal says; again while the server's archiver, which looks each second, has pgBackRest's lock."""
    locked = retry_if_exception(lambda error: getattr(error, "returncode", None) == LOCKED)
    for attempt in Retrying(stop=stop_after_delay(60), wait=wait_fixed(0.2), retry=locked, reraise=True):
        with attempt:
            docker("exec", "--user", "postgres", archive.container, "pgbackrest", "--stanza=main", "stanza-upgrade")


def test_two_servers_that_start_at_one_moment_are_backed_up_at_once_and_push_without_one_failure(s3: S3Server) -> None:
    def begin(bucket: str) -> tuple[object, set[str], str]:
        with archived("official", s3.login, bucket) as archive:
            write(archive)
            assert take_physical(archive.config, "full", verified=False).kind == "full"
            await_archived(archive)
            return failures(archive), pushed(archive), log(archive)

    with ThreadPoolExecutor(2) as pool:
        for failed, segments, lines in pool.map(begin, [new_bucket(s3), new_bucket(s3)]):
            assert failed == 0
            assert FIRST in segments
            assert all(word not in lines for word in (NO_STANZA, "archive.info", "unable to acquire lock"))


def test_a_server_starts_and_ends_without_its_bucket_and_loses_no_wal_until_that_comes(
        s3: S3Server, folder: Path) -> None:
    name = f"archiver-{secrets.token_hex(4)}"
    processes.stop(folder, "s3")
    try:
        with archived("official", s3.login, name) as first:
            assert NO_STANZA in log(first)
            s3.restart()
            write(first)
            docker("stop", "--time", "60", first.container)
            assert docker("inspect", "--format", "{{.State.ExitCode}}", first.container).strip() == "0"
            archive = started_again(first)
            write(archive)
            await_true(archive, "SELECT count(*) > 3 FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready'")
            assert failures(archive) == 0  # as on a stack's first `up`, which makes the bucket last
            set_timeout(archive.admin, "1s")
            await_true(archive, "SELECT min(modification) < now() - interval '2 s' FROM pg_ls_archive_statusdir()")
            assert "none has arrived yet" in str(read_archiving(archive.config).problem)
            s3.login.client().create_bucket(Bucket=name)
            await_archived(archive)
            assert failures(archive) == 0
            assert {f"{FIRST[:-1]}{number}" for number in range(1, 7)} <= pushed(archive)
            take_physical(archive.config, "full")
    finally:
        s3.restart()


def test_a_bucket_that_is_missing_for_minutes_is_reported_as_a_failure(s3: S3Server) -> None:
    name = f"archiver-{secrets.token_hex(4)}"
    with archived("official", s3.login, name) as archive:
        # As if it had been started an hour ago.
        docker("exec", "--user", "postgres", archive.container, "sh", "-c",
               "sed -i \"3s/.*/$(($(date +%s) - 3600))/\" $PGDATA/postmaster.pid")
        write(archive)
        await_true(archive, "SELECT failed_count > 0 FROM pg_stat_archiver")
        assert read_archiving(archive.config).waiting_segments > 0
        s3.login.client().create_bucket(Bucket=name)
        write(archive)
        await_archived(archive)
        assert FIRST in pushed(archive)


def test_a_repository_of_another_server_is_not_used_until_an_upgrade_of_it_is_confirmed(
        s3: S3Server) -> None:
    bucket, cipher = new_bucket(s3), secrets.token_hex(16)
    with archived("official", s3.login, bucket, cipher=cipher) as archive:
        take_physical(archive.config, "full", verified=False)
        before = pushed(archive)
    # As after pg_upgrade: another number of the system, and so another cluster to pgBackRest.
    with archived("official", s3.login, bucket, cipher=cipher) as archive:
        write(archive)
        await_true(archive, "SELECT failed_count > 0 FROM pg_stat_archiver")
        assert f"{NO_STANZA}: [028]" in log(archive)
        with pytest.raises(DumpError, match="stanza-upgrade") as caught:
            take_physical(archive.config, "full", verified=False)
        assert "\n" not in str(caught.value)
        assert pushed(archive) == before
        upgrade_stanza(archive)
        write(archive)
        await_archived(archive)
        assert take_physical(archive.config, "full").verified
