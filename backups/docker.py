"""The docker command, as recovery and temporary servers use it: containers with their port on loopback."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from subprocess import CompletedProcess

from backups.errors import RestoreError

# Peer for the container's own user, a password for everybody else.
HBA = "local all all peer\nhost all all all scram-sha-256\n"


def try_docker(*arguments: str, stdin: str | None = None) -> CompletedProcess[str]:
    """Run a docker command and return its exit status and output, whatever they are."""
    return subprocess.run(["docker", *arguments], input=stdin, capture_output=True, text=True, check=False)


def run_docker(*arguments: str, subject: str = "", remedy: str = "correct it and run again") -> str:
    """Run a docker command; returns its output. Raises RestoreError with docker's error in one line."""
    done = try_docker(*arguments)
    if done.returncode != 0:
        raise RestoreError(f"{subject}docker {arguments[0]}: {' '.join(done.stderr.split())[:200]}; {remedy}")
    return done.stdout


def query_container(name: str, statements: str) -> CompletedProcess[str]:
    """Run SQL in the container's server as its superuser, with psql; returns psql's exit status and output."""
    return try_docker("exec", "--interactive", "--user", "postgres", name, "psql", "-XAtq", "-v", "ON_ERROR_STOP=1",
                      "-d", "postgres", stdin=statements)


def read_port(name: str, **words: str) -> int:
    """The port on loopback that the container's server is published on. Raises RestoreError, with `words` as above."""
    return int(run_docker("port", name, "5432/tcp", **words).splitlines()[0].rsplit(":", 1)[1])


def server_options(parameters: Mapping[str, str]) -> list[str]:
    """The arguments of `postgres` that set these parameters."""
    return [word for key, value in parameters.items() for word in ("-c", f"{key}={value}")]


def remove_container(name: str) -> None:
    """Remove a container with its anonymous volumes; nothing to do where it does not exist."""
    try_docker("rm", "--force", "--volumes", name)
