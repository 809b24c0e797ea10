"""What the providers of image build contexts share; the providers themselves stay where their stored names say."""

from __future__ import annotations

import shutil
from abc import ABC, abstractmethod
from pathlib import Path

from pulumi.dynamic import CreateResult, DiffResult, ReadResult, ResourceProvider, UpdateResult

from infra.providers.calls import Props, changed


class BuildContextProvider(ResourceProvider, ABC):
    """A folder from which an image is built: prepared by create and update, gone with the resource."""

    serialize_as_secret_always = False

    @abstractmethod
    def _prepare(self, folder: Path) -> Path:
        """Fill the folder and return the build context in it."""

    def create(self, props: Props) -> CreateResult:
        context = self._prepare(Path(props["folder"]))
        return CreateResult(str(props["folder"]), {**props, "context": str(context)})

    def diff(self, _id: str, olds: Props, news: Props) -> DiffResult:
        return DiffResult(changes=changed(olds, news))

    def update(self, _id: str, _olds: Props, news: Props) -> UpdateResult:
        return UpdateResult(self.create(news).outs)

    def read(self, id_: str, props: Props) -> ReadResult:
        return ReadResult(id_, props)

    def delete(self, _id: str, props: Props) -> None:
        shutil.rmtree(props["folder"], ignore_errors=True)
