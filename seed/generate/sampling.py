"""When each device reports, which reports are lost, and how many came before any time.

Everything is a function of the device and the slot's number, so that any slice of time is generated without the ones
before it and without a list of losses: memory does not grow with the data.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import lru_cache

import numpy as np

from seed.generate.device_clock import Pace, pace
from seed.generate.device_types import TYPES
from seed.generate.people import people, spots
from seed.generate.profiles import Profile
from seed.generate.rows import Bools, Floats, Ints, Words, uniform
from seed.spec import DAY, Spec, key, shares

# One device in this many drops out for some hours; a data set of a day or two is too short to show it.
_OFFLINE_EVERY, _OFFLINE_HOURS, _OFFLINE_FROM_DAYS = 15, 31, 4
# Share of readings that never arrive, half of them in one stretch (the router was off).
_MISSED = 0.016
# Where two reports could fall into one second, none strays from its turn; nor has a device a manner of its own.
_JITTER_FROM, _MANNER_FROM = 5.0, 20.0
# Reports of one burst, and how far apart they are, in shares of the interval.
_BURST, _APART = 3, 0.3
_BURST_JITTER = 0.9


@dataclass(frozen=True)
class Schedules:
    """When devices report: on their own clocks, slot s in the s-th `interval`, within `jitter` of it.

    With `bursts`, three slots come together. A device is silent for `offline` seconds from `offline_at`; its later
    slots move by as much. Lost are the `run` slots from `run_at` on, and one in each of `singles` equal stretches of
    the others: slots - run - singles remain. `pair` is the index of a device's clock in `pace`; the clocks begin at
    `start`.
    """

    start: int
    pace: Pace
    pair: Ints
    interval: Floats
    jitter: Floats
    bursts: Bools
    slots: Ints
    run_at: Ints
    run: Ints
    singles: Ints
    offline_at: Ints
    offline: Ints
    key: Words

    def part(self, first: int, last: int) -> Schedules:
        """The schedules of devices first .. last - 1, counted from 0."""
        return Schedules(self.start, self.pace, *(getattr(self, field.name)[first:last] for field in fields(self)[2:]))

    def reports(self, begin: int, end: int) -> tuple[Ints, Ints]:
        """Device (counted from 0) and time of each report within [begin, end), ordered by device, then time."""
        first, beyond = self._near(begin)[0], self._near(end)[1]
        count = np.maximum(0, beyond - first)
        devices = np.repeat(np.arange(len(first)), count)
        slots = np.arange(len(devices)) + np.repeat(first - np.cumsum(count) + count, count)
        times = self._times(devices, slots)
        keep = (times >= begin) & (times < end)
        self._leave_out_lost(keep, devices, slots, first, count)
        return devices[keep], times[keep]

    def before(self, instant: int) -> Ints:
        """The number of reports of each device before this time."""
        near, far = self._near(instant)
        # Between the two bounds lie a handful of slots, for a device that was offline some hours of them.
        count = far - near
        devices = np.repeat(np.arange(len(near)), count)
        slots = np.arange(len(devices)) + np.repeat(near - np.cumsum(count) + count, count)
        earlier = self._times(devices, slots) < instant
        reached = near + np.bincount(devices[earlier], minlength=len(near))
        return reached - self._lost_before(reached)

    def _near(self, instant: int) -> tuple[Ints, Ints]:
        """Two slots of each device: all before the first come before the instant, all from the second on after it."""
        own = self.pace.own(np.array([instant - self.start]))[self.pair, 0]
        # A burst draws a slot forward by less than two; a device that was offline is so many hours behind.
        low, high = (self._slot(own - self.offline) - 2, self._slot(own) + 4)
        return np.maximum(0, low), np.maximum(np.maximum(0, low), np.minimum(self.slots, high))

    def _slot(self, own: Floats) -> Ints:
        """The slot in which each device is at its own time, offline hours apart."""
        with np.errstate(divide="ignore", invalid="ignore"):
            slots = np.where(self.interval > 0, np.maximum(0, own) / self.interval, 0.0)
        return np.minimum(slots, self.slots).astype(np.int64)

    def _times(self, devices: Ints, slots: Ints) -> Ints:
        turns, moved = self._turns(devices, slots)
        moved -= 0.5
        moved *= self.jitter[devices]
        moved += turns
        moved *= self.interval[devices]
        if self.offline.any():
            moved += np.where(moved >= self.offline_at[devices], self.offline[devices], 0)
        times = self.pace.wall(self.pair[devices], moved).astype(np.int64)
        times += self.start
        return times

    def _turns(self, devices: Ints, slots: Ints) -> tuple[Floats, Floats]:
        """The middle of each slot's turn, in slots, and a number in [0, 1) that says how far the report strays."""
        if not self.bursts.any():
            return np.add(slots, 0.5, dtype=np.float64), uniform(self.key[devices], slots)
        within = slots % _BURST
        within *= self.bursts[devices]
        # Those of a burst stray together, and so stay apart.
        drawn = uniform(self.key[devices], slots - within)
        turns = np.multiply(within, _APART - 1, dtype=np.float64)
        turns += slots
        turns += 0.5
        return turns, drawn

    def _leave_out_lost(self, keep: Bools, devices: Ints, slots: Ints, first: Ints, count: Ints) -> None:
        """Clear `keep` where a slot is lost; `slots` are, for each device, `count` from `first` on."""
        into_run = slots - self.run_at[devices]
        keep &= (into_run < 0) | (into_run >= self.run[devices])
        # The single ones are few: they are listed, stretch by stretch, rather than asked for slot by slot.
        ends = self._others(first + count)
        low, high = (self._stretch(slots) for slots in (self._others(first), np.maximum(0, ends - 1)))
        stretches = np.where((count > 0) & (self.singles > 0), high - low + 1, 0)
        owner = np.repeat(np.arange(len(first)), stretches)
        stretch = np.arange(len(owner)) + np.repeat(low - np.cumsum(stretches) + stretches, stretches)
        lost = self._pick(owner, stretch)
        lost += np.where(lost >= self.run_at[owner], self.run[owner], 0) - first[owner]
        within = (lost >= 0) & (lost < count[owner])
        keep[(np.cumsum(count) - count)[owner[within]] + lost[within]] = False

    def _others(self, slots: Ints) -> Ints:
        """How many slots below these, one for each device, are not the run's."""
        return np.asarray(slots - np.clip(slots - self.run_at, 0, self.run))

    def _stretch(self, others: Ints) -> Ints:
        """The stretch in which the slots with these numbers lie, the run's not counted, one for each device."""
        many = np.maximum(1, self.singles)
        length = np.maximum(1, self.slots - self.run)
        return np.asarray(np.minimum(((others + 1) * many - 1) // length, many - 1))

    def _pick(self, devices: Ints, stretch: Ints) -> Ints:
        """The slot that is lost in each stretch, the run's not counted."""
        length, many = np.maximum(1, self.slots - self.run)[devices], np.maximum(1, self.singles)[devices]
        begins, ends = stretch * length // many, (stretch + 1) * length // many
        drawn = uniform(self.key[devices] + np.uint64(5), stretch)
        return np.asarray(begins + (drawn * (ends - begins)).astype(np.int64))

    def _lost_before(self, slots: Ints) -> Ints:
        """How many of the slots below these, one for each device, were lost."""
        others = self._others(slots)
        # The last slot below says how many stretches have begun, and whether its own has lost one yet.
        stretch = self._stretch(np.maximum(0, others - 1))
        picked = self._pick(np.arange(len(slots)), stretch) < others
        return np.asarray(slots - others + np.where((self.singles > 0) & (others > 0), stretch + picked, 0))


@lru_cache(maxsize=4)
def schedules(spec: Spec) -> Schedules:
    """The schedules of all devices, by id: exactly `spec.total_readings` reports in all."""
    index = np.arange(spec.devices)
    counts = np.array(shares(spec.total_readings, spec.devices), dtype=np.int64)
    drawn = {name: uniform(key(spec, "schedule", name), index) for name in ("run", "offline")}
    offline = np.zeros(spec.devices, dtype=np.int64)
    if spec.days >= _OFFLINE_FROM_DAYS:
        offline[index % _OFFLINE_EVERY == spec.number % _OFFLINE_EVERY] = _OFFLINE_HOURS * 3600
        if spec.devices < _OFFLINE_EVERY:
            # A small fleet shows an offline device too.
            offline[-1] = _OFFLINE_HOURS * 3600
    span = spec.days * DAY - offline
    # More than one report a second there is not.
    slots = np.minimum(counts + (counts * _MISSED).astype(np.int64), span)
    lost = slots - counts
    run = lost // 2
    with np.errstate(divide="ignore", invalid="ignore"):
        interval = np.where(slots > 0, span / slots, 0.0)
    clocks, pair = _clocks(spec, interval)
    kinds = [TYPES[spot] for spot in spots(spec)]
    bursts = np.array([kind.bursts for kind in kinds]) & (interval >= _MANNER_FROM)
    jitter = np.where(interval < _JITTER_FROM, 0.0, [kind.jitter for kind in kinds])
    return Schedules(
        start=spec.start, pace=clocks, pair=pair, interval=interval, jitter=np.where(bursts, _BURST_JITTER, jitter),
        bursts=bursts, slots=slots,
        run_at=(drawn["run"] * np.maximum(1, slots - lost)).astype(np.int64), run=run, singles=lost - run,
        offline_at=(span * (0.2 + 0.6 * drawn["offline"])).astype(np.int64), offline=offline,
        key=(uniform(key(spec, "schedule", "key"), index) * 2.0**62).astype(np.uint64),
    )


def _clocks(spec: Spec, interval: Floats) -> tuple[Pace, Ints]:
    """The clocks that devices with these intervals follow, and which one each of them does."""
    pairs: dict[tuple[str, str] | None, int] = {None: 0}
    clocks: list[tuple[Profile, str] | None] = [None]
    followed = np.zeros(spec.devices, dtype=np.int64)
    persons = people(spec)
    for index, spot in enumerate(spots(spec)):
        if TYPES[spot].even or interval[index] < _MANNER_FROM:
            continue
        profile = persons[index // spec.devices_per_user].profile
        followed[index] = pairs.setdefault((profile.name, spot), len(clocks))
        if followed[index] == len(clocks):
            clocks.append((profile, spot))
    return pace(spec.start, spec.days, clocks), followed
