"""What a person was doing, as classified from the readings."""

from schema.model.columns import big_int, big_serial, decimal, jsonb, timestamp, varchar
from schema.model.intervals import weeks, years
from schema.model.objects import Check, ForeignKey, Hypertable, Index, Retention, Table

ACTIVITY_CLASSIFICATIONS = Table(
    "activity_classifications",
    comment="What a person was doing and from when to when, as classified from the readings",
    columns=(
        big_serial("id"),
        big_int("user_id", "Person", null=False),
        timestamp("started_at", "UTC", null=False),
        timestamp("ended_at", "UTC; NULL while it lasts"),
        varchar("activity_type", 50, "work, transport, rest, sleep, exercise, ...", null=False),
        decimal("confidence_score", 3, 2, "How sure the classifier is, 0 to 1"),
        jsonb("metadata", "What the classification rests on", default="'{}'"),
    ),
    foreign_keys=(ForeignKey("activity_classifications_user_id_fkey", ("user_id",), "users"),),
    checks=(
        Check("activity_classifications_ends_after_start", "ended_at >= started_at"),
        Check("activity_classifications_type_not_empty", "btrim(activity_type) <> ''"),
        Check("activity_classifications_confidence_range", "confidence_score BETWEEN 0 AND 1"),
    ),
    hypertable=Hypertable("started_at", weeks(1)),
    indexes=(
        Index("idx_activity_user_time", ("user_id", "started_at DESC")),
        Index("idx_activity_type_time", ("activity_type", "started_at")),
    ),
    retention=Retention(years(2)),
)
