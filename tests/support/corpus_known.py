"""What of the corpus is still known to fail: a file and a stage, with the reason. Remove what passes."""

from __future__ import annotations

from collections.abc import Mapping

JOB_NAMES = "a job that the server has no name for is called as its procedure in a copy"
OWN_SEQUENCES = "the sequence of a serial or identity column has the name that the server gives to it"
PARTITIONS = "partitioned tables are left out by name, their partitions and what stands on them are not"
RANGE_TYPES = "a range type is left out by name, a column of it is not"
SCHEMAS = "a table is left out for a name with a dot, and so are its comments and its schema"
UNTRIED = "failed on 30 November before its kind was mended; not tried since"

KNOWN: Mapping[tuple[str, str], str] = {
    ("alembic_science", "change 4"): UNTRIED,
    ("django_site", "change 4"): UNTRIED,
    ("django_site", "change 5"): UNTRIED,
    ("domains_composites", "export"): RANGE_TYPES,
    ("domains_composites", "fresh"): RANGE_TYPES,
    ("energy_meters", "change 4"): UNTRIED,
    ("event_sourcing", "dump"): PARTITIONS,
    ("fleet_tracking", "backup"): UNTRIED,
    ("fleet_tracking", "dump"): JOB_NAMES,
    ("iot_tsdb", "change 1"): UNTRIED,
    ("iot_tsdb", "change 2"): UNTRIED,
    ("iot_tsdb", "change 3"): UNTRIED,
    ("iot_tsdb", "change 4"): UNTRIED,
    ("iot_tsdb", "change 5"): UNTRIED,
    ("keys_options", "change 1"): UNTRIED,
    ("keys_options", "change 2"): UNTRIED,
    ("keys_options", "change 4"): UNTRIED,
    ("matviews_reports", "dump"): JOB_NAMES,
    ("metrics_store", "dump"): JOB_NAMES,
    ("partitioned_orders", "export"): PARTITIONS,
    ("partitioned_orders", "fresh"): PARTITIONS,
    ("policies_all", "change 1"): UNTRIED,
    ("policies_all", "change 2"): UNTRIED,
    ("policies_all", "change 3"): UNTRIED,
    ("policies_all", "change 4"): UNTRIED,
    ("policies_all", "change 5"): UNTRIED,
    ("reserved_words", "dump"): SCHEMAS,
    ("sequences_counters", "dump"): OWN_SEQUENCES,
    ("storage_options", "dump"): "n_distinct of a column is named by a remark, on the column and not on its table",
    ("user_jobs", "dump"): JOB_NAMES,
}
