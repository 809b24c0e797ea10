"""Comments on a table and on its parts."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from schema.model.diff import TableDiff
from schema.model.names import ident, literal
from schema.model.objects import qualified
from schema.model.step import Action, Step


def steps(diff: TableDiff, changed: Collection[str] = ()) -> list[Step]:
    """Make the comments of the table and of its parts the declared ones.

    `changed` names what other steps change: a part that is made anew has lost its comment.
    """
    declared, live = diff.declared, diff.present.table
    table = ident(declared.full_name)
    found = [step(f"TABLE {table}", declared.full_name, declared.comment, live.comment)]
    for kind, group in (("COLUMN", "columns"), ("CONSTRAINT", "keys"), ("CONSTRAINT", "foreign_keys"),
                        ("CONSTRAINT", "checks"), ("INDEX", "indexes"), ("TRIGGER", "triggers")):
        comments = {each.name: each.comment for each in getattr(live, group)}
        for each in getattr(declared, group):
            where = f"{declared.full_name}.{each.name}"
            lost = where in changed and kind not in ("COLUMN", "TRIGGER")
            found.append(step(f"{kind} {_on(kind, declared.schema, table, each.name)}", where, each.comment,
                              None if lost else comments.get(each.name)))
    policies = declared.row_security.policies if declared.row_security else ()
    comments = {each.name: each.comment for each in diff.present.policies}
    found += [step(f"POLICY {ident(each.name)} ON {table}", f"{declared.full_name}.{each.name}", each.comment,
                   comments.get(each.name)) for each in policies]
    return list(_needed(found))


def step(on: str, where: str, declared: str | None, live: str | None) -> Step | None:
    """The step that makes one comment the declared one; None where it is. `on` is such as "TABLE users"."""
    if declared == live:
        return None
    return Step(Action.COMMENT, where, f"COMMENT ON {on} IS {literal(declared)}",
                "the comment differs" if live else "there is no comment yet")


def _on(kind: str, schema: str, table: str, name: str) -> str:
    if kind == "COLUMN":
        return f"{table}.{ident(name)}"
    return ident(qualified(schema, name)) if kind == "INDEX" else f"{ident(name)} ON {table}"


def _needed(found: Iterable[Step | None]) -> Iterable[Step]:
    return (each for each in found if each is not None)
