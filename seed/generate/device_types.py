"""The device types: one for each place, with its power and how it samples.

A new type comes with a new room: docs/add-a-profile.md names the other tables that a room needs.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DeviceType:
    """One type of device: `power` is mains, cells or rechargeable; the other fields say when it reports.

    `jitter` is how far a report may deviate from its even time, as a share of the interval. A device that `bursts`
    sends three reports close together, then waits for three intervals. The other four are relative rates while its
    owner is in the same room (`here`), `asleep`, out (`away`), or elsewhere at `home`: the first that applies counts.
    The interval sets the number of reports, so four equal rates are an even pace.
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
        """Whether it reports at the same rate whatever its owner does."""
        return self.here == self.asleep == self.away == self.home

    @property
    def sampling(self) -> str:
        """How it samples: bursts, steady or adaptive."""
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
