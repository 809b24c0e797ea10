"""Names exchanged in SQL text: where they qualify something, and nowhere else."""

from __future__ import annotations

import pytest

from schema.model.sql_names import requalify


@pytest.mark.parametrize(("sql", "expected"), [
    ("SELECT iot.f(iot) FROM iot.t", "SELECT s.f(iot) FROM s.t"),
    ("create_hypertable('iot.readings', 'at')", "create_hypertable('s.readings', 'at')"),
    ("nextval('\"iot\".\"Odd\"'::regclass)", "nextval('s.\"Odd\"'::regclass)"),
    ("'to iot.t or not' || 'iot.t.u' || 'other.t'", "'to iot.t or not' || 'iot.t.u' || 'other.t'"),
    ("$$iot.t$$ /* iot.t */ -- iot.t", "$$iot.t$$ /* iot.t */ -- iot.t")])
def test_a_schemas_name_is_exchanged_where_it_qualifies_something(sql: str, expected: str) -> None:
    assert requalify(sql, {"iot": "s"}) == expected
    assert requalify(expected, {"s": "iot"}).replace('"iot"', "iot") == sql.replace('"iot"', "iot")


def test_only_names_that_are_known_are_exchanged() -> None:
    sql = "SELECT iot.f(iot.column, 'iot.t', 'iot.s'::regclass) FROM iot.t, other.t, iot.\"T\""
    assert requalify(sql, {"iot": "s"}, {"iot": {"f", "s", "T"}}) == \
        "SELECT s.f(iot.column, 'iot.t', 's.s'::regclass) FROM iot.t, other.t, s.\"T\""
