"""Schemas: their comments, owners and grants, and the default privileges of what is created in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from schema.catalog.readers import schemas
from schema.kinds import comment
from schema.kinds.grants import EVERYBODY, changes, ident_role, rights
from schema.kinds.kind import Drop, Kind
from schema.model.change.diff import Diff
from schema.model.change.step import Action, Hazard, Step
from schema.model.declarations.schemas import DefaultGrant, Schema
from schema.model.live.objects import LiveObject
from schema.model.names import ident
from schema.model.objects import Grant

SchemaDiff = Diff[Schema, LiveObject[Schema]]
PRIVILEGES: Mapping[str, tuple[str, ...]] = {
    "tables": ("select", "insert", "update", "delete", "truncate", "references", "trigger", "maintain"),
    "sequences": ("usage", "select", "update"), "functions": ("execute",), "types": ("usage",)}
# The role that creates, and what.
_Target = tuple[str | None, str]


def steps(diff: SchemaDiff) -> tuple[list[Step], list[str]]:
    """Make comment and default privileges the declared ones; a plan creates the schema itself before all else.

    Default privileges come last: what the plan creates is as it is declared, whatever others will get.
    """
    declared, live = diff.declared, diff.live.object if diff.live else Schema(diff.name, ())
    comment_step = comment.step(f"SCHEMA {ident(diff.name)}", diff.name, declared.comment, live.comment)
    statements = list(_changes(declared, live))
    default_steps = [Step(Action.ALTER, diff.name, ";\n".join(statements), "the default privileges differ",
                          last=True, rights=True)] if statements else []
    return [*([comment_step] if comment_step else []), *default_steps], []


def settle(canonical: Schema, live: Schema | None) -> Schema:
    """The declaration with the live default privileges where it declares none, or the same in other words."""
    plain = replace(canonical, renamed_from=None, allow=())
    if live is not None and (plain.default_grants is None
                             or _rights(plain.default_grants) == _rights(live.default_grants or ())):
        return replace(plain, default_grants=live.default_grants)
    return plain


def errors(declared: Schema) -> Iterable[str]:
    """A new name, which would move all that is in it, and default privileges that the server does not have."""
    if declared.renamed_from is not None:
        yield (f"{declared.name}: a schema is renamed by hand (ALTER SCHEMA ... RENAME TO), with all that names its "
               "objects; take renamed_from away")
    for grant in declared.default_grants or ():
        known = PRIVILEGES.get(grant.on)
        if known is None:
            yield (f"{declared.name}: a default grant on {grant.on!r}, which is none of {', '.join(PRIVILEGES)}; "
                   "name one of them")
        elif wrong := [name for name in grant.privileges if name.lower() not in known]:
            yield (f"{declared.name}: a default grant of {', '.join(wrong)} on {grant.on}, which have "
                   f"{', '.join(known)}; name these")
        if not grant.privileges:
            yield f"{declared.name}: a default grant to {grant.to} names no privilege; name one, or leave it out"
        if grant.grantable and grant.to == EVERYBODY:
            yield f"{declared.name}: what everybody may do is given on by nobody; leave out grantable"


def _by_target(grants: Iterable[DefaultGrant]) -> Mapping[_Target, tuple[Grant, ...]]:
    targets: dict[_Target, tuple[Grant, ...]] = {}
    for grant in grants:
        target = grant.by, grant.on
        targets[target] = (*targets.get(target, ()), Grant(grant.to, grant.privileges, grantable=grant.grantable))
    return targets


def _rights(grants: Iterable[DefaultGrant]) -> Mapping[_Target, object]:
    return {target: rights(of_target) for target, of_target in _by_target(grants).items()}


def _changes(declared: Schema, live: Schema) -> Iterable[str]:
    if declared.default_grants is None:
        return
    before, after = _by_target(live.default_grants or ()), _by_target(declared.default_grants)
    for by, on in dict.fromkeys((*before, *after)):
        for statement in changes(before.get((by, on), ()), after.get((by, on), ()), on.upper()):
            yield f"{_alter(declared, by)} {statement}"


def _alter(declared: Schema, by: str | None) -> str:
    role = f" FOR ROLE {ident_role(by)}" if by is not None else ""
    return f"ALTER DEFAULT PRIVILEGES{role} IN SCHEMA {ident(declared.name)}"


KIND = Kind(
    Schema, resource="schema:Schema", page="schema.md", read=schemas.read, server_words=None, settle=settle,
    steps=steps, lint=errors, drops=(Drop("schema", "DROP SCHEMA {}", Hazard.DROPS_SCHEMA),))
