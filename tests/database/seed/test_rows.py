"""The seeders tests that the specification names, by query: realistic data, valid relationships, logical times."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from seed import THRESHOLDS, Spec
from seed.load.loader import Seeded, seed
from seed.load.tables import TABLES
from tests.support.running.servers import Database, Server, create_declared, drop_database

pytestmark = pytest.mark.repeats("debian")
UNTIL = datetime(2026, 5, 20, 18, 30, 0, tzinfo=UTC)
SPEC = Spec(until=UNTIL)


@pytest.fixture(scope="module")
def seeded(server: Server) -> Iterator[tuple[Database, Seeded]]:
    """The default data set in the whole schema, for reading only."""
    database = create_declared(server, "t_seed_rows")
    yield database, seed(database.owner, SPEC)
    drop_database(database)


@pytest.fixture
def data(seeded: tuple[Database, Seeded]) -> Database:
    return seeded[0]


def one(database: Database, query: str) -> object:
    ((value,),) = database.execute(query)
    return value


def test_the_counts_are_those_of_the_specification(seeded: tuple[Database, Seeded]) -> None:
    database, result = seeded
    expected = dict(zip(TABLES, (5, 15, 50_000, 5_000, 500), strict=True))
    assert {table: one(database, f"SELECT count(*) FROM {table}") for table in TABLES} == expected
    assert result.counts == expected
    assert not result.skipped


@pytest.mark.parametrize(("table", "column", "parent"), [
    ("devices", "user_id", "users"), ("environmental_readings", "device_id", "devices"),
    ("activity_classifications", "user_id", "users"), ("notifications", "user_id", "users")])
def test_every_row_has_its_parent_and_every_parent_has_rows(data: Database, table: str, column: str,
                                                            parent: str) -> None:
    assert one(data, f"SELECT count(*) FROM {table} c LEFT JOIN {parent} p ON p.id = c.{column} "
                     "WHERE p.id IS NULL") == 0
    assert one(data, f"SELECT count(*) FROM {parent} p WHERE NOT EXISTS "
                     f"(SELECT FROM {table} c WHERE c.{column} = p.id)") == 0


def test_each_user_has_three_devices(data: Database) -> None:
    assert data.execute("SELECT DISTINCT count(*) FROM devices GROUP BY user_id") == [(3,)]


def test_readings_cover_the_thirty_days_and_nothing_is_later(data: Database) -> None:
    ((first, last),) = data.execute("SELECT min(measured_at), max(measured_at) FROM environmental_readings")
    end = UNTIL.replace(tzinfo=None)
    assert end - timedelta(days=30) <= first < end - timedelta(days=29, hours=23)
    assert end - timedelta(hours=1) < last <= end
    assert one(data, "SELECT count(DISTINCT measured_at::date) FROM environmental_readings") == 31
    assert data.execute("""
        SELECT greatest((SELECT max(greatest(created_at, updated_at, email_verified_at)) FROM users),
                        (SELECT max(greatest(created_at, updated_at)) FROM devices),
                        (SELECT max(greatest(started_at, ended_at)) FROM activity_classifications),
                        (SELECT max(greatest(sent_at, read_at, created_at)) FROM notifications))""")[0][0] <= end


def test_a_user_comes_before_its_devices_and_they_before_their_readings(data: Database) -> None:
    assert one(data, "SELECT count(*) FROM devices d JOIN users u ON u.id = d.user_id "
                     "WHERE d.created_at <= u.created_at") == 0
    assert one(data, """SELECT count(*) FROM devices d
                          JOIN (SELECT device_id, min(measured_at) AS first FROM environmental_readings GROUP BY 1) r
                            ON r.device_id = d.id WHERE r.first <= d.created_at""") == 0


def test_no_device_measures_twice_at_once(data: Database) -> None:
    assert one(data, "SELECT count(*) FROM (SELECT FROM environmental_readings GROUP BY device_id, measured_at "
                     "HAVING count(*) > 1) d") == 0


def test_activities_of_a_user_do_not_overlap(data: Database) -> None:
    assert one(data, """SELECT count(*) FROM (
                            SELECT started_at, ended_at,
                                   lag(ended_at) OVER (PARTITION BY user_id ORDER BY started_at) AS before
                              FROM activity_classifications) a
                         WHERE ended_at <= started_at OR started_at < before""") == 0


def test_notifications_are_read_after_they_were_sent_and_only_read_ones_say_when(data: Database) -> None:
    assert one(data, "SELECT count(*) FROM notifications WHERE read_at < sent_at OR created_at > sent_at "
                     "OR (read_at IS NULL) <> (status = 'unread')") == 0
    assert set(data.execute("SELECT DISTINCT status FROM notifications")) == {("unread",), ("read",), ("archived",)}


@pytest.mark.parametrize("threshold", [threshold for threshold in THRESHOLDS
                                       if threshold.rooms and threshold.measure != "silence"], ids=lambda t: t.type)
def test_a_query_finds_the_reading_that_caused_a_notification(data: Database, threshold) -> None:
    side = "<" if threshold.below else ">"
    assert one(data, f"""
        SELECT count(*) FROM notifications n
         WHERE n.type = '{threshold.type}' AND NOT EXISTS (
               SELECT FROM devices d JOIN environmental_readings r ON r.device_id = d.id
                WHERE d.user_id = n.user_id AND position(d.mac_address in n.message) > 0
                  AND r.measured_at BETWEEN n.sent_at - interval '3 minutes' AND n.sent_at
                  AND r.{threshold.measure} {side} {threshold.limit})""") == 0


def test_a_query_finds_the_silence_that_caused_a_notification(data: Database) -> None:
    assert data.execute("""
        SELECT count(*), count(*) FILTER (WHERE EXISTS (
               SELECT FROM devices d JOIN environmental_readings r ON r.device_id = d.id
                WHERE position(d.mac_address in n.message) > 0
                  AND r.measured_at BETWEEN n.sent_at - interval '180 minutes' AND n.sent_at))
          FROM notifications n WHERE n.type = 'device_offline'""")[0][1] == 0
    assert one(data, "SELECT count(*) > 5 FROM notifications WHERE type = 'device_offline'")


@pytest.mark.parametrize("threshold", [threshold for threshold in THRESHOLDS if threshold.activities],
                         ids=lambda t: t.type)
def test_a_query_finds_the_activity_that_caused_a_notification(data: Database, threshold) -> None:
    value = "extract(epoch FROM a.ended_at - a.started_at) / 60" if threshold.measure == "minutes" \
        else f"(a.metadata ->> '{threshold.measure}')::numeric"
    kinds = ", ".join(f"'{kind}'" for kind in threshold.activities)
    assert one(data, f"""
        SELECT count(*) FROM notifications n
         WHERE n.type = '{threshold.type}' AND NOT EXISTS (
               SELECT FROM activity_classifications a
                WHERE a.user_id = n.user_id AND a.activity_type IN ({kinds})
                  AND a.ended_at BETWEEN n.sent_at - interval '3 minutes' AND n.sent_at
                  AND {value} > {threshold.limit})""") == 0


def test_temperature_follows_the_day(data: Database) -> None:
    """In May, four in the morning is cooler than six in the evening in every living room and kitchen."""
    rows = data.execute("""
        SELECT d.id, avg(r.temperature) FILTER (WHERE extract(hour FROM r.measured_at) BETWEEN 2 AND 4),
               avg(r.temperature) FILTER (WHERE extract(hour FROM r.measured_at) BETWEEN 16 AND 19)
          FROM devices d JOIN environmental_readings r ON r.device_id = d.id
         WHERE d.type IN ('room_sensor', 'kitchen_station') GROUP BY d.id""")
    assert len(rows) == 7
    assert all(float(evening - night) > 0.5 for _, night, evening in rows), rows


def test_cooking_shows_in_the_kitchens_air_of_the_same_home(data: Database) -> None:
    """From a quarter of an hour into the cooking until shortly after it, against the rest of the time."""
    rows = data.execute("""
        WITH cooking AS MATERIALIZED (
            SELECT user_id, started_at + interval '15 minutes' AS since, ended_at + interval '10 minutes' AS until
              FROM activity_classifications WHERE activity_type = 'cooking'),
        kitchen AS (
            SELECT d.user_id, r.temperature, r.humidity, r.air_quality, c.user_id IS NOT NULL AS cooking
              FROM devices d JOIN environmental_readings r ON r.device_id = d.id
              LEFT JOIN cooking c ON c.user_id = d.user_id AND r.measured_at BETWEEN c.since AND c.until
             WHERE d.type = 'kitchen_station')
        SELECT user_id,
               avg(temperature) FILTER (WHERE cooking) - avg(temperature) FILTER (WHERE NOT cooking),
               avg(humidity) FILTER (WHERE cooking) - avg(humidity) FILTER (WHERE NOT cooking),
               avg(air_quality) FILTER (WHERE cooking) - avg(air_quality) FILTER (WHERE NOT cooking)
          FROM kitchen GROUP BY user_id""")
    assert len(rows) == 5
    for user, temperature, humidity, air_quality in rows:
        assert temperature > 1, user
        assert humidity > 5, user
        assert air_quality > 60, user


def test_activities_come_in_human_hours(data: Database) -> None:
    ((asleep, awake),) = data.execute("""
        SELECT avg((extract(hour FROM started_at AT TIME ZONE 'UTC' AT TIME ZONE 'Europe/Paris') IN (23, 0, 1, 2, 3, 4,
                    5, 6))::int) FILTER (WHERE activity_type = 'sleep'),
               avg((extract(hour FROM started_at AT TIME ZONE 'UTC' AT TIME ZONE 'Europe/Paris') IN (23, 0, 1, 2, 3, 4,
                    5, 6))::int) FILTER (WHERE activity_type NOT IN ('sleep', 'work', 'rest', 'transport'))
          FROM activity_classifications""")
    assert asleep > 0.7
    assert awake < 0.15
