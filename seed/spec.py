"""Spec: how much data, over which days, from which seed number; and the random streams derived from it."""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from typing import Any, Self

import numpy as np

from seed.errors import SeedError

DAY = 86_400
_AT_LEAST = {"users": 1, "devices_per_user": 1, "days": 1, "readings": 0, "activities": 0, "notifications": 0,
             "number": 0, "interval": 2, "first_user": 1, "first_device": 1}
_LOCALE = re.compile(r"[a-z]{2,3}_[A-Z]{2}")
_AT_MOST = {"users": 1_000_000, "devices_per_user": 1_000, "days": 20_000, "number": 2**63 - 1}
# The specification's amounts: this many rows of 5 users with 3 devices each in 30 days.
_READINGS, _ACTIVITIES, _NOTIFICATIONS, _USER_DAYS, _DEVICE_DAYS = 50_000, 5_000, 500, 150, 450


@dataclass(frozen=True)
class Spec:
    """The requested data set: exact row counts over the `days` that end at `until` (None: now, in whole seconds).

    Counts not given follow the specification's, in proportion to users, devices and days; with `interval`, a device
    reports once in so many seconds. With `notifications` None there are fewer where the data causes fewer. Names and
    streets are of `locale`. User and device ids start at `first_user` and `first_device`. `number` seeds every random
    choice: the same number and `until` give the same bytes. Raises SeedError that names the wrong setting.
    """

    users: int = 5
    devices_per_user: int = 3
    days: int = 30
    readings: int | None = None
    activities: int | None = None
    notifications: int | None = None
    interval: int | None = None
    number: int = 1
    until: datetime | None = None
    locale: str = "fr_FR"
    first_user: int = 1
    first_device: int = 1

    def __post_init__(self) -> None:
        """Check every setting and compute the counts and the end that were not given. Raises SeedError."""
        for name, least in _AT_LEAST.items():
            value, most = getattr(self, name), _AT_MOST.get(name, 2**62)
            if value is None and name in ("readings", "activities", "notifications", "interval"):
                continue
            if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
                limit = f"at most {most}" if isinstance(value, int) and value > most else f"at least {least}"
                raise SeedError(f"seed {name}: {value!r} is not a whole number of {limit}; correct it")
        if not _LOCALE.fullmatch(self.locale) or find_spec(f"faker.providers.person.{self.locale}") is None:
            raise SeedError(f"seed locale: {self.locale!r} is none that Faker has; take one such as fr_FR or en_GB")
        self._settle_end()
        self._settle_counts()
        if self.devices + self.first_device > 2**24:
            raise SeedError(f"seed devices_per_user: {self.devices} devices in all are more than have a MAC address of "
                            f"their own (at most {2**24 - self.first_device}); ask for fewer")
        self._check_room("readings", self.devices, self.total_readings, DAY // 2, "device")
        self._check_room("activities", self.users, self.total_activities, 720, "user")

    def _settle_end(self) -> None:
        end = self.until or datetime.now(UTC)
        if end.tzinfo is None:
            raise SeedError(f"seed until: {end.isoformat()} has no time zone; write it with one, as {end.isoformat()}Z")
        if end.year < 1990:
            raise SeedError(f"seed until: {end.isoformat()} is before 1990; give a later instant")
        if end.year > 2200:
            raise SeedError(f"seed until: {end.isoformat()} is after 2200; give an earlier instant")
        end = end.astimezone(UTC).replace(microsecond=0)
        if self.days > (end - datetime(1970, 1, 1, tzinfo=UTC)).days - 500:
            raise SeedError(f"seed days: {self.days} before {end.isoformat()} begin before 1971; ask for fewer")
        object.__setattr__(self, "until", end)

    def _settle_counts(self) -> None:
        if self.interval is not None:
            if self.readings is not None and self.readings != self.devices * (self.days * DAY // self.interval):
                raise SeedError(f"seed interval: {self.interval} and readings: {self.readings} were both given; leave "
                                "one of them out")
            if self.interval > self.days * DAY:
                raise SeedError(f"seed interval: {self.interval} s is longer than {self.days} days; give a shorter one")
            object.__setattr__(self, "readings", self.devices * (self.days * DAY // self.interval))
        if self.readings is None:
            object.__setattr__(self, "readings", round(_READINGS * self.devices * self.days / _DEVICE_DAYS))
        if self.activities is None:
            object.__setattr__(self, "activities", round(_ACTIVITIES * self.users * self.days / _USER_DAYS))

    def _check_room(self, what: str, owners: int, asked: int, most_a_day: int, owner: str) -> None:
        most = owners * self.days * most_a_day
        if asked > most:
            raise SeedError(f"seed {what}: {asked} do not fit in {self.days} days of {owners} {owner}s (at most {most}:"
                            f" {most_a_day} a {owner} and day); ask for fewer, or for more days or {owner}s")

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Build from plain values as Pulumi passes them: numbers as floats, `until` as ISO 8601 text. Raises SeedError.
        """
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
        """The mapping that `from_dict` takes, with `until` as ISO 8601 text and without settings that are None."""
        counts: dict[str, int | str] = {name: getattr(self, name) for name in _AT_LEAST
                                        if getattr(self, name) is not None}
        return counts | {"until": datetime.fromtimestamp(self.end, UTC).isoformat(), "locale": self.locale}

    @property
    def devices(self) -> int:
        """The number of devices."""
        return self.users * self.devices_per_user

    @property
    def total_readings(self) -> int:
        """The number of readings."""
        assert self.readings is not None
        return self.readings

    @property
    def total_activities(self) -> int:
        """The number of activity classifications."""
        assert self.activities is not None
        return self.activities

    @property
    def most_notifications(self) -> int:
        """The number of notifications; where none was given, the greatest number."""
        if self.notifications is not None:
            return self.notifications
        return round(_NOTIFICATIONS * self.users * self.days / _USER_DAYS)

    @property
    def end(self) -> int:
        """The end of the data, in seconds since 1970."""
        assert self.until is not None
        return int(self.until.timestamp())

    @property
    def start(self) -> int:
        """The start of the data, in seconds since 1970."""
        return self.end - self.days * DAY


def days_between(since: datetime, until: datetime | None) -> int:
    """The whole days from `since` to `until` (None: now). Raises SeedError where there is less than one."""
    end = until or datetime.now(UTC)
    if since >= end:
        raise SeedError(f"seed since: {since.isoformat()} is not before the end, {end.isoformat()}; correct one of "
                        "them")
    days = (end - since) // timedelta(days=1)
    if not days:
        raise SeedError(f"seed since: {since.isoformat()} is less than a day before the end, {end.isoformat()}; give "
                        "an earlier one")
    return days


def _read_instant(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise SeedError(f"seed until: {text!r} is no ISO 8601 instant; write it as 2026-03-31T12:00:00Z") from None


def stream(spec: Spec, *labels: str | int) -> np.random.Generator:
    """The random generator of these labels: other labels' draws never change its numbers."""
    parts = [zlib.crc32(label.encode()) if isinstance(label, str) else label for label in labels]
    return np.random.default_rng([spec.number, *parts])


def key(spec: Spec, *labels: str | int) -> int:
    """The key of these labels for the counter-based numbers of `seed.generate.rows.uniform`."""
    digest = hashlib.blake2b(repr((spec.number, *labels)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big")


def shares(total: int, parts: int) -> list[int]:
    """Split `total` into `parts` whole numbers that differ by at most 1, the larger ones first."""
    return [total // parts + (index < total % parts) for index in range(parts)]
