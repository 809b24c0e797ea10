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
        from infra.local.embedded_server import alive

        replaces = ["folder"] if olds["folder"] != news["folder"] else []
        return DiffResult(changes=changed(olds, news) or not alive(Path(olds["folder"])), replaces=replaces)

    def update(self, _id: str, _olds: Props, news: Props) -> UpdateResult:
        return UpdateResult(self._start(news))

    def read(self, id_: str, props: Props) -> ReadResult:
        from infra.local.embedded_server import alive

        return ReadResult(id_, {**props, "running": alive(Path(props["folder"]))})

    def delete(self, _id: str, props: Props) -> None:
        from infra.local.embedded_server import remove

        remove(Path(props["folder"]))

    @staticmethod
    def _start(props: Props) -> Props:
        from infra.local.embedded_server import start

        start(Path(props["folder"]), int(props["port"]), str(props["password"]))
        return {**props, "running": True}


class DatabaseOwnerProvider(ResourceProvider):
    """A database's owner, where the server has one connection: pulumi-postgresql sets it with two at once."""

    serialize_as_secret_always = False

    def create(self, props: Props) -> CreateResult:
        self._apply(props)
        return CreateResult(str(props["database"]), dict(props))

    def diff(self, _id: str, olds: Props, news: Props) -> DiffResult:
        return DiffResult(changes=changed(olds, news, "connection"))

    def update(self, _id: str, _olds: Props, news: Props) -> UpdateResult:
        self._apply(news)
        return UpdateResult(dict(news))

    def read(self, id_: str, props: Props) -> ReadResult:
        return ReadResult(id_, props)

    def delete(self, _id: str, _props: Props) -> None:
        """The owner goes with the database."""

    @staticmethod
    def _apply(props: Props) -> None:
        from infra.local.embedded_server import ensure_owner
        from schema.connection import Address

        ensure_owner(Address.from_dict(props["connection"]), str(props["database"]), str(props["owner"]))
