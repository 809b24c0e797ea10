"""People who use LifeCompanion."""

from schema.model.columns import big_serial, jsonb, timestamp, varchar
from schema.model.objects import Check, Key, Table

USERS = Table(
    "users",
    comment="People who use LifeCompanion; Laravel's accounts",
    columns=(
        big_serial("id"),
        varchar("name", 255, "Full name as shown", null=False),
        varchar("email", 255, "Login and address for notices", null=False),
        timestamp("email_verified_at", "When the address was proven, UTC; NULL until then"),
        varchar("password", 255, "Password hash, never the password", null=False),
        jsonb("preferences", "What the person prefers: units, language, thresholds", default="'{}'"),
        jsonb("settings", "How the application behaves for the person", default="'{}'"),
        timestamp("created_at", "UTC", null=False, default="now()"),
        timestamp("updated_at", "UTC", null=False, default="now()"),
    ),
    keys=(Key("users_pkey", ("id",), primary=True), Key("users_email_key", ("email",))),
    checks=(
        Check("users_name_not_empty", "btrim(name) <> ''"),
        Check("users_email_shape", "email ~ '^[^@[:space:]]+@[^@[:space:]]+[.][^@[:space:]]+$'"),
        Check("users_password_not_empty", "password <> ''"),
    ),
)
