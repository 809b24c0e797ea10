"""The declared schema as plain SQL for an empty database, for psql and for Laravel's schema loading; pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from schema.capabilities import Capabilities, Edition
from schema.kinds import grants
from schema.model.names import literal
from schema.model.objects import ContinuousAggregate, Job, Object, Table
from schema.planning.plan import plan_from_empty

# Where `php artisan migrate` looks for the schema of the connection pgsql, below the application.
LARAVEL_FILE = "database/schema/pgsql-schema.sql"
LARAVEL_MIGRATIONS = "database/migrations"
_CREATES = re.compile(r"""Schema::(?:connection\([^)]*\)\s*->\s*)?create\(\s*['"]([\w.]+)['"]""")
SETTINGS = """\
SET client_encoding = 'UTF8';
SET client_min_messages = warning;
SET check_function_bodies = off;
SET timezone = 'UTC';
"""
# As Laravel makes it; `migrate` takes its own away before it loads a schema.
MIGRATIONS = """\
-- migrations: Laravel's own list of what has run
CREATE TABLE migrations (id serial PRIMARY KEY, migration varchar(255) NOT NULL, batch integer NOT NULL);
"""


def dump(objects: Sequence[Object], edition: Edition = "timescale", remarks: Sequence[str] = ()) -> str:
    """Return SQL that creates the objects in an empty database of that edition, without what it does not support.

    `remarks` become comments at its top.
    """
    fitting, left_out = Capabilities.of(edition).fit(objects, "skip")
    kept = [declared for declared in fitting if declared is not None]
    parts = [f"-- The declared schema, for an empty database with TimescaleDB ({edition} edition).\n{SETTINGS}"]
    if remarks:
        parts.append(_comment("\n".join(("Not declared here:", *remarks))))
    if left_out:
        parts.append(_comment(f"Left out, as the edition cannot have it: {', '.join(left_out)}"))
    if roles := grants.roles(kept):
        parts.append(_comment(f"These roles have to be there: {', '.join(sorted(roles))}"))
    if any(isinstance(declared, ContinuousAggregate | Job) or (isinstance(declared, Table) and declared.hypertable)
           for declared in kept):
        parts.append("CREATE EXTENSION IF NOT EXISTS timescaledb;\n")
    parts += [f"{_comment(f'{step.object}: {step.why}')}{step.sql.rstrip().rstrip(';')};\n"
              for step in plan_from_empty(kept, Capabilities.of(edition).timescaledb).steps]
    return "\n".join(parts)


def _comment(text: str) -> str:
    """Comment out every line of the text, names with line ends in them included."""
    return "".join(f"-- {line}\n" for line in text.splitlines())


@dataclass(frozen=True)
class LaravelDump:
    """A dump for Laravel, the migrations that it replaces, and remarks on the others."""

    sql: str
    ran: tuple[str, ...]
    remarks: tuple[str, ...]


def laravel_dump(objects: Sequence[Object], migrations: Mapping[str, str],
                 edition: Edition = "timescale") -> LaravelDump:
    """Return the dump that `php artisan migrate` loads into an empty database before it runs the remaining migrations.

    `migrations` are the application's: PHP source by name. Those that create only tables of the schema count as run.
    """
    tables = {table.full_name for table in objects if isinstance(table, Table)}
    ran: list[str] = []
    remarks: list[str] = []
    for name, php in sorted(migrations.items()):
        created = set(_CREATES.findall(php))
        if created and created <= tables:
            ran.append(name)
        elif created & tables:
            remarks.append(f"{name}: creates {', '.join(sorted(created & tables))}, which the schema has, and "
                           f"{', '.join(sorted(created - tables))}, which it has not, so it would fail; split it")
    rows = ",\n    ".join(f"({literal(name)}, 1)" for name in ran)
    listed = f"\nINSERT INTO migrations (migration, batch) VALUES\n    {rows};\n" if ran else ""
    # Laravel calls psql without ON_ERROR_STOP: an error would pass for success.
    return LaravelDump(f"\\set ON_ERROR_STOP on\n{dump(objects, edition)}\n{MIGRATIONS}{listed}", tuple(ran),
                       tuple(remarks))
