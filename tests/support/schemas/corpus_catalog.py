"""A database's schema as text to compare databases by: pg_dump's, and what TimescaleDB keeps beside it."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from difflib import unified_diff

from schema.connection import Address

# What is made or numbered by TimescaleDB: its numbers differ between two equal databases.
_NUMBERED = re.compile(r"(_materialized_hypertable_|_partial_view_|_direct_view_|cagg_watermark\()\d+")
# The official image's server notes in each column's options where in the WAL the column was made or changed last.
_VERSION = re.compile(r"pg_attver=\d+(, )?|, pg_attver=\d+")
# `column IN (...)` of a varchar column, as the server prints it; what it prints it reads as another expression.
_TEXT = r"'(?:[^']|'')*'::character varying"
_VARCHAR_IN = re.compile(rf"\(ARRAY\[({_TEXT}(?:, {_TEXT})*)\]\)::text\[\]")
_OF_THE_DUMP = ("\\restrict", "\\unrestrict", "SET default_table")
_HEADER = re.compile(r"^--\n-- (Name: .*|PostgreSQL database dump.*)\n--\n", re.MULTILINE)
# Each row is a name, what the line is about, and the line. A start is kept only where somebody gave one, which in the
# corpus lies in the future: else it is the moment at which the job was made.
_FACTS = """
WITH hypertables AS (
    SELECT format('%I.%I', hypertable_schema, hypertable_name)::regclass AS relation, hypertable_schema::text AS schema,
           hypertable_name::text AS name
      FROM timescaledb_information.hypertables h
     WHERE NOT EXISTS (SELECT FROM timescaledb_information.continuous_aggregates a
                        WHERE (a.materialization_hypertable_schema, a.materialization_hypertable_name)
                            = (h.hypertable_schema, h.hypertable_name))
    UNION ALL
    SELECT format('%I.%I', materialization_hypertable_schema, materialization_hypertable_name)::regclass,
           view_schema::text, view_name::text
      FROM timescaledb_information.continuous_aggregates)
SELECT h.schema, h.name, 'DIMENSION', (to_jsonb(d) - '{hypertable_schema,hypertable_name}'::text[])::text
  FROM timescaledb_information.dimensions d
  JOIN hypertables h ON h.relation = format('%I.%I', d.hypertable_schema, d.hypertable_name)::regclass
UNION ALL
SELECT h.schema, h.name, 'COLUMNSTORE', (to_jsonb(s) - '{relid,compress_relid,hypertable}'::text[])::text
  FROM _timescaledb_catalog.compression_settings s JOIN hypertables h ON h.relation = s.relid
UNION ALL
SELECT h.schema, h.name, 'COLUMNSTORE INTERVAL', d.compress_interval_length::text
  FROM _timescaledb_catalog.dimension d JOIN _timescaledb_catalog.hypertable t ON t.id = d.hypertable_id
  JOIN hypertables h ON h.relation = format('%I.%I', t.schema_name, t.table_name)::regclass
 WHERE d.compress_interval_length IS NOT NULL
UNION ALL
SELECT h.schema, h.name, 'CHUNK SKIPPING', s.column_name::text
  FROM _timescaledb_catalog.chunk_column_stats s JOIN _timescaledb_catalog.hypertable t ON t.id = s.hypertable_id
  JOIN hypertables h ON h.relation = format('%I.%I', t.schema_name, t.table_name)::regclass
 WHERE s.chunk_id = 0
UNION ALL
SELECT h.schema, h.name, 'AGGREGATE INDEX',
       regexp_replace(pg_get_indexdef(i.indexrelid), ' INDEX .* ON _timescaledb', ' INDEX ON _timescaledb')
  FROM pg_index i JOIN hypertables h ON h.relation = i.indrelid
  JOIN timescaledb_information.continuous_aggregates a ON (a.view_schema, a.view_name) = (h.schema, h.name)
UNION ALL
SELECT a.view_schema, a.view_name, 'AGGREGATE', format('materialized_only %s, columnstore %s', a.materialized_only,
       a.compression_enabled) || E'\n' || a.view_definition
  FROM timescaledb_information.continuous_aggregates a
UNION ALL
SELECT coalesce(h.schema, j.proc_schema), coalesce(h.name, j.proc_name), 'JOB', jsonb_pretty(to_jsonb(j)
       - '{job_id,application_name,next_start,initial_start,hypertable_schema,hypertable_name,config}'::text[]
       || jsonb_build_object('config', j.config - '{hypertable_id,mat_hypertable_id}'::text[], 'initial_start',
                             CASE WHEN j.initial_start > now() + interval '1 year' THEN j.initial_start END,
                             'name', regexp_replace(j.application_name, ' \\[\\d+\\]$', '')))
  FROM timescaledb_information.jobs j
  LEFT JOIN hypertables h ON (h.schema, h.name) = (j.hypertable_schema, j.hypertable_name)
                          OR (j.hypertable_name IS NOT NULL AND h.relation
                              = to_regclass(format('%I.%I', j.hypertable_schema, j.hypertable_name)))
 WHERE j.job_id >= 1000
