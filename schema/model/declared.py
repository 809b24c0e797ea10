"""What every declared object has, and the register of their classes; pure."""

from __future__ import annotations

from dataclasses import dataclass

# Every class of objects by the word for it, which their properties carry; a class enters itself.
KINDS: dict[str, type[Declared]] = {}


@dataclass(frozen=True, kw_only=True)
class Declared:
    """What every object has beside its own: where it is, what it is for, what it was called, what it may cost.

    `renamed_from` is its former name, in the same schema. `allow` names the hazards that changes to it may carry,
    and the findings of schema.lint that are meant so.
    """

    name: str
    schema: str = "public"
    comment: str | None = None
    renamed_from: str | None = None
    allow: tuple[str, ...] = ()

    def __init_subclass__(cls, kind: str) -> None:
        KINDS[kind] = cls

    @property
    def full_name(self) -> str:
        """The name as people write it: the schema only where it is not public."""
        return qualified(self.schema, self.name)


def qualified(schema: str, name: str) -> str:
    """`schema.name` as people write it: the schema only where it is not public."""
    return name if schema == "public" else f"{schema}.{name}"


Object = Declared


def kind_of(value: Object) -> str:
    """The word for what the object is, as its properties carry it."""
    return next(name for name, cls in KINDS.items() if type(value) is cls)
