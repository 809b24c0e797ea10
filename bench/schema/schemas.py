"""Declared schemas of any size for benchmarks: one table in ten a hypertable with retention, the rest as an application
has them, with keys, foreign keys, checks, defaults and indexes. The same for the same size."""

from __future__ import annotations

import random

from schema.model.columns import big_int, big_serial, boolean, decimal, integer, jsonb, text, timestamp, varchar
from schema.model.objects import Check, Column, ForeignKey, Hypertable, Index, Key, Retention, Table

SUBJECTS = ("account", "address", "alarm", "asset", "audit", "batch", "booking", "campaign", "contract", "customer",
            "device", "document", "firmware", "gateway", "invoice", "location", "message", "metric", "operator",
            "order", "payment", "permission", "plan", "policy", "product", "profile", "report", "room", "schedule",
            "session", "shipment", "site", "subscription", "supplier", "task", "team", "ticket", "visit", "voucher",
            "zone")


def tables(number: int) -> tuple[Table, ...]:
    """`number` tables, each after those that it refers to."""
    choice = random.Random(number)
    tables: list[Table] = []
    for place in range(number):
        name = f"{SUBJECTS[place % len(SUBJECTS)]}_{place:03d}"
        plain = [table.name for table in tables if table.hypertable is None]
        parents = choice.sample(plain, min(len(plain), choice.randint(0, 2)))
        tables.append(_readings(name, parents) if place % 10 == 4 else _entities(name, parents, choice))
    return tuple(tables)


def script(declared: tuple[Table, ...]) -> str:
    """The SQL that makes all of them in an empty database."""
    from schema.planning.plan import plan_from_empty

    return ";\n".join(step.sql for step in plan_from_empty(declared).steps)


def _entities(name: str, parents: list[str], choice: random.Random) -> Table:
    """What an application's tables are like: a number, names, a state, times, what it belongs to."""
    optional: list[Column] = [
        decimal("amount", 12, 2), integer("position", default="0", null=False), boolean("is_active", default="true"),
        jsonb("metadata", default="'{}'"), text("description"), varchar("kind", choice.choice((20, 50, 100))),
        decimal("latitude", 9, 6), decimal("longitude", 9, 6), varchar("external_id", 64), timestamp("deleted_at"),
        integer("version", default="1", null=False), varchar("locale", 8, default="'en'")]
    columns = (big_serial("id"), *(big_int(f"{parent}_id", null=False) for parent in parents),
               varchar("name", 255, "What people call it", null=False), varchar("status", 20, default="'new'"),
               *choice.sample(optional, choice.randint(4, 10)),
               timestamp("created_at", null=False, default="now()"),
               timestamp("updated_at", null=False, default="now()"))
    names = {column.name for column in columns}
    checks = [Check(f"{name}_status_known", "status IN ('new', 'open', 'done', 'void')"),
              Check(f"{name}_name_given", "length(btrim(name)) > 0")]
    checks += [Check(f"{name}_amount_positive", "amount >= 0")] if "amount" in names else []
    checks += [Check(f"{name}_latitude_real", "latitude BETWEEN -90 AND 90")] if "latitude" in names else []
    indexes = [Index(f"{name}_status_idx", ("status", "created_at DESC")),
               *(Index(f"{name}_{parent}_idx", (f"{parent}_id",)) for parent in parents)]
    if choice.random() < 0.3:
        indexes.append(Index(f"{name}_lower_name_idx", ("lower(name)",)))
    if "deleted_at" in names:
        indexes.append(Index(f"{name}_kept_idx", ("name",), where="deleted_at IS NULL"))
    unique = [Key(f"{name}_external_id_key", ("external_id",))] if "external_id" in names else []
    return Table(name, columns, (Key(f"{name}_pkey", ("id",), primary=True), *unique), _foreign_keys(name, parents),
                 tuple(checks), tuple(indexes), comment=f"What is known of each {name.split('_', maxsplit=1)[0]}")


def _readings(name: str, parents: list[str]) -> Table:
    """A hypertable: one row for each moment and source."""
    columns = (*(big_int(f"{parent}_id", null=False) for parent in parents), timestamp("measured_at", null=False),
               varchar("source", 50, null=False), decimal("value", 12, 4), integer("quality", default="100"))
    return Table(name, columns, foreign_keys=_foreign_keys(name, parents),
                 checks=(Check(f"{name}_quality_percent", "quality BETWEEN 0 AND 100"),),
                 indexes=(Index(f"{name}_source_time_idx", ("source", "measured_at DESC")),
                          *(Index(f"{name}_{parent}_idx", (f"{parent}_id", "measured_at DESC")) for parent in parents)),
                 hypertable=Hypertable("measured_at", "7 days"), retention=Retention("1 year"))


def _foreign_keys(name: str, parents: list[str]) -> tuple[ForeignKey, ...]:
    return tuple(ForeignKey(f"{name}_{parent}_fkey", (f"{parent}_id",), parent) for parent in parents)
