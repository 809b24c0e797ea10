"""The base class of providers that prepare a folder for `docker build`; state files name the modules of the others."""

from __future__ import annotations

import shutil
from abc import ABC, abstractmethod
from pathlib import Path

from pulumi.dynamic import CreateResult, DiffResult, ReadResult, ResourceProvider, UpdateResult

from infra.providers.calls import Props, has_changed


class BuildContextProvider(ResourceProvider, ABC):
    """Prepares a folder for `docker build` on create and update, and deletes it with the resource."""

    serialize_as_secret_always = False

    @abstractmethod
    def _prepare(self, folder: Path) -> Path:
        """Fill the folder and return the build context in it."""

    def create(self, props: Props) -> CreateResult:
        """Prepare the folder."""
        context = self._prepare(Path(props["folder"]))
        return CreateResult(str(props["folder"]), {**props, "context": str(context)})

    def diff(self, _id: str, olds: Props, news: Props) -> DiffResult:
        """Compare the inputs, with the hash of the content, with the stored ones."""
        return DiffResult(changes=has_changed(olds, news))

    def update(self, _id: str, _olds: Props, news: Props) -> UpdateResult:
        """Prepare the folder anew."""
        return UpdateResult(self.create(news).outs)

    def read(self, id_: str, props: Props) -> ReadResult:
        """Return what is stored."""
        return ReadResult(id_, props)

    def delete(self, _id: str, props: Props) -> None:
        """Delete the folder."""
        shutil.rmtree(props["folder"], ignore_errors=True)
