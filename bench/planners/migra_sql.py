"""What migra does from one database to another, in its own environment: `python migra_sql.py FROM TO SCHEMA...` prints
its statements as a JSON list, schema by schema."""

import json
import sys

from migra import Migration
from sqlbag import S

statements = []
for schema in sys.argv[3:]:
    with S(sys.argv[1]) as live, S(sys.argv[2]) as declared:
        migration = Migration(live, declared, schema=schema)
        migration.set_safety(False)
        migration.add_all_changes()
        statements += [str(statement) for statement in migration.statements]
print(json.dumps(statements))
