"""The dynamic resources, with explicit type tokens; tokens and property names are a contract with every state file."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
from pulumi.dynamic import Resource

from infra.providers import schema as providers
from infra.providers.access import DatabaseSettingsProvider, PasswordProvider
from infra.providers.backup import RunnerBuildProvider
from infra.providers.docker import BaseImageProvider
from infra.providers.embedded import DatabaseOwnerProvider, EmbeddedServerProvider
from infra.providers.schema import ObjectProvider, SeedProvider
from infra.providers.storage import BucketProvider, CertificateProvider, GatewayBuildProvider, GatewayProvider
from schema.kinds import registry
from schema.kinds.kind import Kind
from schema.model.objects import Object


def _previewing() -> dict[str, bool]:
    """The input that asks a provider for its plan in a preview; it is never stored."""
    return {"preview": True} if pulumi.runtime.is_dry_run() else {}


class Password(Resource, module="access", name="Password"):
    """A generated password; `value` is secret."""

    value: pulumi.Output[str]

    def __init__(self, label: str, opts: pulumi.ResourceOptions | None = None) -> None:
        """Generate a password of the name `label`-password."""
        secret = pulumi.ResourceOptions(additional_secret_outputs=["value"])
        super().__init__(PasswordProvider(), f"{label}-password", {"label": label, "value": None},
                         pulumi.ResourceOptions.merge(secret, opts))


class BaseImage(Resource, module="docker", name="BaseImage"):
    """A Debian base image that the engine holds; `reference` names it."""

    reference: pulumi.Output[str]

    def __init__(self, label: str, opts: pulumi.ResourceOptions | None = None) -> None:
        """Pull or make the base image."""
        super().__init__(BaseImageProvider(), label, {"reference": None}, opts)


class DatabaseSettings(Resource, module="access", name="DatabaseSettings"):
    """Parameters that a database gives every session."""

    def __init__(self, label: str, connection: pulumi.Input[Mapping[str, Any]], settings: Mapping[str, str],
                 opts: pulumi.ResourceOptions | None = None) -> None:
        """Set these parameters for every session of the database in `connection`."""
        super().__init__(DatabaseSettingsProvider(), label,
                         {"connection": connection, "settings": dict(settings)}, opts)


class SchemaObject(Resource, module="schema", name="Object"):
    """One declared object with all of its parts; `facts` are what the server reports about it."""

    facts: pulumi.Output[Mapping[str, Any]]
    provider_class = ObjectProvider

    def __init__(self, label: str, connection: pulumi.Input[Mapping[str, Any]], declaration: Mapping[str, Any],
                 options: Mapping[str, Any], opts: pulumi.ResourceOptions | None = None) -> None:
        """Declare one object: `declaration` as by to_dict, `options` as by the handlers."""
        super().__init__(self.provider_class(), label,
                         {**declaration, "connection": connection, "options": dict(options), "facts": None,
                          **_previewing()}, opts)


def _resource_of(kind: Kind) -> type[SchemaObject]:
    """The class of the kind's resources: its type token is the kind's, its provider the one of that name."""
    module, _, name = kind.resource.partition(":")
    provider = getattr(providers, f"{name}Provider")
    return types.new_class(name, (SchemaObject,), {"module": module, "name": name},
                           lambda body: body.update(provider_class=provider, __module__=__name__))


OBJECTS: Mapping[type[Object], type[SchemaObject]] = {kind.declaration: _resource_of(kind) for kind in registry.KINDS}


class Seed(Resource, module="seed", name="Seed"):
    """The development data; `counts` are the rows by table."""

    counts: pulumi.Output[Mapping[str, int]]

    def __init__(self, label: str, connection: pulumi.Input[Mapping[str, Any]], number: int, volume: Mapping[str, int],
                 opts: pulumi.ResourceOptions | None = None) -> None:
        """Load `volume` data of this seed number into the empty tables."""
        # `volume` is inlined without what is not given: a stack from before it was there shows no change.
        super().__init__(SeedProvider(), label,
                         {"connection": connection, "number": number, **volume, "counts": None}, opts)


class Certificate(Resource, module="storage", name="Certificate"):
    """A server certificate for host names and addresses; its authority's PEM also lies in `ca_file`."""

    ca_pem: pulumi.Output[str]
    cert_pem: pulumi.Output[str]
    key_pem: pulumi.Output[str]

    def __init__(self, label: str, names: Sequence[str], *, ca_file: str, days: int,
                 opts: pulumi.ResourceOptions | None = None) -> None:
        """Issue a certificate for these names, valid for `days` days."""
        secret = pulumi.ResourceOptions(additional_secret_outputs=["key_pem"])
        super().__init__(CertificateProvider(), label,
                         {"names": list(names), "ca_file": ca_file, "days": days, "ca_pem": None, "cert_pem": None,
                          "key_pem": None, "not_after": None}, pulumi.ResourceOptions.merge(secret, opts))


