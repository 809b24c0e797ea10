"""Fields that every declared object has, and the registry of object classes; pure."""

from __future__ import annotations

from dataclasses import dataclass

# Every class of objects by the word for it, which their properties carry; a class enters itself.
KINDS: dict[str, type[Declared]] = {}


@dataclass(frozen=True, kw_only=True)
class Declared:
    """Common fields of every declared object: schema and name, comment, former name, allowed hazards.

    `renamed_from` is the object's former name in the same schema. `allow` lists names of hazards that changes to the
    object may carry, and of findings of schema.lint that are accepted for it.
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
        """`schema.name`, or the name alone for schema public."""
        return qualified(self.schema, self.name)


def qualified(schema: str, name: str) -> str:
    """Return `schema.name`, or the name alone for schema public."""
    return name if schema == "public" else f"{schema}.{name}"


Object = Declared


def kind_of(value: Object) -> str:
    """Return the name of the object's kind, such as "table", as its properties carry it."""
    return next(name for name, cls in KINDS.items() if type(value) is cls)
