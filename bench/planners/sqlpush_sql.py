"""What sqlpush does from one database to another, in its own environment: `python sqlpush_sql.py FROM TO SCHEMA...`
prints its statements as a JSON list. Its declaration is SQLAlchemy's metadata, here reflected from TO: it has no other
way to adopt a database."""

import json
import sys

import sqlpush
from sqlalchemy import MetaData, create_engine

live, declared = (create_engine(url.replace("postgresql://", "postgresql+psycopg://")) for url in sys.argv[1:3])
metadata = MetaData()
for schema in sys.argv[3:]:
    metadata.reflect(declared, schema=None if schema == "public" else schema, views=False)
plan = sqlpush.plan(metadata, live, schemas=sys.argv[3:], concurrently=False)
print(json.dumps([operation.sql for operation in plan.operations]))
