"""What tables stand on: extensions, collations, sequences, domains and composite types, as frozen values; pure."""

from __future__ import annotations

from dataclasses import dataclass

from schema.model.declared import Declared
from schema.model.versions import since


@dataclass(frozen=True)
class Check:
    """A check constraint: `expression` is true or NULL for every row.

    Tables that inherit do not get it with `no_inherit`. Unless `valid`, rows from before need not fulfil it; unless
    `enforced`, no row need.
    """

    name: str
    expression: str
    comment: str | None = None
    no_inherit: bool = False
    valid: bool = True
    enforced: bool = since(18, True)


@dataclass(frozen=True)
class Extension(Declared, kind="extension"):
    """An extension whose objects are in `schema`. Without `version` any is right, and the server's default is created;
    without `comment` it keeps its own."""

    name: str
    version: str | None = None


@dataclass(frozen=True)
class Collation(Declared, kind="collation"):
    """An order of text: `locale` is the provider's word for it, `rules` are ICU's own.

    `provider` is icu, libc or builtin; libc takes `character_types` where they are another locale's.
    """

    name: str
    locale: str
    provider: str = "icu"
    character_types: str | None = None
    deterministic: bool = True
    rules: str | None = since(16, None)


@dataclass(frozen=True)
class Sequence(Declared, kind="sequence"):
    """Numbers from `start` on, by `increment`; without bounds those of `type`, without `start` the first within them.

    A sequence that is `owned_by` a column (`table.column`, `schema.table.column` outside of public) goes with it.
    Columns that are serial or identity have a sequence of their own, which is not declared.
    """

    name: str
    type: str = "bigint"
    start: int | None = None
    increment: int = 1
    minimum: int | None = None
    maximum: int | None = None
    cache: int = 1
    cycle: bool = False
    owned_by: str | None = None
    unlogged: bool = since(15, False)


@dataclass(frozen=True)
class Domain(Declared, kind="domain"):
    """A type whose values are those of `type` that satisfy all `checks`; `default` and `collation` are SQL."""

    name: str
    type: str
    default: str | None = None
    null: bool = True
    collation: str | None = None
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True)
class Attribute:
    """One attribute of a composite type; `collation` is SQL."""

    name: str
    type: str
    collation: str | None = None
    comment: str | None = None
    renamed_from: str | None = None


@dataclass(frozen=True)
class CompositeType(Declared, kind="composite"):
    """A type whose values are rows of these attributes, in this order."""

    name: str
    attributes: tuple[Attribute, ...]


# What may be named where a column is declared, beside enums and functions.
COLUMN_FOUNDATIONS = (Collation, Sequence, Domain, CompositeType)
