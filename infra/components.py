"""The parts of a stack, as Pulumi components: what hangs under each, and where earlier versions had it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import pulumi

PACKAGE = "lifecompanion:index:"
Part = Literal["Server", "Access", "Replicas", "Schema", "Data", "Storage", "Backups"]


class Component(pulumi.ComponentResource):
    """One part of the stack, of type `lifecompanion:index:<Part>` and of that name in small letters.

    Parts and types are a contract with every state file: they are in the URNs of all that hangs under them.
    """

    def __init__(self, part: Part) -> None:
        super().__init__(f"{PACKAGE}{part}", part.lower())

    def child(self, *, renamed_from: str | None = None, **options: Any) -> pulumi.ResourceOptions:
        """Options of a resource under this part. `options` are those of ResourceOptions.

        Its aliases are where earlier versions had it, under the stack itself, and its former name, in either place.
        """
        former: Sequence[pulumi.Alias] = (
            pulumi.Alias(name=renamed_from), pulumi.Alias(name=renamed_from, parent=pulumi.ROOT_STACK_RESOURCE),
        ) if renamed_from else ()
        return pulumi.ResourceOptions(
            parent=self, aliases=[pulumi.Alias(parent=pulumi.ROOT_STACK_RESOURCE), *former], **options)
