"""What the devices measure: the table that grows."""

from schema.model.columns import big_int, big_serial, decimal, integer, timestamp
from schema.model.intervals import months, weeks, years
from schema.model.objects import Check, Compression, ForeignKey, Hypertable, Index, Retention, Table

ENVIRONMENTAL_READINGS = Table(
    "environmental_readings",
    comment="What the devices measure, one row per report; 10,000 and more a day for each device",
    columns=(
        big_serial("id"),
        big_int("device_id", "Device that measured", null=False),
        timestamp("measured_at", "When it was measured, UTC", null=False),
        decimal("temperature", 5, 2, "Air temperature, degrees Celsius"),
        decimal("humidity", 5, 2, "Relative humidity, percent"),
        decimal("pressure", 7, 2, "Air pressure, hPa"),
        integer("air_quality", "Air quality index, 0 (clean) to 500 (hazardous)"),
        integer("battery_level", "Charge left, percent"),
    ),
    foreign_keys=(ForeignKey("environmental_readings_device_id_fkey", ("device_id",), "devices"),),
    checks=(
        Check("environmental_readings_temperature_plausible", "temperature BETWEEN -90 AND 90"),
        Check("environmental_readings_humidity_percent", "humidity BETWEEN 0 AND 100"),
        Check("environmental_readings_pressure_plausible", "pressure BETWEEN 800 AND 1100"),
        Check("environmental_readings_air_quality_index", "air_quality BETWEEN 0 AND 500"),
        Check("environmental_readings_battery_percent", "battery_level BETWEEN 0 AND 100"),
    ),
    hypertable=Hypertable("measured_at", weeks(1)),
    indexes=(
        Index("idx_environmental_device_time", ("device_id", "measured_at DESC")),
        Index("idx_environmental_time_temp", ("measured_at", "temperature")),
    ),
    compression=Compression(months(1), segment_by=("device_id",), order_by=("measured_at DESC",)),
    retention=Retention(years(1)),
)
