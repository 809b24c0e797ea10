"""The indexes serve their queries and only the chunks asked for are read: told by EXPLAIN, never by a clock."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.running.servers import Database, Server, create_declared, drop_database

# 15 devices for 30 days from a Monday, 5 users with an activity every half hour and a notification every hour or so.
ROWS = (
    "INSERT INTO users (name, email, password) SELECT 'User ' || n, n || '@example.org', 'x' "
    "FROM generate_series(1, 5) n",
    "INSERT INTO devices (user_id, type, mac_address, mqtt_topic) SELECT 1 + n % 5, 'sensor', "
    "'AA:BB:CC:DD:EE:' || lpad(to_hex(n), 2, '0'), 'home/' || n FROM generate_series(0, 14) n",
    "INSERT INTO environmental_readings (device_id, measured_at, temperature, humidity, pressure, air_quality) "
    "SELECT d, timestamp '2026-03-02' + n * interval '390 seconds', 20 + 5 * sin(n / 35.0), 50, 1013, 40 "
    "FROM generate_series(0, 6645) n, generate_series(1, 15) d",
    "INSERT INTO activity_classifications (user_id, started_at, ended_at, activity_type, confidence_score) "
    "SELECT u, timestamp '2026-03-02' + n * interval '30 minutes', timestamp '2026-03-02' + (n + 1) * interval "
    "'30 minutes', (ARRAY['work', 'rest', 'sleep', 'transport', 'exercise', 'cooking', 'reading', 'other'])"
    "[1 + n % 8], 0.9 FROM generate_series(0, 1439) n, generate_series(1, 5) u",
    "INSERT INTO notifications (user_id, title, type, status, sent_at) SELECT 1 + n % 5, 'High', 'temperature', "
    "(ARRAY['unread', 'read', 'archived', 'read'])[1 + n % 4], timestamp '2026-03-02' + n * interval '10 minutes' "
    "FROM generate_series(0, 4319) n",
    "ANALYZE",
)
END = "timestamp '2026-03-31 12:00'"
SPANS = {"1 hour": 1, "1 day": 1, "1 week": 2, "1 month": 5}  # the chunks that each time range ending then can touch


@pytest.fixture(scope="module")
def loaded(server: Server) -> Iterator[Database]:
    """The development volume twice over: 99,690 readings, 7,200 activities, 4,320 notifications."""
    database = create_declared(server, "t_performance")
    database.execute(*ROWS)
    yield database
    drop_database(database)


def nodes(database: Database, query: str) -> list[dict[str, Any]]:
    """Every node of the plan that the server would run, from the root down."""
    (plan,), = database.execute(f"EXPLAIN (FORMAT JSON, COSTS OFF) {query}")
    assert isinstance(plan, list)

    def walk(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
        yield node
        for child in node.get("Plans", []):
            yield from walk(child)

    return list(walk(plan[0]["Plan"]))


def scans(database: Database, query: str) -> list[dict[str, Any]]:
    """The nodes that read a table or an index."""
    return [node for node in nodes(database, query) if node["Node Type"].endswith("Scan")
            and ("Relation Name" in node or "Index Name" in node)]


def served_by(database: Database, query: str, index: str) -> None:
    """Every table or chunk that the query reads is read through this index."""
    scanned = scans(database, query)
    assert scanned
    used = [node["Index Name"] for node in scanned if "Index Name" in node]
    assert used, json.dumps(scanned)
    assert all(name.endswith(index[:40]) or index in name for name in used), used
    assert not [node for node in scanned if node["Node Type"] == "Seq Scan"], json.dumps(scanned)


def chunks(database: Database, query: str) -> set[str]:
    """The tables and chunks that the query reads."""
    return {node["Relation Name"] for node in scans(database, query) if "Relation Name" in node}


@pytest.mark.parametrize("span", SPANS)
def test_one_devices_readings_of_a_time_range_come_by_the_device_index(loaded: Database, span: str) -> None:
    served_by(loaded, "SELECT measured_at, temperature, humidity FROM environmental_readings WHERE device_id = 3 "
              f"AND measured_at >= {END} - interval '{span}' AND measured_at < {END}", "idx_environmental_device_time")


@pytest.mark.parametrize(("span", "at_most"), SPANS.items())
def test_only_the_chunks_of_the_time_range_are_read(loaded: Database, span: str, at_most: int) -> None:
    query = f"SELECT avg(temperature) FROM environmental_readings WHERE measured_at >= {END} - interval '{span}' " \
            f"AND measured_at < {END}"
    (total,), = loaded.execute("SELECT count(*) FROM show_chunks('environmental_readings')")
    assert total == 5
    assert 1 <= len(chunks(loaded, query)) <= at_most


@pytest.mark.parametrize("span", ["1 hour", "1 day"])
def test_temperatures_of_all_devices_come_by_the_time_index(loaded: Database, span: str) -> None:
    served_by(loaded, f"SELECT measured_at, temperature FROM environmental_readings WHERE measured_at >= {END} - "
              f"interval '{span}' AND measured_at < {END}", "idx_environmental_time_temp")


def test_the_latest_reading_of_a_device_needs_no_sort(loaded: Database) -> None:
    query = f"SELECT * FROM environmental_readings WHERE device_id = 3 AND measured_at < {END} " \
            "ORDER BY measured_at DESC LIMIT 1"
    served_by(loaded, query, "idx_environmental_device_time")
    assert "Sort" not in [node["Node Type"] for node in nodes(loaded, query)]


def test_a_page_after_the_last_one_seen_needs_no_sort(loaded: Database) -> None:
    query = f"SELECT * FROM environmental_readings WHERE device_id = 3 AND measured_at < {END} - interval '3 days' " \
            "ORDER BY measured_at DESC LIMIT 50"
    served_by(loaded, query, "idx_environmental_device_time")
    assert "Sort" not in [node["Node Type"] for node in nodes(loaded, query)]


@pytest.mark.parametrize("span", ["1 hour", "1 day", "1 week"])
def test_one_users_activities_come_by_the_user_index(loaded: Database, span: str) -> None:
    served_by(loaded, f"SELECT * FROM activity_classifications WHERE user_id = 2 AND started_at >= {END} - interval "
              f"'{span}' AND started_at < {END} ORDER BY started_at DESC", "idx_activity_user_time")


@pytest.mark.parametrize("span", ["1 day", "1 week"])
def test_activities_of_a_type_come_by_the_type_index(loaded: Database, span: str) -> None:
    served_by(loaded, f"SELECT user_id, started_at FROM activity_classifications WHERE activity_type = 'exercise' "
              f"AND started_at >= {END} - interval '{span}' AND started_at < {END}", "idx_activity_type_time")


def test_unread_notifications_come_newest_first_without_a_sort(loaded: Database) -> None:
    query = "SELECT * FROM notifications WHERE user_id = 1 AND status = 'unread' ORDER BY sent_at DESC LIMIT 20"
    served_by(loaded, query, "idx_notifications_user_status")
    assert "Sort" not in [node["Node Type"] for node in nodes(loaded, query)]


def test_a_users_login_comes_by_the_unique_address(loaded: Database) -> None:
    assert loaded.execute("SELECT count(*) FROM users WHERE email = '3@example.org'") == [(1,)]
    with loaded.owner.connect() as connection:
        connection.execute("SET enable_seqscan = off")  # five rows: any server reads them all unless told not to
        plan = connection.execute("EXPLAIN SELECT * FROM users WHERE email = '3@example.org'").fetchall()
    assert "users_email_key" in str(plan)


def test_hourly_averages_are_right_and_read_only_their_chunks(loaded: Database) -> None:
    query = "SELECT time_bucket('1 hour', measured_at) AS hour, count(*), round(avg(temperature), 2) " \
            f"FROM environmental_readings WHERE measured_at >= {END} - interval '1 day' AND measured_at < {END} " \
            "GROUP BY 1"
    hours = loaded.execute(f"{query} ORDER BY 1")
    assert len(hours) in (24, 25)
    (rows,), = loaded.execute("SELECT count(*) FROM environmental_readings "
                              f"WHERE measured_at >= {END} - interval '1 day' AND measured_at < {END}")
    assert sum(int(str(count)) for _, count, _ in hours) == rows
    assert len(chunks(loaded, query)) == 1


def test_a_bulk_insert_of_a_thousand_readings_lands_in_its_chunks(loaded: Database) -> None:
    with loaded.owner.connect() as connection:
        connection.execute(
            "INSERT INTO environmental_readings (device_id, measured_at, temperature) "
            "SELECT * FROM unnest(%s::bigint[], %s::timestamp[], %s::numeric[])",
            [[1 + n % 15 for n in range(1000)],
             [f"2026-02-{10 + n % 14} 00:{n // 60 % 60:02}:{n % 60:02}" for n in range(1000)], [20.5] * 1000])
    assert loaded.execute("SELECT count(*) FROM environmental_readings WHERE measured_at < '2026-03-01'") == [(1000,)]
    chunks = loaded.execute("SELECT count(DISTINCT tableoid) FROM environmental_readings "
                            "WHERE measured_at < '2026-03-01'")
    assert chunks == [(3,)]
    loaded.execute("DELETE FROM environmental_readings WHERE measured_at < '2026-03-01'",
                   "SELECT drop_chunks('environmental_readings', timestamp '2026-03-01')")


@pytest.mark.servers("official", "embedded")
def test_a_compressed_chunk_gives_the_same_answers_by_its_segments(loaded: Database) -> None:
    query = "SELECT count(*), sum(temperature) FROM environmental_readings WHERE device_id = 3 " \
            "AND measured_at >= '2026-03-02' AND measured_at < '2026-03-09'"
    before = loaded.execute(query)
    loaded.execute("SELECT compress_chunk(c) FROM show_chunks('environmental_readings', "
                   "older_than => timestamp '2026-03-09') c")
    assert loaded.execute(query) == before
    plan_nodes = [node.get("Custom Plan Provider", node["Node Type"]) for node in nodes(loaded, query)]
    assert any("Columnar" in name or "Decompress" in name or "Vector" in name for name in plan_nodes), plan_nodes
    loaded.execute("SELECT decompress_chunk(c) FROM show_chunks('environmental_readings', "
                   "older_than => timestamp '2026-03-09') c")
