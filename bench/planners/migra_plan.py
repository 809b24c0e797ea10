"""Plan with migra, in its own environment: `python migra_plan.py FROM TO REPEATS`; schema public alone."""

import json
import sys
import time

from migra import Migration
from sqlbag import S

seconds, changes = [], 0
for _ in range(int(sys.argv[3])):
    since = time.perf_counter()
    with S(sys.argv[1]) as live, S(sys.argv[2]) as wanted:
        migration = Migration(live, wanted, schema="public")
        migration.set_safety(False)
        migration.add_all_changes()
        changes = len(migration.statements)
    seconds.append(time.perf_counter() - since)
print(json.dumps({"seconds": seconds, "changes": changes}))
