"""Plan with results (`results dbdiff`), in its own environment: `python results_plan.py FROM TO REPEATS`; schema public
alone."""

import json
import sys
import time

import results
from results.dbdiff import Migration

seconds, changes = [], 0
for _ in range(int(sys.argv[3])):
    since = time.perf_counter()
    migration = Migration(results.db(sys.argv[1]), results.db(sys.argv[2]), schema="public")
    migration.set_safety(False)
    migration.add_all_changes_ordered()
    changes = len(migration.statements)
    seconds.append(time.perf_counter() - since)
print(json.dumps({"seconds": seconds, "changes": changes}))
