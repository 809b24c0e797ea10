"""The rows of `users`: profiles in turn, names of the locale, real bcrypt hashes."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import bcrypt
import numpy as np
from faker import Faker

from seed.generate.calendar import ZONE
from seed.generate.profiles import PROFILES, Profile
from seed.generate.rows import Rows, instants, texts
from seed.spec import DAY, Spec, stream

# Every seeded user logs in with this; it is public on purpose and belongs in no production database.
DEVELOPMENT_PASSWORD = "lifecompanion"  # noqa: S105
# The lowest cost bcrypt takes: the password is public, so hashing slowly would protect nothing. Laravel accepts any
# cost and writes its own at the next login.
_COST = 4
# So many hashes are made, then they take turns: a salt hides nothing of a password that everybody knows.
_SALTS = 64
_BCRYPT_ALPHABET = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_EMAIL_DOMAINS = ("example.com", "example.net", "example.org")
CITY = "Lyon"
# Faker reads each of its two dozen, unless told which are wanted.
_PROVIDERS = ["faker.providers.address", "faker.providers.person"]


@dataclass(frozen=True)
class Person:
    """One user; `joined` is in seconds since 1970, before the data begins."""

    id: int
    name: str
    email: str
    profile: Profile
    street: str
    joined: int


@lru_cache(maxsize=4)
def people(spec: Spec) -> tuple[Person, ...]:
    """The persons of the data set, by id; the profiles take turns."""
    fake = Faker(spec.locale, providers=_PROVIDERS)
    fake.seed_instance(int(stream(spec, "names").integers(2**32)))
    joined = stream(spec, "joined").integers(60 * DAY, 400 * DAY, spec.users)
    persons = []
    for index in range(spec.users):
        profile = PROFILES[index % len(PROFILES)]
        name = f"{fake.first_name()} {fake.last_name()}"
        id_ = spec.first_user + index
        persons.append(Person(id_, name, _email(name, id_), profile, fake.street_address(),
                              spec.start - int(joined[index])))
    return tuple(persons)


def spots(spec: Spec) -> Iterator[str]:
    """The place of each device, by id: its room, or "phone" for one that its owner carries."""
    for person in people(spec):
        rooms = person.profile.rooms
        yield from (rooms[position % len(rooms)] for position in range(spec.devices_per_user))


def users(spec: Spec) -> Rows:
    """The rows of `users`."""
    persons = people(spec)
    draws = stream(spec, "users")
    joined = np.array([person.joined for person in persons], dtype=np.int64)
    confirmed = joined + draws.integers(40, 3 * 3600, len(persons))
    hashes = [_hash(draws.bytes(16)) for _ in persons[:_SALTS]]
    touched = joined + ((spec.end - joined) * draws.uniform(0.5, 1.0, len(persons))).astype(np.int64)
    return Rows("users", {
        "id": np.array([person.id for person in persons], dtype=np.int64),
        "name": texts([person.name for person in persons]),
        "email": texts([person.email for person in persons]),
        "email_verified_at": instants(confirmed),
        "password": texts([hashes[index % _SALTS] for index in range(len(persons))]),
        "preferences": texts([_preferences(person, spec.locale) for person in persons]),
        "settings": texts([_settings(person) for person in persons]),
        "created_at": instants(joined),
        "updated_at": instants(touched),
    })


def _email(name: str, id_: int) -> str:
    plain = unicodedata.normalize("NFKD", name.lower()).encode("ascii", "ignore").decode()
    words = "".join(letter if letter.isalnum() else " " for letter in plain).split()
    # A name in another script than Latin has no letter left.
    return f"{'.'.join(words) or 'person'}.{id_}@{_EMAIL_DOMAINS[(id_ - 1) % len(_EMAIL_DOMAINS)]}"


def _hash(salt: bytes) -> str:
    """The development password as Laravel stores it (`$2y$`), with this salt instead of one from the system."""
    bits = int.from_bytes(salt, "big") << 4
    encoded = "".join(_BCRYPT_ALPHABET[bits >> shift & 63] for shift in range(126, -1, -6))
    return bcrypt.hashpw(DEVELOPMENT_PASSWORD.encode(), f"$2y${_COST:02d}${encoded}".encode()).decode()


def _preferences(person: Person, locale: str) -> str:
    return json.dumps({
        "locale": locale, "timezone": ZONE, "units": {"temperature": "celsius", "pressure": "hPa"},
        "theme": "dark" if person.id % 2 else "light",
        "notifications": {"push": True, "email": person.profile.reads > 0.8,
                          "quiet_hours": {"from": "22:30", "to": "07:00"}},
    }, ensure_ascii=False)


def _settings(person: Person) -> str:
    return json.dumps({
        "profile": person.profile.name,
        "home": {"street": person.street, "city": CITY, "floor": person.profile.floor,
                 "comfort_temperature": person.profile.comfort},
        "share_data": person.id % 3 != 0,
    }, ensure_ascii=False)
