"""The declared schema with users, devices and readings in a server that archives."""

from __future__ import annotations

from schema.apply import ensure
from schema.compare import Options
from schema.lifecompanion import declared
from tests.database.archived import Archived

PEOPLE = ("INSERT INTO public.users (name, email, password) SELECT 'user ' || g, g || '@example.org', 'x'"
          " FROM generate_series(1, 20) g",
          "INSERT INTO public.devices (user_id, type, mac_address, mqtt_topic) SELECT 1 + g % 20, 'sensor',"
          " '02:00:00:00:00:' || lpad(to_hex(g), 2, '0'), 't/' || g FROM generate_series(1, 50) g")
READINGS = """
    INSERT INTO public.environmental_readings (device_id, measured_at, temperature, humidity, pressure, air_quality)
    SELECT 1 + g % 50, now()::timestamp - interval '80 days' + g * (interval '75 days' / {of}),
           20 + 5 * sin(g / 1000.0), 50 + 9 * cos(g / 900.0), 1013 + 9 * sin(g / 700.0), g % 300
      FROM generate_series({first}, {last}) g"""


def fill(archive: Archived, rows: int, of: int | None = None) -> None:
    """Apply the schema and load the first `rows` of `of` readings; the oldest two chunks are compressed, and no policy
    does more on its own."""
    ensure(archive.admin, declared(), options=Options(on_unsupported="skip"))
    archive.execute("SELECT public.alter_job(job_id, scheduled => false) FROM timescaledb_information.jobs"
                    " WHERE job_id >= 1000", *PEOPLE)
    add_readings(archive, 1, rows, of or rows)
    archive.execute("SELECT public.compress_chunk(c) FROM (SELECT public.show_chunks('public.environmental_readings') c"
                    " LIMIT 2) x")


def add_readings(archive: Archived, first: int, last: int, of: int) -> None:
    """Load readings number `first` to `last` of `of`, in the order of time."""
    archive.execute(READINGS.format(first=first, last=last, of=of))
