"""The dynamic resources, with explicit type tokens; tokens and property names are a contract with every state file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi.dynamic import Resource

from infra import provider


class Password(Resource, module="access", name="Password"):
    """A generated password; `value` is secret."""

    value: pulumi.Output[str]

    def __init__(self, label: str, opts: pulumi.ResourceOptions | None = None) -> None:
        secret = pulumi.ResourceOptions(additional_secret_outputs=["value"])
        super().__init__(provider.PasswordProvider(), f"{label}-password", {"label": label, "value": None},
                         pulumi.ResourceOptions.merge(secret, opts))


class BaseImage(Resource, module="docker", name="BaseImage"):
    """A Debian base image that the engine holds; `reference` names it."""

    reference: pulumi.Output[str]

    def __init__(self, label: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(provider.BaseImageProvider(), label, {"reference": None}, opts)


class DatabaseSettings(Resource, module="access", name="DatabaseSettings"):
    """Parameters that a database gives every session."""

    def __init__(self, label: str, connection: pulumi.Input[Mapping[str, Any]], settings: Mapping[str, str],
                 opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(provider.DatabaseSettingsProvider(), label,
                         {"connection": connection, "settings": dict(settings)}, opts)


class Table(Resource, module="schema", name="Table"):
    """One declared table with everything that hangs on it; `facts` says what was found or made."""

    facts: pulumi.Output[Mapping[str, Any]]

    def __init__(self, label: str, connection: pulumi.Input[Mapping[str, Any]], declaration: Mapping[str, Any],
                 options: Mapping[str, Any], opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(provider.TableProvider(), label,
                         {**declaration, "connection": connection, "options": dict(options), "facts": None}, opts)


class Seed(Resource, module="seed", name="Seed"):
    """The development data; `counts` are the rows by table."""

    counts: pulumi.Output[Mapping[str, int]]

    def __init__(self, label: str, connection: pulumi.Input[Mapping[str, Any]], number: int,
                 opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(provider.SeedProvider(), label,
                         {"connection": connection, "number": number, "counts": None}, opts)
