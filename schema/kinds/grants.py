"""Owners and grants, of every kind that has them: given and revoked one by one, where a declaration has them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from schema.errors import UnsupportedError
from schema.kinds import function
from schema.model.change.diff import Diff
from schema.model.change.step import Action, Step
from schema.model.live.objects import LiveGrants
from schema.model.names import ident, idents
from schema.model.objects import (
    Aggregate,
    CompositeType,
    ContinuousAggregate,
    Declared,
    Domain,
    Enum,
    Function,
    Grant,
    MaterializedView,
    Schema,
    Sequence,
    Table,
    View,
)

EVERYBODY = "public"


@dataclass(frozen=True)
class Grantable:
    """Where a kind's grants are: its catalog, its letter in pg_default_acl, and the word that ALTER and GRANT take."""

    catalog: str
    letter: str
    alter: str
    grant: str


GRANTABLE: Mapping[type[Declared], Grantable] = {
    Table: Grantable("pg_class", "r", "TABLE", "TABLE"), View: Grantable("pg_class", "r", "VIEW", "TABLE"),
    MaterializedView: Grantable("pg_class", "r", "MATERIALIZED VIEW", "TABLE"),
    ContinuousAggregate: Grantable("pg_class", "r", "MATERIALIZED VIEW", "TABLE"),
    Function: Grantable("pg_proc", "f", "FUNCTION", "FUNCTION"),
    Aggregate: Grantable("pg_proc", "f", "AGGREGATE", "FUNCTION"), Enum: Grantable("pg_type", "T", "TYPE", "TYPE"),
    CompositeType: Grantable("pg_type", "T", "TYPE", "TYPE"), Domain: Grantable("pg_type", "T", "DOMAIN", "DOMAIN"),
    Sequence: Grantable("pg_class", "S", "SEQUENCE", "SEQUENCE"),
    Schema: Grantable("pg_namespace", "n", "SCHEMA", "SCHEMA")}
# What everybody may do with a new object of these catalogs' kinds.
AT_FIRST: Mapping[str, tuple[Grant, ...]] = {
    "f": (Grant(EVERYBODY, ("execute",)),), "T": (Grant(EVERYBODY, ("usage",)),)}


def steps(diff: Diff[Any, Any]) -> list[Step]:
    """Give and revoke what differs, then the ownership; no step where neither is declared.

    Raises UnsupportedError where the login may not.
    """
    declared = diff.declared
    kind = GRANTABLE.get(type(declared))
    if kind is None or (declared.grants is None and declared.owner is None):
        return []
    live = diff.context.grants or LiveGrants(None, AT_FIRST.get(kind.letter, ()))
    alter, on = _words(diff, kind)
    steps = []
    if declared.grants is not None:
        statements = list(changes(live.granted, declared.grants, on))
        if statements and not live.is_governed:
            # The server itself would only warn, and do nothing.
            raise UnsupportedError(f"{diff.name}: it belongs to {live.owner}, so that this login may neither give nor "
                                   f"revoke rights on it; make the login a member of {live.owner}, or leave out grants")
        if statements:
            steps.append(Step(Action.ALTER, diff.name, ";\n".join(statements), _why(live.granted), rights=True))
    if declared.owner is not None and declared.owner != live.owner:
        steps.append(Step(Action.ALTER, diff.name, f"ALTER {alter} OWNER TO {ident_role(declared.owner)}",
                          f"it is owned by {live.owner or 'the login'}", rights=True))
    return steps


def rights(grants: Iterable[Grant]) -> dict[tuple[str, str, str | None], bool]:
    """Whether each right (role, privilege, column) may be given on."""
    return {(grant.to, privilege.lower(), column): grant.grantable for grant in grants
            for privilege in grant.privileges for column in (grant.columns or (None,))}


def changes(live: Iterable[Grant], declared: Iterable[Grant], on: str) -> Iterable[str]:
    """Yield the REVOKE and GRANT statements from the live grants to the declared ones; `on` is what stands after ON."""
    declared, live_rights = tuple(declared), rights(live)
    yield from _revoked(live_rights, rights(declared), on)
    yield from _granted(live_rights, declared, on)


