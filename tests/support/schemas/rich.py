"""A schema with every kind of object and part, for tests that cover all of them."""

from __future__ import annotations

from schema.model.columns import big_int, big_serial, boolean, decimal, jsonb, text, timestamp, varchar
from schema.model.objects import (
    Aggregate,
    Attribute,
    Check,
    Collation,
    Column,
    CompositeType,
    Compression,
    ContinuousAggregate,
    Dimension,
    Domain,
    Enum,
    Extension,
    ForeignKey,
    Function,
    Hypertable,
    Index,
    Job,
    Key,
    MaterializedView,
    Policy,
    Refresh,
    Reorder,
    Retention,
    RowSecurity,
    Schema,
    Sequence,
    Statistics,
    Table,
    Trigger,
    View,
    ViewColumn,
)

CITEXT = Extension("citext")
PRIVATE = Schema("private", comment="What only we see")
GERMAN = Collation("german", locale="de-DE", comment="ä beside a")
NUMBERS = Sequence("numbers", schema="private", type="integer", start=1000, increment=10, cache=5, cycle=True,
                   comment="Of notes")
SHARE = Domain("share", type="numeric(5,2)", default="0", null=False, comment="Per cent",
               checks=(Check("share_high", "VALUE <= 100"), Check("share_low", "VALUE >= 0", "None below")))
HALF = Domain("Half", schema="private", type="share", default="50", checks=(Check("halves", "VALUE < 51"),))
WORD = Domain("word", type="varchar(20)", collation='"C"')
SPAN = CompositeType("span", schema="private", comment="From and to",
                     attributes=(Attribute("from", "share", comment="Where"), Attribute("to", 'private."Half"'),
                                 Attribute("moods", "mood[]"), Attribute("name", "text", collation="german")))
MOOD = Enum("mood", values=("calm", "it's \"loud\"", "alert"), comment="How a room sounds")
TOUCH = Function(
    "touch", returns="trigger", comment="Keeps updated_at",
    body="\nBEGIN\n    NEW.updated_at := now();  -- \"now\", in UTC\n    RETURN NEW;\nEND\n")
DOUBLED = Function("doubled", arguments="value numeric, factor integer DEFAULT 2", returns="numeric", language="sql",
                   body="SELECT value * factor", volatility="immutable", parallel="safe", strict=True)
PRUNE = Function("prune", arguments="job_id integer, config jsonb", returns=None,
                 body="BEGIN DELETE FROM rooms WHERE id < 0; END")
