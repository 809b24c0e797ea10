"""Realistic development data, fast: one small factory for each table, and a loader.

    from seed import Spec, readings
    for part in readings(Spec(days=7)): ...
"""

from seed.activities import classifications, timeline
from seed.devices import devices, fleet
from seed.errors import SeedError
from seed.measurements import readings
from seed.notifications import alerts
from seed.people import people, users
from seed.rows import Rows
from seed.spec import Spec
from seed.thresholds import THRESHOLDS

__all__ = ["THRESHOLDS", "Rows", "SeedError", "Spec", "alerts", "classifications", "devices", "fleet", "people",
           "readings", "timeline", "users"]
