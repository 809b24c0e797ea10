"""The declared schema with users, devices and readings in a server that archives."""

from __future__ import annotations

from schema.apply import ensure
from schema.comparison.compare import Options
from schema.lifecompanion import declared
from tests.support.backed_up import DEVICES, NASTY, READINGS
from tests.support.running.archived import Archived


def fill(archive: Archived, rows: int, of: int | None = None) -> None:
    """Apply the schema and load the first `rows` of `of` readings; the oldest two chunks are compressed, and no policy
    does more on its own."""
    ensure(archive.admin, declared(), options=Options(on_unsupported="skip"))
    archive.execute("SELECT public.alter_job(job_id, scheduled => false) FROM timescaledb_information.jobs"
                    " WHERE job_id >= 1000", NASTY, DEVICES)
    add_readings(archive, 1, rows, of or rows)
    archive.execute("SELECT public.compress_chunk(c) FROM (SELECT public.show_chunks('public.environmental_readings') c"
                    " LIMIT 2) x")


def add_readings(archive: Archived, first: int, last: int, of: int) -> None:
    """Load readings number `first` to `last` of `of`, in the order of time."""
    archive.execute(READINGS.format(first=first, last=last, of=of))
