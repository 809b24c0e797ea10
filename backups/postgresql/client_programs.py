"""pg_dump and pg_restore: from this machine where they are new enough, from a Docker image, or from a package."""

from __future__ import annotations

import functools
import os
import re
import shutil
import ssl
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from backups.errors import BackupError
from backups.postgresql.client_images import list_images, pull_image
from backups.temporary_folders import scratch_folder
from schema.connection import SYSTEM, Address

# Where distributions keep the versions side by side; the PATH has but one of them.
FOLDERS = ("/usr/lib/postgresql/{}/bin", "/usr/pgsql-{}/bin", "/usr/libexec/postgresql{}",
           "/opt/homebrew/opt/postgresql@{}/bin")
NEWEST = 30
VERSION = re.compile(r"\(PostgreSQL\) (\d+)(\S*)")


@dataclass(frozen=True)
class Programs:
    """Where pg_dump and pg_restore are: in `folder` on this machine, or in `image`."""

    version: str
    folder: str | None = None
    image: str | None = None

    @property
    def major(self) -> int:
        """The major version."""
        return int(self.version.split(".", maxsplit=1)[0])

    @contextmanager
    def run(self, program: str, arguments: Sequence[str], address: Address, *, shared: Sequence[Path] = (),
            options: str = "") -> Iterator[subprocess.Popen[bytes]]:
        """Start a program that logs in to `address`, stdout a pipe; it is terminated at the end of the block.

        The password is in a file that only this user can read: neither in the arguments nor in what `docker inspect`
        shows. `shared` are files that the program sees under the same path; `options` are server options of its
        sessions.
        """
        with scratch_folder("pg") as folder:
            service = folder / "pg_service.conf"
            with os.fdopen(os.open(service, os.O_CREAT | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
                file.write(_service(address, options))
            command = self._command(program, arguments, str(folder), shared, address)
            with tempfile.TemporaryFile() as errors, subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors,
                    env=_environment(service, address), start_new_session=True) as process:
                process.stderr = _Errors(errors)  # type: ignore[assignment]
                try:
                    yield process
                finally:
                    if process.poll() is None:
                        process.terminate()

    def command(self, program: str, arguments: Sequence[str]) -> list[str]:
        """The command line of a program that connects to no server; it reads stdin and writes stdout."""
        if self.folder is not None:
            return [str(Path(self.folder) / program), *arguments]
        return ["docker", "run", "--rm", "--interactive", "--entrypoint", program, str(self.image), *arguments]

    def _command(self, program: str, arguments: Sequence[str], folder: str, shared: Sequence[Path],
                 address: Address) -> list[str]:
        if self.folder is not None:
            return [str(Path(self.folder) / program), *arguments]
        certificates = [address.sslrootcert] if address.sslrootcert not in (None, SYSTEM) else []
        paths = [folder, *map(str, shared), *certificates]
        mounts = [word for path in paths for word in ("--volume", f"{path}:{path}:ro")]
        return ["docker", "run", "--rm", "--interactive", "--network", "host", "--user", "0:0", *mounts,
                "--env", "PGSERVICEFILE", "--env", "PGSERVICE", "--env", "PGTZ", "--env", "PGCLIENTENCODING",
                "--entrypoint", program, str(self.image), *arguments]


class _Errors:
    """What a program said on stderr, kept in a file so that it never blocks."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def read(self) -> bytes:
        self._file.seek(0)
        return self._file.read()

    def close(self) -> None:
        """Closed by its owner."""


@dataclass(frozen=True)
class Package:
    """A package of client programs that can be installed; `install` returns their folder, and raises BackupError.

    It returns at once where they are installed already.
    """

    major: int
    install: Callable[[], Path]


# Set with `offer_package` by a caller that can install one.
_offered: list[Package] = []


def offer_package(package: Package | None) -> None:
    """Use this package where neither this machine nor an image has the programs; None withdraws the offer."""
    _offered[:] = [package] if package else []


def find_programs(server_version: int, image: str | None = None, *, archive_of: int | None = None) -> Programs:
    """The client programs for a server: of its major version or later.

    They are looked for on this machine, then in `image` (the server's own), in other images here, in the offered
    package, and in an image that can be pulled. Where all are older, the latest that can read an archive of server
    version `archive_of` is taken, since a later server accepts the SQL of an earlier pg_restore. Raises BackupError.
    """
    wanted = server_version // 10000
    least = min(wanted, (archive_of or server_version) // 10000)
    candidates, problems = list[Programs](), list[str]()
    here = [programs for folder in _folders(least) if (programs := _of_folder(folder))]
    if fitting := [programs for programs in here if programs.major >= wanted]:
        return min(fitting, key=lambda programs: programs.major)
    candidates += here
    for programs in _elsewhere(wanted, least, image, candidates, problems):
        if programs.major >= wanted:
            return programs
        candidates.append(programs)
    latest = max(candidates, key=lambda programs: programs.major, default=None)
    if latest and latest.major >= least:
        return latest
    have = ", ".join(sorted({programs.version for programs in candidates})) or "none"
    raise BackupError(f"pg_dump: found {have}, required {least} or later, as the server is; install PostgreSQL's "
                      f"client programs (on Debian: postgresql-client-{least}), or an image with them (docker pull "
                      f"postgres:{least}){''.join(f'; {problem}' for problem in problems)}")


def _elsewhere(wanted: int, least: int, image: str | None, candidates: Sequence[Programs], problems: list[str]
               ) -> Iterator[Programs]:
    """Programs that are not this machine's own, one source after the other; why one gave none is added to `problems`.

    `found` are those so far, these included.
    """
    def of_images(images: Iterable[str]) -> Iterator[Programs]:
        yield from filter(None, map(_of_image, images))

    if shutil.which("docker"):
        yield from of_images([image] if image else [])
        yield from of_images(list_images(wanted))
    def lacking() -> bool:
        return not any(programs.major >= least for programs in candidates)
    for package in _offered:
        # What is only good enough is not worth a download where there is as good already.
        if package.major >= (least if lacking() else wanted):
            try:
                yield from filter(None, [_of_folder(str(package.install()))])
            except BackupError as error:
                problems.append(str(error))
    if lacking() and (pulled := pull_image(wanted)):
        yield from (programs for programs in of_images([pulled]) if programs.major >= wanted)


def complaint(process: subprocess.Popen[bytes]) -> str:
    """The first error line of a program's stderr, or its exit status."""
    text = process.stderr.read().decode(errors="replace") if process.stderr else ""
    lines = [line for line in text.splitlines() if line.strip()]
    worst = next((line for line in lines if "ERROR" in line or "FATAL" in line or "error:" in line), None)
    return (worst or next(iter(lines), f"exit status {process.returncode}"))[:300]


def _folders(least: int) -> list[str]:
    on_path = shutil.which("pg_dump")
    sides = [pattern.format(major) for major in range(least, NEWEST) for pattern in FOLDERS]
    return [*([str(Path(on_path).parent)] if on_path else []), *(folder for folder in sides if Path(folder).is_dir())]


@functools.cache
def _of_image(image: str) -> Programs | None:
    """Asked once: starting a container takes longer than many a backup's rows."""
    done = subprocess.run(["docker", "run", "--rm", "--entrypoint", "pg_dump", image, "--version"],
                          capture_output=True, text=True, check=False)
    match = VERSION.search(done.stdout) if done.returncode == 0 else None
    return Programs(match[1] + match[2], image=image) if match else None


def _of_folder(folder: str) -> Programs | None:
    programs = [Path(folder) / name for name in ("pg_dump", "pg_restore")]
    if not all(os.access(program, os.X_OK) for program in programs):
        return None
    done = subprocess.run([str(programs[0]), "--version"], capture_output=True, text=True, check=False)
    match = VERSION.search(done.stdout)
    return Programs(match[1] + match[2], folder=folder) if match else None


def _service(address: Address, options: str) -> str:
    """A pg_service.conf with one entry; a value is taken to the end of its line."""
    values = {"host": address.host, "port": address.port, "dbname": address.database, "user": address.user,
              "password": address.password, "sslmode": address.sslmode, "sslrootcert": address.sslrootcert,
              "application_name": "lifecompanion backup", "options": options}
    return "[lcdb]\n" + "".join(f"{key}={value}\n" for key, value in values.items() if value)


def _environment(service: Path, address: Address) -> dict[str, str]:
    """Nothing of the caller's PG variables: they would win over the address."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
    return {**(_authorities() if address.sslrootcert == SYSTEM else {}), **kept, "PGSERVICEFILE": str(service),
            "PGSERVICE": "lcdb", "PGTZ": "UTC", "PGCLIENTENCODING": "UTF8"}


def _authorities() -> dict[str, str]:
    """Where this system keeps the authorities that it trusts: programs of a package may look elsewhere for them."""
    paths = ssl.get_default_verify_paths()
    return {name: path for name, path in ((paths.openssl_cafile_env, paths.cafile),
                                          (paths.openssl_capath_env, paths.capath)) if path}
