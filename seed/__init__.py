"""Realistic development data, fast: one small factory for each table, and a loader.

    from seed import Spec, readings
    for week in readings(Spec(days=7)): ...
"""

from seed.activities import classifications, timeline
from seed.climate import readings
from seed.devices import fleet
from seed.errors import SeedError
from seed.notifications import THRESHOLDS, alerts
from seed.people import people, users
from seed.rows import Rows
from seed.spec import Spec

__all__ = ["THRESHOLDS", "Rows", "SeedError", "Spec", "alerts", "classifications", "fleet", "people", "readings",
           "timeline", "users"]
