"""Columns of a continuous aggregate: renamed and added in place, then computed for the existing buckets."""

from __future__ import annotations

import json
from collections.abc import Iterable

from schema.aggregates.live_aggregate import UNFILLED, AggregateDiff
from schema.aggregates.query_change import Change
from schema.aggregates.refresh_windows import Moment
from schema.kinds.continuous_aggregate import fill
from schema.model.change.step import Action, Step, Transaction
from schema.model.names import ident, literal


def rename_steps(diff: AggregateDiff, change: Change) -> list[Step]:
    """Give columns with the same expression their declared names; the views above follow."""
    return [Step(Action.RENAME, f"{diff.name}.{new}",
                 f"ALTER MATERIALIZED VIEW {ident(diff.name)} RENAME COLUMN "
                                             f"{ident(old)} TO {ident(new)}",
                 "the same column bears another name", transaction=Transaction.OWN, cost="ACCESS EXCLUSIVE, no scan")
            for old, new in change.renamed.items()]


def add_steps(diff: AggregateDiff, change: Change) -> tuple[list[Step], list[str]]:
    """Add columns and compute them, newest bucket first; resumes an interrupted run.

    The columns' comments record how far it got until they are complete. Buckets whose rows are gone keep NULL.
    """
    marked = [column for column in diff.present.columns if column.unfilled is not None]
    columns = [*change.added, *(column.name for column in marked)]
    if not columns:
        return [], []
    lost = diff.loses_history
    spans = fill.windows_of(diff, exact=lost) if diff.weight.has_rows else []
    open_windows = spans if change.added else [window for window in spans
                                       if _is_before(window.start, (unfinished.unfilled for unfinished in marked))]
    steps = [_add(diff, name, sql, spans[-1].until if spans else None) for name, sql in change.added.items()]
    for window in reversed(open_windows):
        steps.append(fill.step(diff, diff.name, window, "computes the new columns",
                                         last=window is spans[-1], force=True))
        steps.append(_mark(diff, columns, window.start if window is not spans[0] else None))
    if not open_windows and marked:
        steps.append(_mark(diff, columns, None))
    warnings = [f"{diff.name}.{name} stays NULL in buckets before {diff.context.span.first}: the rows they were "
            "computed from are gone" for name in columns if lost and diff.context.span]
    return steps, warnings


def _add(diff: AggregateDiff, name: str, sql: str, until: Moment | None) -> Step:
    scratch = diff.context.scratch
    type_ = next(column.type for column in scratch.columns if column.name == name) if scratch else ""
    text = (f"ALTER MATERIALIZED VIEW {ident(diff.name)} ADD COLUMN {ident(name)} {type_} "
            f"GENERATED ALWAYS AS ({sql}) STORED")
    if until is not None:
        text += f"; {_comment(diff, name, until)}"
    return Step(Action.CREATE, f"{diff.name}.{name}", text, "the column does not exist",
                transaction=Transaction.OWN,
                cost="ACCESS EXCLUSIVE, no scan")


def _mark(diff: AggregateDiff, columns: Iterable[str], until: Moment | None) -> Step:
    return Step(Action.COMMENT, diff.name, "; ".join(_comment(diff, name, until) for name in columns),
                "keeps how far it got" if until is not None else "all buckets are computed",
                transaction=Transaction.OWN)


def _comment(diff: AggregateDiff, name: str, until: Moment | None) -> str:
    text = None if until is None else UNFILLED + json.dumps(until if isinstance(until, int) else until.isoformat())
    return f"COMMENT ON COLUMN {ident(diff.name)}.{ident(name)} IS {literal(text)}"


def _is_before(start: Moment, limits: Iterable[Moment | None]) -> bool:
    return any(limit is not None and start < limit for limit in limits)  # type: ignore[operator]


