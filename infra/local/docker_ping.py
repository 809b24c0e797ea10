"""Ask whether a Docker engine answers; imports neither Pulumi nor settings, so that `lcdb` starts quickly."""

from __future__ import annotations


def docker_answers(timeout_seconds: int) -> bool:
    """Tell whether a Docker engine answers on this machine; one that is silent counts as absent after the time-out."""
    import docker
    from docker.errors import DockerException

    try:
        client = docker.from_env(timeout=timeout_seconds)
    except DockerException:
        return False
    try:
        return bool(client.ping())
    except (DockerException, OSError):
        return False
    finally:
        client.close()
