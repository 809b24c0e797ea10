"""Sensors and phones that report over MQTT."""

from schema.model.columns import big_int, big_serial, boolean, jsonb, timestamp, varchar
from schema.model.objects import Check, ForeignKey, Key, Table

DEVICES = Table(
    "devices",
    # No index on user_id: the specification has none, devices are few and their users are hardly ever deleted.
    allow=("unindexed_foreign_key",),
    comment="Sensors and phones that report over MQTT, each of one user",
    columns=(
        big_serial("id"),
        big_int("user_id", "Owner", null=False),
        varchar("type", 50, "What it is and where it measures", null=False),
        varchar("mac_address", 17, "Six hexadecimal pairs, AA:BB:CC:DD:EE:FF", null=False),
        varchar("mqtt_topic", 255, "Topic on which it publishes", null=False),
        boolean("is_active", "Whether readings are expected from it", default="true"),
        jsonb("metadata", "Model, firmware, place", default="'{}'"),
        timestamp("created_at", "UTC", null=False, default="now()"),
        timestamp("updated_at", "UTC", null=False, default="now()"),
    ),
    keys=(Key("devices_pkey", ("id",), primary=True), Key("devices_mac_address_key", ("mac_address",))),
    foreign_keys=(ForeignKey("devices_user_id_fkey", ("user_id",), "users"),),
    checks=(
        Check("devices_type_not_empty", "btrim(type) <> ''"),
        Check("devices_mac_address_format", "mac_address ~* '^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$'"),
        Check("devices_mqtt_topic_not_empty", "btrim(mqtt_topic) <> ''"),
    ),
)
