"""Triggers: created, replaced with no moment in which they do not fire, enabled and disabled."""

from __future__ import annotations

from dataclasses import replace

from schema.errors import UnsupportedError
from schema.model.change.diff import TableDiff
from schema.model.change.step import Action, Hazard, Step, Transaction
from schema.model.names import ident, literal, quoted
from schema.model.objects import Table, Trigger, View

# PostgreSQL's, and on hypertables TimescaleDB's, that know CREATE OR REPLACE TRIGGER.
REPLACES_SINCE, REPLACES_ON_CHUNKS_SINCE = 140000, (2, 12)
SWITCHES_ON_CHUNKS_SINCE = (2, 27)
# No row is read or written under it; writers wait for those that were there before.
COST = "SHARE ROW EXCLUSIVE, no scan"


def definition(table: Table | View, trigger: Trigger, *, replacing: bool = False) -> str:
    """CREATE TRIGGER as SQL."""
    referencing = f" REFERENCING {trigger.referencing}" if trigger.referencing else ""
    when = f" WHEN ({trigger.when})" if trigger.when else ""
    calls = trigger.calls if "(" in trigger.calls else f"{trigger.calls}()"
    kind = ("OR REPLACE " if replacing else "") + ("CONSTRAINT " if trigger.constraint else "")
    between = f" FROM {ident(trigger.from_table)}" if trigger.from_table else ""
    if trigger.deferrable:
        between += " DEFERRABLE INITIALLY DEFERRED" if trigger.initially_deferred else " DEFERRABLE"
    return (f"CREATE {kind}TRIGGER {quoted(trigger.name)} {trigger.fires} ON {ident(table.full_name)}{between}"
            f"{referencing} FOR EACH {trigger.each.upper()}{when} EXECUTE FUNCTION {calls}")


def state(table: Table, trigger: Trigger) -> str:
    """ALTER TABLE that gives the trigger its declared state, on every chunk too."""
    role = "" if trigger.role == "origin" else f" {trigger.role.upper()}"
    action = "DISABLE" if trigger.disabled else f"ENABLE{role}"
    return f"ALTER TABLE {ident(table.full_name)} {action} TRIGGER {quoted(trigger.name)}"


def steps(diff: TableDiff) -> list[Step]:
    """Create the triggers that are missing, replace those that differ, enable or disable where that alone differs."""
    live = {trigger.name: trigger for trigger in diff.present.table.triggers}
    _require_switches(diff)
    steps: list[Step] = []
    for declared, canonical in zip(diff.declared.triggers, diff.canonical.triggers, strict=True):
        present = live.get(canonical.name)
        mixed = canonical.name in diff.present.mixed
        if present is None:
            steps.append(_step(Action.CREATE, diff, declared, definition(diff.declared, declared),
                               "the trigger does not exist"))
        elif _as_created(canonical) != _as_created(present):
            steps.append(_replace(diff, declared, present))
            present = _as_created(present)
        if _state(canonical) != _state(present) or (mixed and present):
            why = "some chunks have it in another state" if mixed else f"the trigger is {_state(present)}"
            steps.append(_step(Action.ALTER, diff, declared, state(diff.declared, declared), why))
    return steps


def is_enabled(trigger: Trigger) -> bool:
    """Whether the trigger fires as CREATE TRIGGER leaves it."""
    return trigger.role == "origin" and not trigger.disabled


def _as_created(trigger: Trigger) -> Trigger:
    """The trigger as CREATE TRIGGER leaves it, without its comment."""
    return replace(trigger, comment=None, disabled=False, role="origin")


def _state(trigger: Trigger | None) -> str:
    """When it fires, for people; a trigger that does not exist yet is going to be enabled."""
    if trigger is None or is_enabled(trigger):
        return "enabled"
    return "disabled" if trigger.disabled else f"enabled for role {trigger.role}"


def drop_step(relation: str, name: str, transaction: Transaction = Transaction.SHARED) -> Step:
    """Drop a trigger that nobody declares; `relation` is the full name of its table or view."""
    return Step(Action.DROP, f"{relation}.{name}", f"DROP TRIGGER {quoted(name)} ON {ident(relation)}",
                "nobody declares the trigger", (Hazard.DROPS_TRIGGER,), transaction)


def _replace(diff: TableDiff, declared: Trigger, live: Trigger) -> Step:
    table = diff.declared
    why = f"it is {definition(table, live)}"
    replaces = not (declared.constraint or live.constraint)
    on_chunks = not diff.canonical.hypertable or diff.context.timescaledb >= REPLACES_ON_CHUNKS_SINCE
    if diff.context.server_version >= REPLACES_SINCE and on_chunks and replaces:
        return _step(Action.REPLACE, diff, declared, definition(table, declared, replacing=True), why)
    # Both in one transaction: nobody sees the table without it.
    on = f"{quoted(declared.name)} ON {ident(table.full_name)}"
    comment = f"; COMMENT ON TRIGGER {on} IS {literal(live.comment)}" if live.comment else ""
    return _step(Action.REPLACE, diff, declared, f"DROP TRIGGER {on}; {definition(table, declared)}{comment}", why)


def _require_switches(diff: TableDiff) -> None:
    disabled = [trigger.name for trigger in diff.declared.triggers if not is_enabled(trigger)]
    if disabled and diff.declared.hypertable and () < diff.context.timescaledb < SWITCHES_ON_CHUNKS_SINCE:
        raise UnsupportedError(
            f"{diff.name}.{disabled[0]}: a trigger of a hypertable can be disabled from TimescaleDB "
            f"{'.'.join(map(str, SWITCHES_ON_CHUNKS_SINCE))} on, found {'.'.join(map(str, diff.context.timescaledb))}; "
            "take the trigger out of the declaration instead")


def _step(action: Action, diff: TableDiff, trigger: Trigger, sql: str, why: str) -> Step:
    return Step(action, f"{diff.name}.{trigger.name}", sql, why, transaction=diff.transaction,
                cost=COST if diff.weight.has_rows else "")
