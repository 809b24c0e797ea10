"""What TimescaleDB does with random tables: chunks, columnstore, policies and how their jobs run."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from schema.model.names import quoted
from schema.model.objects import Compression, Hypertable, Refresh, Reorder, Retention

CHUNKS = ("7 days", "1 week", "1 mon", "10 days", "36:00:00")
SETTINGS: dict[str, tuple[Any, ...]] = {
    "max_runtime": ("00:10:00", "0"), "max_retries": (-1, 0, 5), "retry_period": ("5 minutes", "1 hour"),
    "timezone": ("Europe/Berlin",), "initial_start": ("2026-01-01 03:00:00+00", "2025-12-01 00:00+02")}


@st.composite
def runs(draw: st.DrawFn) -> dict[str, Any]:
    """Draw how a job runs; mostly what is left to the server."""
    if draw(st.booleans()):
        return {}
    names = draw(st.lists(st.sampled_from(sorted(SETTINGS)), unique=True))
    return {name: draw(st.sampled_from(SETTINGS[name])) for name in names}


@st.composite
def hypertable_parts(draw: st.DrawFn, time: str, indexes: tuple[str, ...], *, secured: bool) -> dict[str, Any]:
    """Draw the hypertable settings of a table, and the policies that need them; a secured one has no columnstore."""
    parts: dict[str, Any] = {"hypertable": Hypertable(time, draw(st.sampled_from(CHUNKS)))}
    if draw(st.booleans()):
        parts["retention"] = Retention(draw(st.sampled_from(("30 years", "40 years", "600 months"))),
                                       schedule=draw(st.sampled_from((None, "1 day", "06:00:00"))),
                                       paused=draw(st.booleans()), **draw(runs()))
    if not secured and draw(st.integers(0, 2)) == 0:
        parts["compression"] = draw(compressions(time, ("id",)))
    if draw(st.integers(0, 3)) == 0:
        parts["reorder"] = Reorder(draw(st.sampled_from(indexes)), schedule=draw(st.sampled_from((None, "2 days"))),
                                   paused=draw(st.booleans()), **draw(runs()))
    return parts


@st.composite
def compressions(draw: st.DrawFn, time: str, segments: tuple[str, ...], *,
                 by_creation: bool = True) -> Compression:
    """Draw a columnstore, with its policy or without, whose columns may be left to the server; an aggregate's policy
    cannot go by the chunks' creation."""
    by = draw(st.sampled_from(((), None, segments)))
    ordered = quoted(time)
    further: dict[str, Any] = {}
    if draw(st.integers(0, 3)) == 0:
        further["chunk_interval"] = draw(st.sampled_from(("60 days", "90 days")))
    limit = draw(st.sampled_from((None, "after", *(["created_before"] if by_creation else []))))
    if limit == "after":
        further["after"] = draw(st.sampled_from(("10 years", "3 mons")))
    elif limit == "created_before":
        further["created_before"] = draw(st.sampled_from(("10 years", "1 month")))
    if limit:
        further |= {"schedule": draw(st.sampled_from((None, "12 hours", "1 day"))), "paused": draw(st.booleans()),
                    **draw(runs())}
    return Compression(segment_by=by, order_by=draw(st.sampled_from((
        None, (f"{ordered} DESC",), (ordered,), (f"{ordered} DESC NULLS LAST",)))), **further)


@st.composite
def refreshes(draw: st.DrawFn, *, limited: bool) -> tuple[Refresh, ...]:
    """Draw no refresh policy, one, or two of different windows; `limited` where something keeps rows for a time."""
    number = draw(st.integers(0, 2))
    first = Refresh(draw(st.sampled_from(("2 months", "3 months", *([] if limited else [None])))),
                    draw(st.sampled_from(("1 day", None) if number < 2 else ("1 day",))),
                    draw(st.sampled_from(("1 hour", "1 day"))), draw(st.booleans()), **draw(batches()), **draw(runs()))
    second = Refresh("10 years", first.start or "5 years", "1 day", draw(st.booleans()), **draw(batches()),
                     **draw(runs()))
    if number == 2 and first.start is None:
        return (first,)
    return (first, second)[:number]


@st.composite
def batches(draw: st.DrawFn) -> dict[str, Any]:
    """Draw in which portions a refresh works."""
    choices: dict[str, tuple[Any, ...]] = {"buckets_per_batch": (1, 20), "max_batches_per_execution": (0, 5),
                                           "refresh_newest_first": (True, False)}
    names = draw(st.lists(st.sampled_from(sorted(choices)), unique=True, max_size=2))
    return {name: draw(st.sampled_from(choices[name])) for name in names}