def errors(declared: Declared) -> Iterable[str]:
    """Return grants or an owner of what has none, and grants that give nothing."""
    if (declared.grants is not None or declared.owner is not None) and type(declared) not in GRANTABLE:
        yield f"{declared.full_name}: a {type(declared).__name__} has no grants and no owner to declare; leave them out"
    for grant in declared.grants or ():
        if not grant.privileges:
            yield f"{declared.full_name}: a grant to {grant.to} names no privilege; name one, or leave it out"
        if grant.grantable and grant.to == EVERYBODY:
            yield f"{declared.full_name}: what everybody may do is given on by nobody; leave out grantable"


def roles(declared: Iterable[Declared]) -> dict[str, str]:
    """The roles that the declarations name, with the first object that does."""
    found: dict[str, str] = {}
    for one in declared:
        defaults = one.default_grants or () if isinstance(one, Schema) else ()
        for name in (*(grant.to for grant in one.grants or ()), one.owner,
                     *(name for grant in defaults for name in (grant.to, grant.by))):
            if name is not None and name != EVERYBODY:
                found.setdefault(name, one.full_name)
    return found


def ident_role(name: str) -> str:
    """A role as SQL; everybody is PUBLIC."""
    return "PUBLIC" if name == EVERYBODY else ident(name) if "." not in name else f'"{name}"'


def _words(diff: Diff[Any, Any], kind: Grantable) -> tuple[str, str]:
    """What stands after ALTER and after ON."""
    name, declared = ident(diff.name), diff.declared
    if kind.catalog != "pg_proc":
        return f"{kind.alter} {name}", f"{kind.grant} {name}"
    # With other arguments it is made again before its rights change.
    called = diff.context.scratch or diff.live
    if isinstance(declared, Aggregate):
        return f"{kind.alter} {name}({declared.arguments})", \
            f"FUNCTION {name}({called.inputs if called else _inputs(declared.arguments)})"
    assert isinstance(declared, Function)
    word = "PROCEDURE" if declared.returns is None else "FUNCTION"
    text = f"{name}({called.signature})" if called else function.called(declared)
    return f"{word} {text}", f"{word} {text}"


def _inputs(arguments: str) -> str:
    return "" if arguments.strip() == "*" else arguments.replace(" ORDER BY", ",")


def _revoked(live: Mapping[tuple[str, str, str | None], bool], declared: Mapping[tuple[str, str, str | None], bool],
             on: str) -> Iterable[str]:
    gone: dict[tuple[str, str | None, str], list[str]] = {}
    for (to, privilege, column), grantable in live.items():
        if (to, privilege, column) not in declared:
            gone.setdefault((to, column, ""), []).append(privilege)
        elif grantable and not declared[to, privilege, column]:
            gone.setdefault((to, column, "GRANT OPTION FOR "), []).append(privilege)
    for (to, column, option), privileges in gone.items():
        yield f"REVOKE {option}{_list(privileges, (column,) if column else ())} ON {on} FROM {ident_role(to)}"


def _granted(live: Mapping[tuple[str, str, str | None], bool], declared: Iterable[Grant], on: str) -> Iterable[str]:
    for grant in declared:
        wanted = rights([grant])
        if any(live.get(right) not in ((True, False) if not grant.grantable else (True,)) for right in wanted):
            option = " WITH GRANT OPTION" if grant.grantable else ""
            yield f"GRANT {_list(grant.privileges, grant.columns)} ON {on} TO {ident_role(grant.to)}{option}"


def _list(privileges: Iterable[str], columns: Iterable[str]) -> str:
    names = idents(columns)
    return ", ".join(privilege.upper() + (f" ({names})" if names else "") for privilege in privileges)


def _why(live: Iterable[Grant]) -> str:
    shown = [f"{', '.join(grant.privileges)}{f' ({idents(grant.columns)})' if grant.columns else ''} to {grant.to}"
             for grant in live]
    return f"granted: {'; '.join(shown) or 'nothing'}"
