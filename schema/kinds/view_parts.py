"""What hangs on a view: defaults and comments of its columns, triggers; created again with it where it is dropped."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from schema.kinds import comment, trigger
from schema.model.change.diff import Diff
from schema.model.change.step import Action, Step, split_allowed
from schema.model.live.views import LiveView
from schema.model.names import ident, quoted, repeated
from schema.model.objects import Trigger, View, ViewColumn

NOTHING = ViewColumn("")


def creation(view: View) -> Iterable[tuple[str, str]]:
    """Return (part, SQL) that create, on a new view, the parts that the server spells in its own way."""
    yield from ((column.name, _default(view, column)) for column in view.columns if column.default is not None)
    yield from ((declared.name, trigger.definition(view, declared)) for declared in view.triggers)


def canonicalise(view: View, scratch: View) -> Mapping[str, Any]:
    """Return columns and triggers of the declared view as the server spelled those of the scratch one."""
    defaults = {column.name: column.default for column in scratch.columns}
    triggers = {created.name: created for created in scratch.triggers}
    return {"columns": tuple(replace(column, default=defaults.get(column.name)) for column in view.columns),
            "triggers": tuple(replace(triggers[declared.name], comment=declared.comment)
                              for declared in view.triggers)}


def steps(diff: Diff[View, LiveView]) -> tuple[list[Step], list[str]]:
    """Make defaults, comments and triggers the declared ones; undeclared triggers are dropped where that is allowed."""
    declared, live = diff.declared, diff.live.object if diff.live else None
    steps = list(_column_steps(declared, diff.canonical, remaining(live, diff.context.scratch)))
    present = {one.name: one for one in live.triggers} if live else {}
    for one, canonical in zip(declared.triggers, diff.canonical.triggers, strict=True):
        before = present.pop(one.name, None)
        where = f"{declared.full_name}.{one.name}"
        if before is None:
            steps.append(Step(Action.CREATE, where, trigger.definition(declared, one), "the trigger does not exist"))
        elif replace(canonical, comment=None) != replace(before, comment=None):
            steps.append(_replaced(declared, one, before, diff.context.server_version))
        comment_step = comment.step(_on(declared, one), where, one.comment, before.comment if before else None)
        steps += [comment_step] if comment_step else []
    drops, warnings = split_allowed([trigger.drop_step(declared.full_name, name) for name in present], diff.allowed)
    return [*steps, *drops], warnings


def remaining(live: View | None, scratch: LiveView | None) -> tuple[ViewColumn, ...]:
    """What the columns have that are columns of the declared view, too; the others go with the live view."""
    names = {name for name, _ in scratch.columns} if scratch else None
    return tuple(column for column in live.columns if names is None or column.name in names) if live else ()


def restore(declared: View, live: View, columns: Collection[str]) -> list[str]:
    """Return the statements that give a view that was created again the parts of the live one; `columns` are those that
    it has now."""
    statements = []
    for column in live.columns:
        if column.name in columns:
            statements += [_default(declared, column)] if column.default is not None else []
            comment_step = _comment(declared, column.name, column.comment, None)
            statements += [comment_step.sql] if comment_step else []
    for one in live.triggers:
        statements.append(trigger.definition(declared, one))
        comment_step = comment.step(_on(declared, one), "", one.comment, None)
        statements += [comment_step.sql] if comment_step else []
    return statements


def errors(view: View) -> Iterable[str]:
    """Return columns and triggers that are declared twice, and triggers that a view cannot have."""
    groups: tuple[tuple[ViewColumn | Trigger, ...], ...] = (view.columns, view.triggers)
    for group in groups:
        yield from (f"{view.full_name}.{twice}: declared twice; keep one"
                    for twice in repeated(part.name for part in group))
    yield from (f"{view.full_name}.{one.name}: a trigger of a view cannot be disabled; leave it out instead"
                for one in view.triggers if one.disabled)


def _column_steps(declared: View, canonical: View, live: Sequence[ViewColumn]) -> Iterable[Step]:
    after = {column.name: column for column in canonical.columns}
    before = {column.name: column for column in live}
    source = {column.name: column for column in declared.columns}
    for name in dict.fromkeys((*after, *before)):
        column, present = after.get(name, NOTHING), before.get(name, NOTHING)
        if column.default != present.default:
            why = f"the default is {present.default}" if present.default else "there is no default yet"
            yield Step(Action.ALTER, f"{declared.full_name}.{name}",
                       _default(declared, source.get(name, ViewColumn(name))), why)
        comment_step = _comment(declared, name, column.comment, present.comment)
        if comment_step:
            yield comment_step


def _default(view: View, column: ViewColumn) -> str:
    change = "DROP DEFAULT" if column.default is None else f"SET DEFAULT {column.default}"
    return f"ALTER VIEW {ident(view.full_name)} ALTER COLUMN {ident(column.name)} {change}"


def _comment(view: View, name: str, declared: str | None, live: str | None) -> Step | None:
    return comment.step(f"COLUMN {ident(view.full_name)}.{ident(name)}", f"{view.full_name}.{name}", declared, live)


def _replaced(view: View, declared: Trigger, live: Trigger, server_version: int) -> Step:
    why = f"it is {trigger.definition(view, live)}"
    sql = trigger.definition(view, declared, replacing=True)
    if server_version < trigger.REPLACES_SINCE:
        comment_step = comment.step(_on(view, declared), "", live.comment, None)
        sql = "; ".join([f"DROP TRIGGER {quoted(declared.name)} ON {ident(view.full_name)}",
                         trigger.definition(view, declared), *([comment_step.sql] if comment_step else [])])
    return Step(Action.REPLACE, f"{view.full_name}.{declared.name}", sql, why)


def _on(view: View, declared: Trigger) -> str:
    return f"TRIGGER {quoted(declared.name)} ON {ident(view.full_name)}"
