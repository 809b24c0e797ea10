"""Tables that refer to each other, by foreign keys and by policies: created, exported, adopted, changed."""

from __future__ import annotations

import psycopg
import pytest

from schema import apply
from schema.export.adoption import adopt
from schema.export.plain_sql import dump
from schema.model.objects import Column, ForeignKey, Key, Object, Policy, RowSecurity, Table
from tests.support.convergence import converge, require_agreement
from tests.support.running.servers import Database

pytestmark = pytest.mark.servers("official")


def table(name: str, other: str, *, policy: str | None = None) -> Table:
    return Table(name, (Column("id", "integer", null=False), Column("o", "integer")),
                 keys=(Key(f"{name}_pkey", ("id",), primary=True),),
                 foreign_keys=(ForeignKey(f"{name}_fkey", ("o",), other, ("id",), comment="To the other"),),
                 row_security=RowSecurity(policies=(Policy("p", using=policy, comment="Whose"),)) if policy else None)


KEYS = (table("lines", "machines"), table("machines", "lines"))
POLICIES = tuple(table(one, other, policy=f"EXISTS (SELECT 1 FROM {other} x WHERE x.id = {one}.o)")
                 for one, other in (("documents", "members"), ("members", "documents")))


@pytest.mark.parametrize("declared", [KEYS, KEYS[::-1], POLICIES, POLICIES[::-1]],
                         ids=["keys", "keys, turned", "policies", "policies, turned"])
def test_tables_that_refer_to_each_other_are_created_adopted_and_exported(database: Database,
                                                                         declared: tuple[Object, ...]) -> None:
    converge(database, declared)
    adopted = adopt(database.admin)
    assert [remark for remark in adopted.remarks if not remark.startswith("public: GRANT")] == []
    assert apply.plan(database.admin, adopted.objects, options=apply.Options(whole_schema=True)).render() == []
    for value in declared:
        database.execute(f"DROP TABLE {value.name} CASCADE")
    with psycopg.connect(database.owner.dsn(), autocommit=True) as connection:
        connection.execute(dump(adopted.objects).replace("CREATE EXTENSION", "-- ").encode())
    require_agreement(database, declared)


def test_a_live_table_may_refer_to_a_new_one_that_refers_to_it(database: Database) -> None:
    first, second = POLICIES
    converge(database, [Table(first.name, first.columns, keys=first.keys)])
    converge(database, [first, second])
    assert apply.plan(database.owner, POLICIES[::-1]).render() == []
