"""Encoding columns for the server: binary COPY, text COPY, array literals."""

from __future__ import annotations

import numpy as np

from seed.generate.rows import Array, Rows

# The type of each column, by its name: the specification gives no name two types.
_TYPES = {
    **dict.fromkeys(("id", "user_id", "device_id"), "bigint"),
    **dict.fromkeys(("air_quality", "battery_level"), "integer"),
    **dict.fromkeys(("temperature", "humidity", "pressure", "confidence_score"), "numeric"),
    **dict.fromkeys(("preferences", "settings", "metadata"), "jsonb"),
    "is_active": "boolean",
}
COPY_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
COPY_END = b"\xff\xff"
# Seconds from 1970 to 2000, where PostgreSQL's clock starts.
_EPOCH = 946_684_800
_BINARY = ("bigint", "integer", "numeric", "timestamp")


def column_type(name: str) -> str:
    """The PostgreSQL type in which this column's values are sent."""
    return "timestamp" if name.endswith("_at") else _TYPES.get(name, "text")


def fits_binary(rows: Rows) -> bool:
    """Whether all values have a fixed width, so that binary COPY can be assembled from arrays."""
    return all(column_type(name) in _BINARY and not (values.dtype.kind == "M" and np.isnat(values).any())
               for name, values in rows.columns.items())


def binary(rows: Rows) -> bytes:
    """The rows as tuples of a binary COPY, to go between COPY_HEADER and COPY_END."""
    fields: list[tuple[str, str]] = [("fields", ">i2")]
    constant: dict[str, int] = {"fields": len(rows.columns)}
    varying: dict[str, Array] = {}
    for name, values in rows.columns.items():
        for suffix, code, part in _binary_parts(column_type(name), values):
            fields.append((f"{name}.{suffix}", code))
            if isinstance(part, int):
                constant[f"{name}.{suffix}"] = part
            else:
                varying[f"{name}.{suffix}"] = part
    layout = np.dtype(fields)
    template = np.zeros(1, dtype=layout)
    for key, number in constant.items():
        template[key] = number
    # What is the same in every row is copied row by row as bytes, much faster than field by field.
    buffer = np.empty((len(rows), layout.itemsize), dtype=np.uint8)
    buffer[:] = template.view(np.uint8)
    records = buffer.view(layout)[:, 0]
    for key, part in varying.items():
        records[key] = part
    return buffer.tobytes()


def _binary_parts(kind: str, values: Array) -> list[tuple[str, str, Array | int]]:
    if kind == "bigint":
        return [("width", ">i4", 8), ("value", ">i8", values)]
    if kind == "integer":
        return [("width", ">i4", 4), ("value", ">i4", values)]
    if kind == "timestamp":
        return [("width", ">i4", 8), ("value", ">i8", (values.astype(np.int64) - _EPOCH) * 1_000_000)]
    # numeric with two decimals: two digits to the base of 10,000, the first for the whole part.
    hundredths = np.rint(values * 100).astype(np.int32)
    sign: Array | int = np.where(hundredths < 0, 0x4000, 0) if hundredths.min() < 0 else 0
    hundredths = np.abs(hundredths)
    units = hundredths // 100
    return [("width", ">i4", 12), ("digits", ">i2", 2), ("weight", ">i2", 0), ("sign", ">i2", sign),
            ("scale", ">i2", 2), ("whole", ">i2", units), ("part", ">i2", (hundredths - units * 100) * 100)]


def text(rows: Rows) -> bytes:
    """The rows as lines of a text COPY."""
    columns = [_copy_texts(column_type(name), values) for name, values in rows.columns.items()]
    return "".join("\t".join(row) + "\n" for row in zip(*columns, strict=True)).encode()


def array_literal(name: str, values: Array) -> str:
    """One column as a PostgreSQL array literal."""
    kind = column_type(name)
    if kind in ("text", "jsonb"):
        quoted = (value.replace("\\", "\\\\").replace('"', '\\"') for value in values)
        return "{" + ",".join(f'"{value}"' for value in quoted) + "}"
    return "{" + ",".join("NULL" if value is None else value for value in _plain(kind, values)) + "}"


def _copy_texts(kind: str, values: Array) -> list[str]:
    if kind in ("text", "jsonb"):
        return [value.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
                for value in values]
    return ["\\N" if value is None else value for value in _plain(kind, values)]


def _plain(kind: str, values: Array) -> list[str | None]:
    if kind == "timestamp":
        written = np.datetime_as_string(values)
        return [None if missing else str(value) for value, missing in zip(written, np.isnat(values), strict=True)]
    if kind == "boolean":
        return ["t" if value else "f" for value in values]
    if kind == "numeric":
        return [f"{value:.2f}" for value in values.tolist()]
    return [str(value) for value in values.tolist()]
