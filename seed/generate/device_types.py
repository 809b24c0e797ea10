"""Device types: what stands in each place: its name, what it runs on, and how it samples. To add one, add it here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DeviceType:
    """One type of device: `power` is mains, cells or rechargeable; the rest says when it reports.

    `jitter` is how far, in shares of the interval, a report may stray from its even turn; one that `bursts` wakes for
    three reports close together, then waits for three turns. The other four are how often it reports, in proportion to
    each other, while its owner is in the same room, asleep, out, or elsewhere at home: the first that holds counts. How
    often in all is the interval's matter, so four equal ones are an even pace.
    """

    name: str
    model: str
    power: str
    jitter: float = 0.36
    bursts: bool = False
    here: float = 1.0
    asleep: float = 1.0
    away: float = 1.0
    home: float = 1.0

    @property
    def even(self) -> bool:
        """Whether it reports as often whatever its owner does."""
        return self.here == self.asleep == self.away == self.home

    @property
    def sampling(self) -> str:
        """How it samples, in one word."""
        return "bursts" if self.bursts else "steady" if self.even else "adaptive"


# By place; "phone" is beside its owner, and so never in a room of its own.
TYPES = {
    # Wakes with movement; lies on its charger at night.
    "phone": DeviceType("phone", "Companion Clip", "rechargeable", bursts=True, asleep=0.6),
    # At the socket it need not save, and reports like a clock.
    "kitchen": DeviceType("kitchen_station", "Companion Chef", "mains", jitter=0.04),
    # Saves its cells while nobody is there to feel the air.
    "living room": DeviceType("room_sensor", "Companion Room", "cells", here=1.7, asleep=0.35, away=0.7, home=1.2),
    # Watches the sleeper, and saves by day.
    "bedroom": DeviceType("bedroom_sensor", "Companion Night", "cells", here=1.6, asleep=1.6, away=0.6, home=0.8),
    # Reports what changes: the steam of somebody who washes.
    "bathroom": DeviceType("humidity_sensor", "Companion Drop", "cells", here=4.0, asleep=0.4, away=0.6, home=0.9),
}
