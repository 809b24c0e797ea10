"""Passwords, and what a database gives every session."""

from __future__ import annotations

import secrets
import string

from pulumi.dynamic import CreateResult, DiffResult, ReadResult, ResourceProvider, UpdateResult

from infra.handlers.read_ahead import read_ahead
from infra.providers.calls import Props, as_found, changed

# Passwords come first, the schema last.
read_ahead("infra.handlers.schema_objects")

PASSWORD_LENGTH = 32
# No character that a DSN, a .pgpass, a .env file or a shell reads as anything but itself.
PASSWORD_ALPHABET = string.ascii_letters + string.digits


class PasswordProvider(ResourceProvider):
    """A password, generated once; the state keeps it as a secret output."""

    serialize_as_secret_always = False

    def create(self, props: Props) -> CreateResult:
        value = "".join(secrets.choice(PASSWORD_ALPHABET) for _ in range(PASSWORD_LENGTH))
        return CreateResult(str(props["label"]), {**props, "value": value})

    def diff(self, _id: str, olds: Props, news: Props) -> DiffResult:
        return DiffResult(changes=changed(olds, news))

    def update(self, _id: str, olds: Props, news: Props) -> UpdateResult:
        return UpdateResult({**news, "value": olds["value"]})

    def read(self, id_: str, props: Props) -> ReadResult:
        return ReadResult(id_, props)

    def delete(self, _id: str, _props: Props) -> None:
        """Nothing but the state knows it."""


class DatabaseSettingsProvider(ResourceProvider):
    """Parameters that a database gives every session (ALTER DATABASE ... SET)."""

    serialize_as_secret_always = False

    def create(self, props: Props) -> CreateResult:
        self._apply(props)
        return CreateResult(str(props["connection"]["database"]), dict(props))

    def diff(self, _id: str, olds: Props, news: Props) -> DiffResult:
        return DiffResult(changes=changed(olds, news, "connection"))

    def update(self, _id: str, _olds: Props, news: Props) -> UpdateResult:
        self._apply(news)
        return UpdateResult(dict(news))

    def read(self, id_: str, props: Props) -> ReadResult:
        from schema.connection import Address
        from schema.database_settings import read_settings

        address = Address.from_dict(props["connection"])
        return as_found(id_, props, {**props, "settings": read_settings(address, props["settings"].keys())})

    def delete(self, _id: str, _props: Props) -> None:
        """They go with the database."""

    @staticmethod
    def _apply(props: Props) -> None:
        from schema.connection import Address
        from schema.database_settings import ensure_settings

        ensure_settings(Address.from_dict(props["connection"]), props["settings"])
