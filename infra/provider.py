"""The dynamic providers: adapters of a few lines that carry Pulumi's calls to the packages that do the work.

Path and class names are a contract: state files name them. Never move or rename a class of this module, and never
change what a stored property means: `refresh` and `destroy` run today's code on yesterday's properties.

A provider process runs in the program's folder and answers four calls at once, so nothing is kept between calls.
"""

from __future__ import annotations

import secrets
import shutil
import string
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, ResourceProvider, UpdateResult
from pulumi.output import Unknown
from pulumi.runtime.rpc import UNKNOWN

Props = dict[str, Any]

PASSWORD_LENGTH = 32
# No character that a DSN, a .pgpass, a .env file or a shell reads as anything but itself.
PASSWORD_ALPHABET = string.ascii_letters + string.digits


def is_unknown(value: Any) -> bool:
    """Whether a value, or anything inside it, is only known once the update has run."""
    if isinstance(value, Mapping):
        return any(is_unknown(item) for item in value.values())
    if isinstance(value, list | tuple):
        return any(is_unknown(item) for item in value)
    return isinstance(value, Unknown) or bool(value == UNKNOWN)


def changed(olds: Mapping[str, Any], news: Mapping[str, Any], *ignored: str) -> bool:
    """Whether any input differs from what was last stored; `__provider` counts, as a moved class is a change."""
    return any(olds.get(key) != value for key, value in news.items() if key not in ignored)


def as_found(id_: str, stored: Props, found: Props | None, *outputs: str) -> ReadResult:
    """What a refresh answers: gone, as stored, or what was found, as inputs too, so that the next preview shows it."""
    if found is None:
        return ReadResult("", {})
    if found == stored:
        return ReadResult(id_, stored)
    return ReadResult(id_, found, {key: value for key, value in found.items() if key not in outputs})


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


class BaseImageProvider(ResourceProvider):
    """The base of images that we build; shared by all stacks of a machine, so it is never deleted."""

    serialize_as_secret_always = False

    def create(self, props: Props) -> CreateResult:
        from infra.targets.base_image import ensure_base_image

        reference = ensure_base_image()
        return CreateResult(reference, {**props, "reference": reference})

    def diff(self, _id: str, olds: Props, news: Props) -> DiffResult:
        return DiffResult(changes=changed(olds, news))

    def update(self, id_: str, _olds: Props, news: Props) -> UpdateResult:
        return UpdateResult({**news, "reference": id_})

    def read(self, id_: str, props: Props) -> ReadResult:
        from infra.targets.base_image import find_base_image

        return ReadResult(id_, props) if find_base_image() == id_ else ReadResult("", {})

    def delete(self, _id: str, _props: Props) -> None:
        """Another stack's image may stand on it."""


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


class TableProvider(ResourceProvider):
    """Carries Pulumi's calls for one declared table to schema.apply; keeps no state and decides nothing."""

    serialize_as_secret_always = False

    def check(self, _olds: Props, news: Props) -> CheckResult:
        from infra.declared import planned

        return CheckResult({**news, "plan": planned(news, server_known=not is_unknown(news["connection"]))}, [])

    def diff(self, _id: str, olds: Props, news: Props) -> DiffResult:
        from infra.declared import declaration

        return DiffResult(changes=bool(news["plan"]) or declaration(olds) != declaration(news))

    def create(self, props: Props) -> CreateResult:
        return CreateResult(str(props["name"]), self._ensure(props))

    def update(self, _id: str, _olds: Props, news: Props) -> UpdateResult:
        return UpdateResult(self._ensure(news))

    def read(self, id_: str, props: Props) -> ReadResult:
        from infra.declared import live

        return as_found(id_, props, live(props), "facts")

    def delete(self, id_: str, props: Props) -> None:
        from infra.declared import drop

        print(drop(id_, props), file=sys.stderr)

    @staticmethod
    def _ensure(props: Props) -> Props:
        from infra.declared import ensured

        return {**props, "plan": [], "facts": ensured(props)}


class SeedProvider(ResourceProvider):
    """The development data: loaded once, then the developer's; never deleted but with its tables."""

    serialize_as_secret_always = False

    def create(self, props: Props) -> CreateResult:
        from schema.connection import Address
        from seed import Spec
        from seed.load import seed

        spec = Spec(number=int(props["number"]))
        seeded = seed(Address.from_dict(props["connection"]), spec)
        return CreateResult(str(props["connection"]["database"]), {**props, "counts": seeded.counts})

    def diff(self, _id: str, olds: Props, news: Props) -> DiffResult:
        return DiffResult(changes=changed(olds, news, "connection"))

    def update(self, _id: str, olds: Props, news: Props) -> UpdateResult:
        print(f"seed number {int(news['number'])}: the tables hold data already, which is left alone; "
              "empty them to have them filled anew", file=sys.stderr)
        return UpdateResult({**news, "counts": olds["counts"]})

    def read(self, id_: str, props: Props) -> ReadResult:
        return ReadResult(id_, props)

    def delete(self, _id: str, _props: Props) -> None:
        """The data goes with its tables."""


