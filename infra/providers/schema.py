"""The declared objects and their development data."""

from __future__ import annotations

import sys

from pulumi.dynamic import (
    CheckResult,
    Config,
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    ResourceProvider,
    UpdateResult,
)

from infra.providers.calls import Props, as_found, changed, is_unknown, plan_of, shown


class ObjectProvider(ResourceProvider):
    """Carries Pulumi's calls for one declared object to schema.apply; keeps no state and decides nothing."""

    serialize_as_secret_always = False
    # What the stack allows and protects today: the properties of what is no longer declared tell yesterday's. In a
    # destroy it is that of the last update.
    config: Config | None = None

    def configure(self, req: ConfigureRequest) -> None:
        self.config = req.config

    def check(self, _olds: Props, news: Props) -> CheckResult:
        from infra.handlers.schema_objects import planned

        return shown(news, lambda: planned(news, server_known=not is_unknown(news["connection"])))

    def diff(self, _id: str, olds: Props, news: Props) -> DiffResult:
        from infra.handlers.schema_objects import declaration, planned

        return DiffResult(changes=declaration(olds) != declaration(news)
                          or bool(plan_of(news, lambda: planned(news, server_known=True))))

    def create(self, props: Props) -> CreateResult:
        return CreateResult(str(props["name"]), self._ensure(props))

    def update(self, _id: str, _olds: Props, news: Props) -> UpdateResult:
        return UpdateResult(self._ensure(news))

    def read(self, id_: str, props: Props) -> ReadResult:
        from infra.handlers.schema_objects import live

        return as_found(id_, props, live(props), "facts")

    def delete(self, id_: str, props: Props) -> None:
        from infra.handlers.schema_objects import drop
        from infra.settings import SCHEMA_KEYS, schema_settings

        today = None
        if self.config is not None:
            today = schema_settings("today", {key: self.config.get(key) for key in SCHEMA_KEYS})
        print(drop(id_, props, today), file=sys.stderr)

    @staticmethod
    def _ensure(props: Props) -> Props:
        from infra.handlers.schema_objects import ensured

        return {**props, "facts": ensured(props)}


class TableProvider(ObjectProvider):
    """Tables. State files name each of these classes, so that each kind can have its own ways one day."""


class ContinuousAggregateProvider(ObjectProvider):
    """Continuous aggregates."""


class ViewProvider(ObjectProvider):
    """Views."""


class FunctionProvider(ObjectProvider):
    """Functions and procedures."""


class EnumProvider(ObjectProvider):
    """Enums."""


class JobProvider(ObjectProvider):
    """Jobs."""


# What of the properties says which data is wanted; a contract, as all property names are.
VOLUME = ("number", "users", "devices_per_user", "days", "interval")


class SeedProvider(ResourceProvider):
    """The development data: loaded once, then the developer's; never deleted but with its tables."""

    serialize_as_secret_always = False

    def create(self, props: Props) -> CreateResult:
        from schema.connection import Address
        from seed import Spec
        from seed.load.loader import seed
        from seed.load.progress import Lines

        spec = Spec.from_dict({name: props[name] for name in VOLUME if name in props})
        lines = Lines(lambda line: print(line, file=sys.stderr, flush=True))
        seeded = seed(Address.from_dict(props["connection"]), spec, lines.hear)
        return CreateResult(str(props["connection"]["database"]), {**props, "counts": seeded.counts})

    def diff(self, _id: str, olds: Props, news: Props) -> DiffResult:
        return DiffResult(changes=changed(olds, news, "connection"))

    def update(self, _id: str, olds: Props, news: Props) -> UpdateResult:
        asked = ", ".join(f"{name} {int(news[name])}" for name in VOLUME if name in news)
        print(f"seed ({asked}): the tables hold data already, which is left alone; empty them to have them filled anew",
              file=sys.stderr)
        return UpdateResult({**news, "counts": olds["counts"]})

    def read(self, id_: str, props: Props) -> ReadResult:
        return ReadResult(id_, props)

    def delete(self, _id: str, _props: Props) -> None:
        """The data goes with its tables."""
