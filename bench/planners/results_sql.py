"""What results (`results dbdiff`) does from one database to another, in its own environment: `python results_sql.py
FROM TO SCHEMA...` prints its statements as a JSON list, schema by schema."""

import json
import sys

import results
from results.dbdiff import Migration

statements = []
for schema in sys.argv[3:]:
    migration = Migration(results.db(sys.argv[1]), results.db(sys.argv[2]), schema=schema)
    migration.set_safety(False)
    migration.add_all_changes_ordered()
    statements += [str(statement) for statement in migration.statements]
print(json.dumps(statements))
