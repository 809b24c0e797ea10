"""Plan with this project's engine: `python -m bench.planners.ours ADDRESS SIZE REPEATS`.

ADDRESS is JSON without the password, which PGPASSWORD holds.
"""

import json
import os
import sys
import time

from bench.schema.schemas import tables
from schema import apply
from schema.connection import Address

address = Address.from_dict({**json.loads(sys.argv[1]), "password": os.environ["PGPASSWORD"]})
declared = tables(int(sys.argv[2]))
seconds, changes = [], 0
for _ in range(int(sys.argv[3])):
    since = time.perf_counter()
    changes = len(apply.plan(address, declared).steps)
    seconds.append(time.perf_counter() - since)
print(json.dumps({"seconds": seconds, "changes": changes}))
