"""Users and devices: unique, harmless (example domains, private MAC range), accepted by the application."""

import json
import re
from importlib import import_module
from itertools import pairwise
from pathlib import Path

import bcrypt
import numpy as np

from seed import THRESHOLDS, classifications, devices, fleet, people, readings, users
from seed.generate import profiles
from seed.generate.device_types import TYPES, DeviceType
from seed.generate.people import DEVELOPMENT_PASSWORD
from seed.generate.profiles import HOME, PROFILES
from seed.generate.readings import climate
from tests.support.seed_data import spec

# The package's factories bear the names of some of these modules.
activities_module, people_module, kinds = map(
    import_module, ("seed.generate.activities", "seed.generate.people", "seed.generate.devices"))

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


def test_names_are_french_unless_another_language_is_asked_for():
    names = {locale: users(spec(locale=locale)).columns["name"].tolist() for locale in ("fr_FR", "en_GB", "ja_JP")}
    assert names["fr_FR"] == users(spec()).columns["name"].tolist()
    assert len(set(map(tuple, names.values()))) == 3
    japanese = users(spec(locale="ja_JP"))
    assert not any(name.isascii() for name in japanese.columns["name"])
    assert all(re.fullmatch(r"[a-z0-9.]+@example\.(com|net|org)", email) for email in japanese.columns["email"])
    assert json.loads(japanese.columns["preferences"][0])["locale"] == "ja_JP"


def test_every_room_is_known_to_the_climate_the_devices_and_the_thresholds():
    assert set(HOME) == set(climate._KITCHEN_SHARE) == set(climate._ROOM_OFFSET)
    assert {*HOME, "phone"} == set(TYPES)
    assert len({kind.name for kind in TYPES.values()}) == len({kind.model for kind in TYPES.values()}) == len(TYPES)
    assert {room for threshold in THRESHOLDS for room in threshold.rooms} == {*HOME, "phone"}
    assert all(set(profile.rooms) <= {*HOME, "phone"} and profile.rooms[0] == "phone" for profile in PROFILES)


def test_a_profile_is_added_as_the_page_says(monkeypatch):
    page = (Path(__file__).parents[3] / "docs" / "add-a-profile.md").read_text()
    names = dict(vars(profiles))
    exec(re.search(r"```python\n(.*?)```", page, re.DOTALL)[1], names)
    gardener = names["GARDENER"]
    assert {entry.activity for entries in gardener.timetables.values() for entry in entries} <= set(profiles.ACTIVITIES)
    for module in (profiles, activities_module, people_module, kinds):
        monkeypatch.setattr(module, "PROFILES", (gardener,))
    wanted = spec(users=2, days=8, readings=2_000, activities=300, notifications=None, number=77)
    assert {person.profile.name for person in people(wanted)} == {"gardener"}
    assert sum(len(rows) for rows in readings(wanted)) == 2_000
    windows = classifications(wanted)
    outside = [json.loads(text)["place"] == "outdoors" for kind, text in
               zip(windows.columns["activity_type"], windows.columns["metadata"], strict=True) if kind == "work"]
    assert outside
    assert all(outside)


def test_a_device_type_is_added_as_the_page_says():
    page = (Path(__file__).parents[3] / "docs" / "add-a-profile.md").read_text()
    entry = re.findall(r"```python\n(.*?)```", page, re.DOTALL)[1]
    kinds_added = eval(f"{{{entry}}}", {"DeviceType": DeviceType})
    assert kinds_added["office"].sampling == "adaptive"
    assert kinds_added["office"].here == 2 * kinds_added["office"].home
    # A new room: a name that is neither a place nor an activity yet.
    assert not kinds_added.keys() & {*TYPES, *profiles.PLACES, *profiles.PLACES.values()}
