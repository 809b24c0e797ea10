"""The provider of the backup runner's build context; path and class names are frozen for ever."""

from __future__ import annotations

import shutil
from pathlib import Path

from pulumi.dynamic import CreateResult, DiffResult, ReadResult, ResourceProvider, UpdateResult

from infra.providers.calls import Props, changed


class RunnerBuildProvider(ResourceProvider):
    """The folder from which the image that keeps the schedule is built; `content` names what it holds."""

    serialize_as_secret_always = False

    def create(self, props: Props) -> CreateResult:
        from infra.targets.runner import prepare_build_context

        context = prepare_build_context(Path(props["folder"]))
        return CreateResult(str(props["folder"]), {**props, "context": str(context)})

    def diff(self, _id: str, olds: Props, news: Props) -> DiffResult:
        return DiffResult(changes=changed(olds, news))

    def update(self, _id: str, _olds: Props, news: Props) -> UpdateResult:
        return UpdateResult(self.create(news).outs)

    def read(self, id_: str, props: Props) -> ReadResult:
        return ReadResult(id_, props)

    def delete(self, _id: str, props: Props) -> None:
        shutil.rmtree(props["folder"], ignore_errors=True)
