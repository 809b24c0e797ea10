"""Fields that every declared object has, and the registry of object classes; pure."""

from __future__ import annotations

from dataclasses import dataclass

# Every class of objects by the word for it, which their properties carry; a class enters itself.
CLASS_BY_KIND: dict[str, type[Declared]] = {}


@dataclass(frozen=True)
class Grant:
    """What a role may do with an object: `privileges` such as "select", on these `columns` or on all of it, and give on
    where it is `grantable`. The role "public" is everybody."""

    to: str
    privileges: tuple[str, ...]
    columns: tuple[str, ...] = ()
    grantable: bool = False


@dataclass(frozen=True, kw_only=True)
class Declared:
    """Common fields of every declared object: schema and name, comment, former name, allowed hazards.

    `renamed_from` is the object's former name in the same schema. `allow` lists names of hazards that changes to the
    object may carry, and of findings of schema.lint that are accepted for it. `grants` are all that others than the
    owner have; None leaves them as they are, and so it is with the `owner`.
    """

    name: str
    schema: str = "public"
    comment: str | None = None
    renamed_from: str | None = None
    allow: tuple[str, ...] = ()
    grants: tuple[Grant, ...] | None = None
    owner: str | None = None

    def __init_subclass__(cls, kind: str) -> None:
        CLASS_BY_KIND[kind] = cls

    @property
    def full_name(self) -> str:
        """`schema.name`, or the name alone for schema public."""
        return qualified(self.schema, self.name)

    @property
    def identity(self) -> str:
        """What distinguishes it from all others of its kind: its full name, for what is called also its arguments."""
        return self.full_name


def qualified(schema: str, name: str) -> str:
    """Return `schema.name`, or the name alone for schema public."""
    return name if schema == "public" else f"{schema}.{name}"


Object = Declared


def kind_of(value: Object) -> str:
    """Return the name of the object's kind, such as "table", as its properties carry it."""
    return next(name for name, cls in CLASS_BY_KIND.items() if type(value) is cls)
