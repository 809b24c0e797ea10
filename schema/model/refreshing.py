"""A materialized view that TimescaleDB computes again by itself: the procedure and the job, as declarations; pure."""

from __future__ import annotations

import json

from schema.model.names import ident
from schema.model.objects import Function, Job, MaterializedView

# One procedure for all materialized views: the job's config says which.
REFRESH = Function(
    "refresh_materialized_view", arguments="job_id integer, config jsonb", returns=None,
    comment="Computes a materialized view again, as a job of TimescaleDB",
    body="""
BEGIN
    EXECUTE format('REFRESH MATERIALIZED VIEW %s %s',
                   CASE WHEN (config ->> 'concurrently')::boolean THEN 'CONCURRENTLY' ELSE '' END,
                   (config ->> 'view')::regclass);
END
""")


def refresh_job(view: MaterializedView, schedule: str, *, concurrently: bool = False) -> Job:
    """Return the job that computes the view again every `schedule`, by REFRESH, which is to be declared once beside it.

    `concurrently` lets readers go on meanwhile; it needs a unique index without WHERE on plain columns, and rows.
    """
    config = {"view": ident(f"{view.schema}.{view.name}"), "concurrently": concurrently}
    return Job(f"refresh_{view.name}", REFRESH.full_name, schedule, json.dumps(config))
