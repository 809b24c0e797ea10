"""Users and devices: unique, harmless (example domains, private MAC range), accepted by the application."""

import json
import re
from itertools import pairwise

import bcrypt
import numpy as np
from seed_data import spec

from seed import fleet, people, users
from seed.devices import devices
from seed.people import DEVELOPMENT_PASSWORD

MANY = spec(users=400, devices_per_user=5)


def test_passwords_are_laravel_hashes_of_the_documented_password():
    hashes = users(spec()).columns["password"]
    assert len(set(hashes)) == 5
    for hashed in hashes:
        assert re.fullmatch(r"\$2y\$\d\d\$[./A-Za-z0-9]{53}", hashed)
        assert bcrypt.checkpw(DEVELOPMENT_PASSWORD.encode(), hashed.encode())
        assert not bcrypt.checkpw(b"another", hashed.encode())


def test_addresses_are_in_example_domains_and_unique():
    emails = users(MANY).columns["email"]
    assert len(set(emails)) == 400
    assert all(re.fullmatch(r"[a-z0-9.]+@example\.(com|net|org)", email) for email in emails)


def test_mac_addresses_are_locally_administered_unicast_and_unique():
    macs = devices(MANY).columns["mac_address"]
    assert len(set(macs)) == 2_000
    for mac in macs:
        assert re.fullmatch(r"([0-9A-F]{2}:){5}[0-9A-F]{2}", mac)
        assert int(mac[:2], 16) & 0b11 == 0b10


def test_each_user_has_three_devices_of_different_types_one_of_them_a_phone():
    columns = devices(spec()).columns
    for user in range(1, 6):
        types = set(columns["type"][columns["user_id"] == user])
        assert len(types) == 3
        assert {"phone", "kitchen_station"} <= types


def test_topics_name_the_device():
    columns = devices(spec()).columns
    for topic, mac in zip(columns["mqtt_topic"], columns["mac_address"], strict=True):
        assert mac.replace(":", "") in topic
        assert re.fullmatch(r"[a-zA-Z0-9/_-]{1,255}", topic)


def test_documents_are_json_objects_that_say_something():
    for rows, names in ((users(spec()), ("preferences", "settings")), (devices(spec()), ("metadata",))):
        for name in names:
            assert all(json.loads(document) for document in rows.columns[name])
    zones = {json.loads(document)["timezone"] for document in users(spec()).columns["preferences"]}
    assert zones == {"Europe/Paris"}


def test_people_join_before_their_devices_and_those_before_their_first_reading():
    joined = {person.id: person.joined for person in people(spec())}
    columns = devices(spec()).columns
    created = columns["created_at"].astype(np.int64)
    assert all(joined[user] < at < spec().start for user, at in zip(columns["user_id"], created, strict=True))
    assert (columns["updated_at"] >= columns["created_at"]).all()
    user_columns = users(spec()).columns
    for earlier, later in pairwise(("created_at", "email_verified_at", "updated_at")):
        assert (user_columns[earlier] <= user_columns[later]).all()


def test_names_fit_their_columns():
    columns = users(MANY).columns
    assert all(0 < len(name) <= 255 for name in columns["name"])
    assert max(len(device.type) for device in fleet(MANY)) <= 50