class S3Server(Resource, module="storage", name="Gateway"):
    """An S3 server that runs as a process of this machine, on 127.0.0.1; deleting it deletes its data."""

    def __init__(self, label: str, *, folder: str, port: int, region: str, access_key: str,
                 secret_key: pulumi.Input[str], certificate: Certificate,
                 opts: pulumi.ResourceOptions | None = None) -> None:
        """Run the server on `port` with its data in `folder`."""
        secret = pulumi.ResourceOptions(additional_secret_outputs=["secret_key", "key_pem"])
        super().__init__(GatewayProvider(), label,
                         {"folder": folder, "port": port, "region": region, "access_key": access_key,
                          "secret_key": secret_key, "ca_pem": certificate.ca_pem, "cert_pem": certificate.cert_pem,
                          "key_pem": certificate.key_pem, "running": None}, pulumi.ResourceOptions.merge(secret, opts))


class S3ServerBuild(Resource, module="storage", name="GatewayBuild"):
    """The build context of the S3 server's image; `content` names what it is built from."""

    context: pulumi.Output[str]

    def __init__(self, label: str, *, folder: str, content: str, opts: pulumi.ResourceOptions | None = None) -> None:
        """Prepare the build context in `folder`."""
        super().__init__(GatewayBuildProvider(), label, {"folder": folder, "content": content, "context": None}, opts)


class RunnerBuild(Resource, module="backup", name="RunnerBuild"):
    """The build context of the image that keeps the schedule of backups; `content` names what it is built from."""

    context: pulumi.Output[str]

    def __init__(self, label: str, *, folder: str, content: str, opts: pulumi.ResourceOptions | None = None) -> None:
        """Prepare the build context in `folder`."""
        super().__init__(RunnerBuildProvider(), label, {"folder": folder, "content": content, "context": None}, opts)


class Bucket(Resource, module="storage", name="Bucket"):
    """The backup bucket with its protections, one property each; `left_out` are those that the server lacks."""

    bucket: pulumi.Output[str]
    left_out: pulumi.Output[Sequence[str]]

    def __init__(self, label: str, bucket: str, login: Mapping[str, pulumi.Input[Any]],
                 protections: Mapping[str, Any], *, on_unsupported: str, allow_with_backups: bool, server_is_ours: bool,
                 opts: pulumi.ResourceOptions | None = None) -> None:
        """Declare the bucket; `protections` has one property for each of them."""
        secret = pulumi.ResourceOptions(additional_secret_outputs=["login"])
        super().__init__(BucketProvider(), label,
                         {**protections, "bucket": bucket, "login": dict(login), "on_unsupported": on_unsupported,
                          "allow_with_backups": allow_with_backups, "server_is_ours": server_is_ours, "left_out": None,
                          **_previewing()},
                         pulumi.ResourceOptions.merge(secret, opts))


class EmbeddedServer(Resource, module="embedded", name="EmbeddedServer"):
    """TimescaleDB in WebAssembly as a process of this machine; deleting it deletes its data."""

    def __init__(self, label: str, *, folder: str, port: int, password: pulumi.Input[str],
                 opts: pulumi.ResourceOptions | None = None) -> None:
        """Run the server on `port` with its data in `folder`."""
        secret = pulumi.ResourceOptions(additional_secret_outputs=["password"])
        super().__init__(EmbeddedServerProvider(), label,
                         {"folder": folder, "port": port, "password": pulumi.Output.secret(password), "running": None},
                         pulumi.ResourceOptions.merge(secret, opts))


class DatabaseOwner(Resource, module="access", name="DatabaseOwner"):
    """A database's owner, where pulumi-postgresql cannot set it."""

    def __init__(self, label: str, connection: pulumi.Input[Mapping[str, Any]], database: pulumi.Input[str],
                 owner: pulumi.Input[str], opts: pulumi.ResourceOptions | None = None) -> None:
        """Set `owner` as the owner of `database`."""
        super().__init__(DatabaseOwnerProvider(), label,
                         {"connection": connection, "database": database, "owner": owner}, opts)
