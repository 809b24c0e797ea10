"""The providers of the embedded server and of its database's owner."""

from __future__ import annotations

from pathlib import Path

from pulumi.dynamic import CreateResult, DiffResult, ReadResult, ResourceProvider, UpdateResult

from infra.providers.calls import Props, has_changed


class EmbeddedServerProvider(ResourceProvider):
    """Runs the embedded server as a process; where it has ended, the next update starts it again on the same data."""

    serialize_as_secret_always = False

    def create(self, props: Props) -> CreateResult:
        """Start the server."""
        return CreateResult(str(props["folder"]), self._start(props))

    def diff(self, _id: str, olds: Props, news: Props) -> DiffResult:
        """Report a change where inputs differ or the server does not run; a new folder replaces it."""
        from infra.local.embedded_server import alive

        replaces = ["folder"] if olds["folder"] != news["folder"] else []
        return DiffResult(changes=has_changed(olds, news) or not alive(Path(olds["folder"])), replaces=replaces)

    def update(self, _id: str, _olds: Props, news: Props) -> UpdateResult:
        """Start the server, anew where its port, password or code differ."""
        return UpdateResult(self._start(news))

    def read(self, id_: str, props: Props) -> ReadResult:
        """Tell whether the server runs."""
        from infra.local.embedded_server import alive

        return ReadResult(id_, {**props, "running": alive(Path(props["folder"]))})

    def delete(self, _id: str, props: Props) -> None:
        """Stop the server and delete its data."""
        from infra.local.embedded_server import remove

        remove(Path(props["folder"]))

    @staticmethod
    def _start(props: Props) -> Props:
        from infra.local.embedded_server import start

        start(Path(props["folder"]), int(props["port"]), str(props["password"]))
        return {**props, "running": True}


class DatabaseOwnerProvider(ResourceProvider):
    """Sets a database's owner over one connection, all that the embedded server has; pulumi-postgresql needs two."""

    serialize_as_secret_always = False

    def create(self, props: Props) -> CreateResult:
        """Set the owner."""
        self._apply(props)
        return CreateResult(str(props["database"]), dict(props))

    def diff(self, _id: str, olds: Props, news: Props) -> DiffResult:
        """Compare the inputs with the stored ones; a new address or login is no change."""
        return DiffResult(changes=has_changed(olds, news, "connection"))

    def update(self, _id: str, _olds: Props, news: Props) -> UpdateResult:
        """Set the owner."""
        self._apply(news)
        return UpdateResult(dict(news))

    def read(self, id_: str, props: Props) -> ReadResult:
        """Return what is stored."""
        return ReadResult(id_, props)

    def delete(self, _id: str, _props: Props) -> None:
        """Leave the owner: it is gone with the database."""

    @staticmethod
    def _apply(props: Props) -> None:
        from infra.local.embedded_server import ensure_owner
        from schema.connection import Address

        ensure_owner(Address.from_dict(props["connection"]), str(props["database"]), str(props["owner"]))
