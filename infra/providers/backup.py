"""The provider of the backup runner's build context; path and class names are frozen for ever."""

from __future__ import annotations

from pathlib import Path

from infra.providers.images import BuildContextProvider


class RunnerBuildProvider(BuildContextProvider):
    """Prepares the build context of the image that runs the backup schedule; `content` is the hash of what is in it."""

    def _prepare(self, folder: Path) -> Path:
        from infra.local.backup_runner_image import prepare_build_context

        return prepare_build_context(folder)
