"""The providers of generated passwords and of a database's default parameters."""

from __future__ import annotations

import secrets
import string

from pulumi.dynamic import CreateResult, DiffResult, ReadResult, ResourceProvider, UpdateResult

from infra.handlers.read_ahead import read_ahead
from infra.providers.calls import Props, has_changed, report_live

# Passwords come first, the schema last.
read_ahead("infra.handlers.schema_objects")

PASSWORD_LENGTH = 32
# No character that a DSN, a .pgpass, a .env file or a shell reads as anything but itself.
PASSWORD_ALPHABET = string.ascii_letters + string.digits


class PasswordProvider(ResourceProvider):
    """Generates a password once: 32 letters and digits, a secret output in the state."""

    serialize_as_secret_always = False

    def create(self, props: Props) -> CreateResult:
        """Generate the password."""
        value = "".join(secrets.choice(PASSWORD_ALPHABET) for _ in range(PASSWORD_LENGTH))
        return CreateResult(str(props["label"]), {**props, "value": value})

    def diff(self, _id: str, olds: Props, news: Props) -> DiffResult:
        """Compare the inputs with the stored ones."""
        return DiffResult(changes=has_changed(olds, news))

    def update(self, _id: str, olds: Props, news: Props) -> UpdateResult:
        """Keep the password; store the new inputs."""
        return UpdateResult({**news, "value": olds["value"]})

    def read(self, id_: str, props: Props) -> ReadResult:
        """Return what is stored."""
        return ReadResult(id_, props)

    def delete(self, _id: str, _props: Props) -> None:
        """Do nothing: the password exists in the state alone."""


class DatabaseSettingsProvider(ResourceProvider):
    """Sets parameters that hold for every session of a database (ALTER DATABASE ... SET)."""

    serialize_as_secret_always = False

    def create(self, props: Props) -> CreateResult:
        """Set the parameters."""
        self._apply(props)
        return CreateResult(str(props["connection"]["database"]), dict(props))

    def diff(self, _id: str, olds: Props, news: Props) -> DiffResult:
        """Compare the parameters with the stored ones; a new address or login is no change."""
        return DiffResult(changes=has_changed(olds, news, "connection"))

    def update(self, _id: str, _olds: Props, news: Props) -> UpdateResult:
        """Set the parameters that differ."""
        self._apply(news)
        return UpdateResult(dict(news))

    def read(self, id_: str, props: Props) -> ReadResult:
        """Read the parameters from the server."""
        from schema.catalog.database_settings import read_settings
        from schema.connection import Address

        address = Address.from_dict(props["connection"])
        return report_live(id_, props, {**props, "settings": read_settings(address, props["settings"].keys())})

    def delete(self, _id: str, _props: Props) -> None:
        """Leave the parameters: they are dropped with the database."""

    @staticmethod
    def _apply(props: Props) -> None:
        from schema.catalog.database_settings import ensure_settings
        from schema.connection import Address

        ensure_settings(Address.from_dict(props["connection"]), props["settings"])