"""
# Every relation that people filled, as it is queried.
_FILLED = """
SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname !~ '^(pg_|_timescaledb|timescaledb_|information_schema)'
   AND (c.relkind IN ('r', 'p', 'm')
        OR EXISTS (SELECT FROM timescaledb_information.continuous_aggregates a
                    WHERE (a.view_schema, a.view_name) = (n.nspname, c.relname)))
   AND (c.relkind <> 'm' OR c.relispopulated)
   AND NOT EXISTS (SELECT FROM pg_depend d
                    WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
 ORDER BY 1"""
_SEQUENCES = "SELECT format('%I.%I', schemaname, sequencename), last_value FROM pg_sequences " \
             "WHERE schemaname !~ '^_timescaledb' ORDER BY 1"

Section = tuple[str, str]


def client_environment(address: Address) -> dict[str, str]:
    """Return the environment in which psql and pg_dump log in to `address`, without notices."""
    return {**os.environ, "PGHOST": str(address.host), "PGPORT": str(address.port), "PGUSER": address.user,
            "PGPASSWORD": address.password, "PGDATABASE": address.database, "PGTZ": "UTC",
            "PGOPTIONS": "-c client_min_messages=error"}


def read_sections(address: Address) -> list[Section]:
    """Return the schema as sorted pairs of a header and its SQL, by pg_dump, and by a query for what TimescaleDB keeps
    as rows: dimensions, columnstore, aggregates, jobs.

    Nothing is normalised but this: chunks and all else in TimescaleDB's own schemas are not dumped; the numbers that it
    gives to materializations and jobs become #, and indexes of aggregates, most of which are called by such a number,
    have no names; its own triggers, the server's versions of columns and what the dump sets for itself are left out;
    IN (...) of a varchar column is as after a dump and a restore; sections are sorted.
    """
    dumped = subprocess.run(
        ["pg_dump", "--schema-only", "--exclude-schema", "_timescaledb_*"], capture_output=True, text=True, check=True,
        env=client_environment(address)).stdout
    parts = _HEADER.split(dumped)
    sections = [(header, text) for header, text in zip(parts[1::2], parts[2::2], strict=True)
                if header.startswith("Name: ")
                and not ("; Type: TRIGGER;" in header and "_timescaledb_functions." in text)]
    with address.connect() as connection:
        sections += [(f"Name: {name}; Type: {kind}; Schema: {schema}", line)
                     for schema, name, kind, line in connection.execute(_FACTS).fetchall()]
    return sorted((normalised(header), normalised(text).strip()) for header, text in sections)


def normalised(text: str) -> str:
    """Return the text without what differs between equal databases; `read_sections` says what that is."""
    lines = [line for line in _VERSION.sub("", text).splitlines()
             if not line.startswith(_OF_THE_DUMP) and not line.endswith(" SET ();")]
    # VALUES within a set operation, once the server has read its own wording.
    return _VARCHAR_IN.sub(_as_read_again, _NUMBERED.sub(r"\1#", "\n".join(lines))).replace("(VALUES (", "( VALUES (")


def _as_read_again(match: re.Match[str]) -> str:
    return f"ARRAY[{', '.join(f'({text})::text' for text in re.findall(_TEXT, match[1]))}]"


def find_differences(wanted: Sequence[Section], found: Sequence[Section], remarks: Iterable[str] = ()) -> Iterator[str]:
    """Yield the lines that differ, each with the name of its section, `-` before what is lacking and `+` before what is
    too much. What a remark names may differ: the object itself and what lies on it."""
    named = [re.escape(part) for remark in remarks for part in _named(remark)]
    excused = re.compile(rf"^Name: (.* )?({'|'.join(named)})[ (;]|"
                         rf"\b(ON|ONLY|TABLE|SEQUENCE|VIEW) \"?([\w$]+\"?\.\"?)?({'|'.join(named)})\"?(?![\w.])"
                         if named else r"(?!)", re.MULTILINE)
    lacking, added = set(wanted) - set(found), set(found) - set(wanted)
    for header in sorted({header for header, _ in lacking | added}):
        texts = [["\n".join(sorted(text for name, text in side if name == header))] for side in (lacking, added)]
        if excused.search(header) or any(excused.search(text) for (text,) in texts):
            continue
        name = header.removeprefix("Name: ").split("; Owner")[0]
        old, new = (text.splitlines() for (text,) in texts)
        yield from (f"{line[0]} {name}: {line[1:].strip()}" for line in unified_diff(old, new, n=0, lineterm="")
                    if line[:3] not in ("---", "+++") and line[0] in "+-" and line[1:].strip())


def _named(remark: str) -> Sequence[str]:
    """The names that differences are excused by: of an object that was left out for a property, all parts of what the
    remark begins with (`schema.table.property`), else the last, as `table.constraint` excuses no more of the table."""
    parts = [part for part in remark.split(": ", maxsplit=1)[0].split("(", maxsplit=1)[0].split(".") if part]
    return parts if remark.endswith("(so it was left out)") else parts[-1:]


def read_contents(address: Address) -> dict[str, tuple[object, ...]]:
    """Return rows and a hash that does not depend on their order for each table, aggregate and materialized view, and
    where each sequence stands."""
    with address.connect() as connection:
        connection.execute("SET timezone = 'UTC'")
        names = [str(name) for (name,) in connection.execute(_FILLED).fetchall()]
        contents: dict[str, tuple[object, ...]] = {}
        for name in names:
            row = connection.execute(f"SELECT count(*), sum(hashtextextended((the_row.*)::text, 0)::numeric) "
                                     f"FROM {name} AS the_row".encode()).fetchone()
            contents[name] = row or ()
        sequences = connection.execute(_SEQUENCES).fetchall()
    return contents | {f"sequence {name}": (value,) for name, value in sequences}
