"""Messages that were sent to a person, each caused by a reading."""

from schema.model.columns import big_int, big_serial, text, timestamp, varchar
from schema.model.objects import Check, ForeignKey, Index, Key, Table

NOTIFICATIONS = Table(
    "notifications",
    comment="What a person was told, each caused by a threshold that a reading exceeded",
    columns=(
        big_serial("id"),
        big_int("user_id", "Person told", null=False),
        varchar("title", 255, null=False),
        text("message", "The whole text"),
        varchar("type", 50, "What caused it", null=False),
        varchar("status", 20, "unread, read or archived", default="'unread'"),
        timestamp("sent_at", "UTC", null=False, default="now()"),
        timestamp("read_at", "UTC; NULL until read"),
        timestamp("created_at", "UTC", null=False, default="now()"),
    ),
    keys=(Key("notifications_pkey", ("id",), primary=True),),
    foreign_keys=(ForeignKey("notifications_user_id_fkey", ("user_id",), "users"),),
    checks=(
        Check("notifications_title_not_empty", "btrim(title) <> ''"),
        Check("notifications_type_not_empty", "btrim(type) <> ''"),
        Check("notifications_status_known", "status IN ('unread', 'read', 'archived')"),
        Check("notifications_read_after_sent", "read_at >= sent_at"),
    ),
    indexes=(Index("idx_notifications_user_status", ("user_id", "status", "sent_at DESC")),),
)
