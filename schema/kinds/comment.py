"""Comments on a table and on its parts."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from schema.model.change.diff import TableDiff
from schema.model.change.step import Action, Step
from schema.model.names import ident, literal, quoted


def steps(diff: TableDiff, remade: Collection[str] = ()) -> list[Step]:
    """Make the comments of the table and of its parts the declared ones.

    `remade` names what other steps create again: such a part has lost its comment.
    """
    declared, live = diff.declared, diff.present.table
    table = ident(declared.full_name)
    steps = [step(f"TABLE {table}", declared.full_name, declared.comment, live.comment)]
    for kind, group in (("COLUMN", "columns"), ("CONSTRAINT", "keys"), ("CONSTRAINT", "foreign_keys"),
                        ("CONSTRAINT", "checks"), ("CONSTRAINT", "exclusions"), ("INDEX", "indexes"),
                        ("TRIGGER", "triggers")):
        comments = {live_part.name: live_part.comment for live_part in getattr(live, group)}
        for part in getattr(declared, group):
            where = f"{declared.full_name}.{part.name}"
            lost = where in remade and kind not in ("COLUMN", "TRIGGER")
            steps.append(step(f"{kind} {on_part(kind, declared.schema, table, part.name)}", where, part.comment,
                              None if lost else comments.get(part.name)))
    policies = declared.row_security.policies if declared.row_security else ()
    comments = {policy.name: policy.comment for policy in diff.present.policies}
    steps += [step(f"POLICY {quoted(policy.name)} ON {table}", f"{declared.full_name}.{policy.name}", policy.comment,
                   comments.get(policy.name)) for policy in policies]
    return list(_needed(steps))


def step(on: str, where: str, declared: str | None, live: str | None) -> Step | None:
    """The step that makes one comment the declared one; None where it is. `on` is such as "TABLE users"."""
    if declared == live:
        return None
    return Step(Action.COMMENT, where, f"COMMENT ON {on} IS {literal(declared)}",
                "the comment differs" if live else "there is no comment yet")


def on_part(kind: str, schema: str, table: str, name: str) -> str:
    """What COMMENT ON takes after the kind, for a part of a table; `table` is SQL."""
    if kind == "COLUMN":
        return f"{table}.{quoted(name)}"
    if kind == "INDEX":
        return quoted(name) if schema == "public" else f"{quoted(schema)}.{quoted(name)}"
    return f"{quoted(name)} ON {table}"


def _needed(steps: Iterable[Step | None]) -> Iterable[Step]:
    return (step for step in steps if step is not None)
