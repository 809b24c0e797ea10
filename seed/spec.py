"""Spec: how much data, over which days, from which seed number; and the random streams that follow from it."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any, Self

import numpy as np

from seed.errors import SeedError

DAY = 86_400
_AT_LEAST = {"users": 1, "devices_per_user": 1, "days": 1, "readings": 0, "activities": 0, "notifications": 0,
             "number": 0}


@dataclass(frozen=True)
class Spec:
    """The data set asked for: exact row counts over the `days` that end at `until` (None: now, in whole seconds).

    `number` seeds every random choice: the same number and the same `until` give the same bytes.
    """

    users: int = 5
    devices_per_user: int = 3
    readings: int = 50_000
    activities: int = 5_000
    notifications: int = 500
    days: int = 30
    number: int = 1
    until: datetime | None = None

    def __post_init__(self) -> None:
        for name, least in _AT_LEAST.items():
            found = getattr(self, name)
            if isinstance(found, bool) or not isinstance(found, int) or found < least:
                raise SeedError(f"seed {name}: {found!r} is not a whole number of at least {least}; correct it")
        end = self.until or datetime.now(UTC)
        if end.tzinfo is None:
            raise SeedError(f"seed until: {end.isoformat()} has no time zone; write it with one, as {end.isoformat()}Z")
        if end.year < 1990:
            raise SeedError(f"seed until: {end.isoformat()} is before 1990; give a later instant")
        object.__setattr__(self, "until", end.astimezone(UTC).replace(microsecond=0))
        self._check_room("readings", self.devices, self.readings, DAY // 2, "device")
        self._check_room("activities", self.users, self.activities, 720, "user")

    def _check_room(self, what: str, owners: int, asked: int, most_a_day: int, owner: str) -> None:
        most = owners * self.days * most_a_day
        if asked > most:
            raise SeedError(f"seed {what}: {asked} do not fit in {self.days} days of {owners} {owner}s (at most {most}:"
                            f" {most_a_day} a {owner} and day); ask for fewer, or for more days or {owner}s")

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Build from plain values as Pulumi hands them over: numbers as floats, `until` as ISO 8601 text."""
        known = {field.name for field in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise SeedError(f"seed: unknown setting {unknown[0]!r}; known are {', '.join(sorted(known))}")
        read: dict[str, Any] = {}
        for name, value in values.items():
            if name == "until" and isinstance(value, str):
                read[name] = _read_instant(value)
            elif isinstance(value, float) and value.is_integer():
                read[name] = int(value)
            elif value is not None:
                read[name] = value
        return cls(**read)

    def to_dict(self) -> dict[str, int | str]:
        """The mapping that `from_dict` takes, `until` as ISO 8601 text."""
        counts: dict[str, int | str] = {name: getattr(self, name) for name in _AT_LEAST}
        return counts | {"until": datetime.fromtimestamp(self.end, UTC).isoformat()}

    @property
    def devices(self) -> int:
        return self.users * self.devices_per_user

    @property
    def end(self) -> int:
        """The last instant of the data, in seconds since 1970."""
        assert self.until is not None
        return int(self.until.timestamp())

    @property
    def start(self) -> int:
        """The first instant of the data, in seconds since 1970."""
        return self.end - self.days * DAY


def _read_instant(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise SeedError(f"seed until: {text!r} is no ISO 8601 instant; write it as 2026-03-31T12:00:00Z") from None


def stream(spec: Spec, *labels: str | int) -> np.random.Generator:
    """The random stream that belongs to these labels alone, so that one factory's draws never shift another's."""
    parts = [zlib.crc32(label.encode()) if isinstance(label, str) else label for label in labels]
    return np.random.default_rng([spec.number, *parts])


def shares(total: int, parts: int) -> list[int]:
    """Split `total` into `parts` whole numbers as equal as can be; the first ones take what is left over."""
    return [total // parts + (index < total % parts) for index in range(parts)]
