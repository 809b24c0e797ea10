"""The buckets of an aggregate computed window by window: each window is a step of the plan, and can be resumed from."""

from __future__ import annotations

from schema.aggregates import refresh_windows
from schema.aggregates.live_aggregate import AggregateDiff, bucket_of
from schema.aggregates.refresh_windows import Window
from schema.model import intervals
from schema.model.change.step import Action, Step, Transaction
from schema.model.names import ident, literal
from schema.model.objects import ContinuousAggregate

COST = "reads the source, blocks neither readers nor writers"


def windows_of(diff: AggregateDiff, *, exact: bool = False) -> list[Window]:
    """Return all windows that the source has rows for, oldest first; with `exact` none begins before its first row."""
    span = diff.context.span
    if span is None or span.first is None or span.last is None:
        return []
    width = refresh_windows.width_of(bucket_of(diff.canonical).width)
    return refresh_windows.windows(span.first, span.last, length=intervals.fixed_length(span.chunk), width=width,
                                   exact=exact)


def step(diff: AggregateDiff, name: str, window: Window, why: str, *, last: bool,
         force: bool = False) -> Step:
    """Compute one window of the aggregate `name`; the `last` window ends where the refresh policy begins."""
    end = _end(diff, window) if last else refresh_windows.sql(window.end)
    forced = ", force => true" if force else ""
    return Step(Action.COMPUTE, diff.name, f"CALL refresh_continuous_aggregate({literal(ident(name))}, "
                                 f"{refresh_windows.sql(window.start)}, {end}{forced})", why,
                transaction=Transaction.NONE, cost=COST, heavy=True)


def _end(diff: AggregateDiff, window: Window) -> str:
    """The end of the policy's own window, as newer rows are still being written; NULL, no end, where no policy follows.

    An expression, so that the step stays the same while time passes; the window always holds a bucket.
    """
    refresh = diff.declared.refresh
    now = {"timestamp without time zone": "localtimestamp", "timestamp with time zone": "now()",
           "date": "current_date"}.get(_type(diff, diff.canonical), "")
    if refresh is None or refresh.end is None or not now or isinstance(window.start, int):
        return "NULL"
    least = refresh_windows.sql(refresh_windows.later(window.start, bucket_of(diff.canonical).width, 2))
    kind = _type(diff, diff.canonical)
    present = f"{now} - {intervals.sql(refresh.end)}"
    return f"greatest(({present})::{kind}, {least}::{kind})" if kind == "date" else f"greatest({present}, {least})"


def _type(diff: AggregateDiff, canonical: ContinuousAggregate) -> str:
    created = diff.context.scratch or diff.live
    name = bucket_of(canonical).name
    return next((column.type for column in created.columns if column.name == name), "") if created else ""