class CertificateProvider(ResourceProvider):
    """A server certificate and the authority that signed it; issued anew when it is about to expire."""

    serialize_as_secret_always = False

    def create(self, props: Props) -> CreateResult:
        from infra.certificate import issue

        issued = issue(props["names"], int(props["days"]))
        self._write_ca(props["ca_file"], issued.ca_pem)
        return CreateResult(str(props["names"][0]), {**props, **asdict(issued)})

    def diff(self, _id: str, olds: Props, news: Props) -> DiffResult:
        from infra.certificate import is_due

        return DiffResult(changes=changed(olds, news) or is_due(olds["not_after"]) or not self._ca_is_there(olds))

    def update(self, _id: str, olds: Props, news: Props) -> UpdateResult:
        from infra.certificate import is_due

        if changed(olds, news) or is_due(olds["not_after"]):
            return UpdateResult(self.create(news).outs)
        self._write_ca(news["ca_file"], olds["ca_pem"])
        return UpdateResult(olds)

    def read(self, id_: str, props: Props) -> ReadResult:
        return ReadResult(id_, props)

    def delete(self, _id: str, props: Props) -> None:
        Path(props["ca_file"]).unlink(missing_ok=True)

    @staticmethod
    def _ca_is_there(props: Props) -> bool:
        path = Path(props["ca_file"])
        return path.is_file() and path.read_text(encoding="ascii") == props["ca_pem"]

    @staticmethod
    def _write_ca(path: str, pem: str) -> None:
        Path(path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        Path(path).write_text(pem, encoding="ascii")


class GatewayProvider(ResourceProvider):
    """The S3 server as a process of this machine; one that has ended is started again by the next update."""

    serialize_as_secret_always = False

    def create(self, props: Props) -> CreateResult:
        return CreateResult(str(props["folder"]), self._start(props))

    def diff(self, _id: str, olds: Props, news: Props) -> DiffResult:
        from infra.targets.gateway import gateway_runs

        replaces = ["folder"] if olds["folder"] != news["folder"] else []
        return DiffResult(changes=changed(olds, news) or not gateway_runs(Path(olds["folder"])), replaces=replaces)

    def update(self, _id: str, olds: Props, news: Props) -> UpdateResult:
        from infra.targets.gateway import stop_gateway

        if changed(olds, news):
            stop_gateway(Path(olds["folder"]))
        return UpdateResult(self._start(news))

    def read(self, id_: str, props: Props) -> ReadResult:
        from infra.targets.gateway import gateway_runs

        return ReadResult(id_, {**props, "running": gateway_runs(Path(props["folder"]))})

    def delete(self, _id: str, props: Props) -> None:
        from infra.targets.gateway import remove_gateway

        remove_gateway(Path(props["folder"]))

    @staticmethod
    def _start(props: Props) -> Props:
        from infra.targets.gateway import start_gateway

        start_gateway(Path(props["folder"]), port=int(props["port"]), **{key: str(props[key]) for key in (
            "region", "access_key", "secret_key", "ca_pem", "cert_pem", "key_pem")})
        return {**props, "running": True}


class GatewayBuildProvider(ResourceProvider):
    """The folder from which the S3 server's image is built: binary and Dockerfile."""

    serialize_as_secret_always = False

    def create(self, props: Props) -> CreateResult:
        from infra.targets.gateway import prepare_build_context

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


class BucketProvider(ResourceProvider):
    """Carries Pulumi's calls for the backup bucket to backups.bucket."""

    serialize_as_secret_always = False

    def check(self, _olds: Props, news: Props) -> CheckResult:
        from infra.bucket import planned

        return CheckResult({**news, "plan": planned(news, server_known=not is_unknown(news["login"]))}, [])

    def diff(self, _id: str, olds: Props, news: Props) -> DiffResult:
        from infra.bucket import is_work

        replaces = ["bucket"] if olds["bucket"] != news["bucket"] else []
        return DiffResult(changes=is_work(news["plan"], olds["left_out"]) or changed(olds, news, "plan"),
                          replaces=replaces)

    def create(self, props: Props) -> CreateResult:
        return CreateResult(str(props["bucket"]), self._ensure(props))

    def update(self, _id: str, _olds: Props, news: Props) -> UpdateResult:
        return UpdateResult(self._ensure(news))

    def read(self, id_: str, props: Props) -> ReadResult:
        from infra.bucket import live

        return as_found(id_, props, live(props), "left_out")

    def delete(self, _id: str, props: Props) -> None:
        from infra.bucket import deleted

        deleted(props)

    @staticmethod
    def _ensure(props: Props) -> Props:
        from infra.bucket import ensured

        return {**props, "plan": [], "left_out": ensured(props)}


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
