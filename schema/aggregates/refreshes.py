"""The refresh policies of one aggregate: declared ones and live ones matched by their windows; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from schema.model import intervals, job_settings
from schema.model.live.jobs import BATCHES
from schema.model.objects import ContinuousAggregate, Refresh


def declared(aggregate: ContinuousAggregate) -> tuple[Refresh, ...]:
    """Return all refresh policies of the aggregate, the first one first."""
    return (*([aggregate.refresh] if aggregate.refresh else []), *aggregate.further_refreshes)


def matched(wanted: Sequence[Refresh], live: Sequence[Refresh]) -> list[tuple[Refresh | None, Refresh | None]]:
    """Return pairs of (wanted, live): those of one window first, then the others in their order; None without a match.

    The pairs with a live policy come first, in the order of the live ones.
    """
    free = list(wanted)
    partners: list[Refresh | None] = [_take(free, lambda refresh, other=other: _same_window(refresh, other))
                                      for other in live]
    partners = [partner or _take(free, lambda _: True) for partner in partners]
    return [*zip(partners, live, strict=True), *((refresh, None) for refresh in free)]


def settled(wanted: Refresh, live: Refresh) -> Refresh:
    """Return the wanted policy with live values for what is left to the server and for what is equal."""
    texts = {key: getattr(live, key) if intervals.same(getattr(wanted, key), getattr(live, key)) else
             getattr(wanted, key) for key in ("start", "end", "schedule")}
    batches = {key: getattr(live, key) if getattr(wanted, key) is None else getattr(wanted, key) for key in BATCHES}
    return replace(wanted, **texts, **batches, **job_settings.settled(wanted, live))


def in_order(wanted: ContinuousAggregate, live: ContinuousAggregate) -> dict[str, Any]:
    """Return the wanted aggregate's refresh policies, settled and in the order of the live ones that they match.

    Where it has any, those that nobody declares are among them: they are left in place.
    """
    if not declared(wanted):
        return {}
    pairs = matched(declared(wanted), declared(live))
    policies = [settled(one, other) if one and other else one or other for one, other in pairs]
    return {"refresh": policies[0], "further_refreshes": tuple(policies[1:])}


def _same_window(one: Refresh, other: Refresh) -> bool:
    return intervals.same(one.start, other.start) and intervals.same(one.end, other.end)


def _take(free: list[Refresh], fits: Any) -> Refresh | None:
    chosen = next((refresh for refresh in free if fits(refresh)), None)
    if chosen is not None:
        free.remove(chosen)
    return chosen
