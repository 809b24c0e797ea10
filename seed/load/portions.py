"""Portions: pieces of the data set that can be generated and loaded independently, in any order, in parallel."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

from seed.generate.activities import count_groups, make_group
from seed.generate.alerts.notifications import PART_ROWS, choose_causes, make_notifications
from seed.generate.alerts.threshold_crossings import Sighting, Watch, look_at_activities, look_at_readings
from seed.generate.readings.measurements import Slice, make_slice, slices
from seed.generate.rows import Array, Ints, Rows
from seed.spec import Spec

READINGS, ACTIVITIES, NOTIFICATIONS = "environmental_readings", "activity_classifications", "notifications"


@dataclass(frozen=True)
class Portion:
    """A piece of a table; `make` generates its rows, and the causes for notifications seen in them."""

    table: str
    number: int
    make: Callable[[], tuple[Rows, Sighting | None]]


def portions_to_observe(spec: Spec) -> list[Portion]:
    """The portions of readings, in order of time, then those of activities."""
    groups = range(count_groups(spec))
    return [*(Portion(READINGS, part.number, partial(_of_readings, spec, part)) for part in slices(spec)),
            *(Portion(ACTIVITIES, group, partial(_of_activities, spec, group)) for group in groups)]


def start_first(portions: list[Portion]) -> list[Portion]:
    """The same portions, with the first one being generated in a thread already."""
    if not portions:
        return []
    maker = ThreadPoolExecutor(1, thread_name_prefix="seed")
    held = [maker.submit(portions[0].make)]
    maker.shutdown(wait=False)
    # Handed over, not kept: its rows would stay in memory as long as the load takes.
    return [replace(portions[0], make=lambda: held.pop().result()), *portions[1:]]


def notification_portions(watch: Watch) -> list[Portion]:
    """The portions of the notifications that the observed data causes."""
    spec, due = watch.spec, choose_causes(watch)
    return [Portion(NOTIFICATIONS, number, partial(_of_notifications, spec, due, number * PART_ROWS))
            for number in range(-(-len(due[0]) // PART_ROWS))]


def _of_notifications(spec: Spec, due: tuple[Ints, Array], begin: int) -> tuple[Rows, Sighting | None]:
    return make_notifications(spec, due, begin, begin + PART_ROWS), None


def _of_readings(spec: Spec, part: Slice) -> tuple[Rows, Sighting | None]:
    rows = make_slice(spec, part)
    return rows, look_at_readings(spec, rows) if spec.most_notifications else None


def _of_activities(spec: Spec, group: int) -> tuple[Rows, Sighting | None]:
    rows = make_group(spec, group)
    return rows, look_at_activities(spec, rows) if spec.most_notifications else None
