"""The providers of schema objects and of development data."""

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

from infra.providers.calls import Props, check_with_plan, find_plan, has_changed, is_unknown, report_live


class ObjectProvider(ResourceProvider):
    """Carries Pulumi's calls for one declared object to schema.apply; keeps no state and decides nothing."""

    serialize_as_secret_always = False
    # What the stack allows and protects now; the properties of an object that is no longer declared say what held at
    # its last update. In a destroy it is the config of the last update.
    config: Config | None = None

    def configure(self, req: ConfigureRequest) -> None:
        """Keep the stack's config for `delete`."""
        self.config = req.config

    def check(self, _olds: Props, news: Props) -> CheckResult:
        """Accept the declaration; in a preview with the plan."""
        from infra.handlers.schema_objects import plan_object

        return check_with_plan(news, lambda: plan_object(news, server_known=not is_unknown(news["connection"])))

    def diff(self, _id: str, olds: Props, news: Props) -> DiffResult:
        """Report a change where the declaration differs from the stored one, or the live object from it."""
        from infra.handlers.schema_objects import declaration, plan_object

        return DiffResult(changes=declaration(olds) != declaration(news)
                          or bool(find_plan(news, lambda: plan_object(news, server_known=True))))

    def create(self, props: Props) -> CreateResult:
        """Create the object, or make a live one of its name the declared one."""
        return CreateResult(str(props["name"]), self._ensure(props))

    def update(self, _id: str, _olds: Props, news: Props) -> UpdateResult:
        """Make the live object the declared one."""
        return UpdateResult(self._ensure(news))

    def read(self, id_: str, props: Props) -> ReadResult:
        """Read the live object from the catalog."""
        from infra.handlers.schema_objects import read_live

        return report_live(id_, props, read_live(props), "facts")

    def delete(self, id_: str, props: Props) -> None:
        """Drop the object where the stack allows it now; else leave it and say so."""
        from infra.handlers.schema_objects import drop
        from infra.settings import SCHEMA_KEYS, schema_settings

        today = None
        if self.config is not None:
            today = schema_settings("today", {key: self.config.get(key) for key in SCHEMA_KEYS})
        print(drop(id_, props, today), file=sys.stderr)

    @staticmethod
    def _ensure(props: Props) -> Props:
        from infra.handlers.schema_objects import ensure_object

        return {**props, "facts": ensure_object(props)}


class TableProvider(ObjectProvider):
    """Tables. State files name each of these classes, so a kind may have its own provider without a new name."""


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


class SchemaProvider(ObjectProvider):
    """Schemas."""


class StatisticsProvider(ObjectProvider):
    """Extended statistics."""


class ExtensionProvider(ObjectProvider):
    """Extensions."""


class CollationProvider(ObjectProvider):
    """Collations."""


class SequenceProvider(ObjectProvider):
    """Sequences that no serial or identity column has."""


class DomainProvider(ObjectProvider):
    """Domains."""


class CompositeTypeProvider(ObjectProvider):
    """Composite types."""


class MaterializedViewProvider(ObjectProvider):
    """Materialized views."""


class AggregateProvider(ObjectProvider):
    """Aggregate functions."""


# The properties that say how much data is declared; a contract with state files, as all property names are.
VOLUME = ("number", "users", "devices_per_user", "days", "interval")


class SeedProvider(ResourceProvider):
    """Loads development data once; from then on it is left alone, and is deleted only with its tables."""

    serialize_as_secret_always = False

    def create(self, props: Props) -> CreateResult:
        """Load the data into empty tables."""
        from schema.connection import Address
        from seed import Spec
        from seed.load.loader import seed
        from seed.load.progress import Lines

        spec = Spec.from_dict({name: props[name] for name in VOLUME if name in props})
        lines = Lines(lambda line: print(line, file=sys.stderr, flush=True))
        seeded = seed(Address.from_dict(props["connection"]), spec, lines.hear)
        return CreateResult(str(props["connection"]["database"]), {**props, "counts": seeded.counts})

    def diff(self, _id: str, olds: Props, news: Props) -> DiffResult:
        """Compare the inputs with the stored ones; a new address or login is no change."""
        return DiffResult(changes=has_changed(olds, news, "connection"))

    def update(self, _id: str, olds: Props, news: Props) -> UpdateResult:
        """Leave the rows as they are, say so, and store the new inputs."""
        volume = ", ".join(f"{name} {int(news[name])}" for name in VOLUME if name in news)
        print(f"seed ({volume}): the tables hold data already, which is left alone; empty them to have them filled "
              "anew", file=sys.stderr)
        return UpdateResult({**news, "counts": olds["counts"]})

    def read(self, id_: str, props: Props) -> ReadResult:
        """Return what is stored."""
        return ReadResult(id_, props)

    def delete(self, _id: str, _props: Props) -> None:
        """Leave the rows: they are dropped with their tables."""
