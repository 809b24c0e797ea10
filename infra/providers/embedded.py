"""The embedded server."""

from __future__ import annotations

from pathlib import Path

from pulumi.dynamic import CreateResult, DiffResult, ReadResult, ResourceProvider, UpdateResult

from infra.providers.calls import Props, changed


class EmbeddedServerProvider(ResourceProvider):
    """The embedded server's process; one that has ended is started again by the next update, on the same data."""

    serialize_as_secret_always = False

    def create(self, props: Props) -> CreateResult:
        return CreateResult(str(props["folder"]), self._start(props))

    def diff(self, _id: str, olds: Props, news: Props) -> DiffResult:
        from infra.targets.embedded import alive

        replaces = ["folder"] if olds["folder"] != news["folder"] else []
        return DiffResult(changes=changed(olds, news) or not alive(Path(olds["folder"])), replaces=replaces)

    def update(self, _id: str, _olds: Props, news: Props) -> UpdateResult:
        return UpdateResult(self._start(news))

    def read(self, id_: str, props: Props) -> ReadResult:
        from infra.targets.embedded import alive

        return ReadResult(id_, {**props, "running": alive(Path(props["folder"]))})

    def delete(self, _id: str, props: Props) -> None:
        from infra.targets.embedded import remove

        remove(Path(props["folder"]))

    @staticmethod
    def _start(props: Props) -> Props:
        from infra.targets.embedded import start

        start(Path(props["folder"]), int(props["port"]), str(props["password"]))
        return {**props, "running": True}