ROOMS = Table(
    "rooms",
    comment="Rooms, with \"quotes\" and a \\ backslash",
    columns=(
        big_serial("id"),
        varchar("name", 80, "As shown", null=False),
        Column("mood", "mood", null=False, default="'calm'"),
        Column("number", "integer", null=False, identity="by default"),
        Column("shout", "text", generated="upper(name::text)"),
        boolean("heated", default="true"),
        jsonb("metadata", default="'{}'"),
        decimal("area", 6, 2, null=False),
        Column("order", "integer[]"),
        Column("Mixed Case", "uuid", default="gen_random_uuid()"),
        timestamp("updated_at", null=False, default="now()"),
    ),
    keys=(Key("rooms_pkey", ("id",), primary=True, comment="The number"), Key("rooms_name_key", ("name", "mood"))),
    checks=(Check("rooms_area_plausible", "area BETWEEN 1 AND 1000 AND btrim(name) <> ''", "In square metres"),),
    indexes=(Index("rooms_lower", ("lower(name)", '"Mixed Case" DESC NULLS LAST')),
             Index("rooms_heated", ("heated",), include=("area",), where="heated AND area > 2"),
             Index("rooms_metadata", ("metadata jsonb_path_ops",), method="gin", comment="For ->")),
    triggers=(Trigger("rooms_touch", "BEFORE INSERT OR UPDATE OF name", "touch()", when="NEW.name IS NOT NULL",
                      comment="Keeps it"),),
    row_security=RowSecurity((Policy("rooms_all", using="id > 0", check="area > 0"),
                              Policy("rooms_read", using="heated", command="select", permissive=False)), forced=True),
)
NOTES = Table(
    "notes", schema="private",
    columns=(big_int("id", null=False), big_int("room_id", null=False), text("note"),
             Column("number", "integer", null=False, default="nextval('private.numbers')"),
             Column("spans", "private.span[]"), Column("share", "share", default="10 + 1"), Column("tag", "citext"),
             Column("word", "word")),
    keys=(Key("notes_pkey", ("id",), primary=True),),
    foreign_keys=(ForeignKey("notes_room_id_fkey", ("room_id",), "rooms", on_delete="cascade"),),
    indexes=(Index("notes_room", ("room_id",)),),
)
READINGS = Table(
    "readings",
    columns=(big_int("room_id", null=False), Column("measured_at", "timestamptz", null=False),
             Column("sensor", "integer", null=False), decimal("temperature", 5, 2)),
    keys=(Key("readings_pkey", ("room_id", "sensor", "measured_at"), primary=True),),
    foreign_keys=(ForeignKey("readings_room_id_fkey", ("room_id",), "rooms"),),
    hypertable=Hypertable("measured_at", "1 week", (Dimension("sensor", partitions=2),)),
    indexes=(Index("readings_time", ("measured_at DESC", "temperature")),),
    compression=Compression("1 month", ("room_id",), ("measured_at DESC",)),
    retention=Retention("2 years"),
    reorder=Reorder("readings_time"),
)
EVENTS = Table(
    "events", columns=(big_int("at", null=False), text("what")), hypertable=Hypertable("at", "86400000"))
HOURLY = ContinuousAggregate(
    "readings_hourly", comment="By the hour",
    query="SELECT time_bucket('1 hour', measured_at) AS hour, room_id, avg(temperature) AS mean, count(*) AS count "
          "FROM readings GROUP BY 1, 2",
    refresh=Refresh("3 months", "1 hour", "30 minutes"), real_time=True,
    indexes=(Index("readings_hourly_room", ("room_id", "hour DESC", "mean")),))
DAILY = ContinuousAggregate(
    "readings_daily",
    query="SELECT time_bucket('1 day', hour) AS day, room_id, max(mean) AS warmest FROM readings_hourly GROUP BY 1, 2",
    refresh=Refresh("6 months", "1 day", "1 day"), retention=Retention("5 years"))
WARM = View("warm_rooms", query="SELECT id, name, doubled(area) AS twice FROM rooms WHERE heated AND mood = 'calm'",
            comment="Where it is warm", security_invoker=True)
AVERAGED = Aggregate("averaged", "double precision", sfunc="float8_accum", stype="double precision[]",
                     finalfunc="float8_avg", combinefunc="float8_combine", initcond="{0,0,0}", parallel="safe",
                     comment="The mean")
LOUD = MaterializedView(
    "loud_rooms", query="SELECT mood, averaged(area::float8) AS mean FROM rooms GROUP BY mood", comment="By mood",
    indexes=(Index("loud_rooms_mood", ("mood",), unique=True),), columns=(ViewColumn("mean", comment="Of areas"),),
    options=("fillfactor = 90",))
WARMEST = View("warmest", query="SELECT day, warmest FROM readings_daily ORDER BY warmest DESC LIMIT 10")
PRUNING = Job("pruning", procedure="prune", schedule="1 day", config='{"keep": "1 year"}')
STATISTICS = Statistics("rooms_warm_and_large", "rooms", ("heated", "area", "Mixed Case"),
                        comment="Large rooms are warm")

DECLARED = (CITEXT, PRIVATE, GERMAN, NUMBERS, SHARE, HALF, WORD, MOOD, SPAN, TOUCH, DOUBLED, PRUNE, ROOMS, NOTES,
            READINGS, EVENTS, HOURLY, DAILY, WARM, WARMEST, PRUNING, STATISTICS, AVERAGED, LOUD)
