"""Realistic development data, fast: one small factory for each table, and a loader.

    from seed import Spec, readings
    for part in readings(Spec(days=7)): ...
"""

from seed.errors import SeedError
from seed.generate.activities import classifications, timeline
from seed.generate.alerts.notifications import alerts
from seed.generate.alerts.thresholds import THRESHOLDS
from seed.generate.devices import devices, fleet
from seed.generate.people import people, users
from seed.generate.readings.measurements import readings
from seed.generate.rows import Rows
from seed.spec import Spec

__all__ = ["THRESHOLDS", "Rows", "SeedError", "Spec", "alerts", "classifications", "devices", "fleet", "people",
           "readings", "timeline", "users"]
