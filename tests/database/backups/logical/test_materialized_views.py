"""Materialized views after a restore: those that had rows have them, those WITH NO DATA are left without."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from backups.drill.comparison import compare
from backups.drill.logical_drill import run_drill
from backups.logical.catalog import open_backup
from backups.logical.manifest import Manifest
from backups.restoring.restore import restore_logical
from schema.connection import Address
from tests.support.backed_up import BackedUp, backed
from tests.support.running.s3_servers import S3Server
from tests.support.running.servers import Server

pytestmark = pytest.mark.servers("official")
# `Never Computed` and `beneath` have no rows; `over` and `on over` had been computed before `beneath` lost its own, and
# they read it, `on over` by way of a view.
VIEWS = (
    'CREATE MATERIALIZED VIEW "Never Computed" AS SELECT id, name FROM users WITH NO DATA',
    'CREATE UNIQUE INDEX ON "Never Computed" (id)',
    "CREATE MATERIALIZED VIEW computed AS SELECT count(*) AS n FROM users",
    "CREATE MATERIALIZED VIEW beneath AS SELECT count(*) AS n FROM users",
    "CREATE MATERIALIZED VIEW over AS SELECT n + 1 AS n FROM beneath",
    "CREATE VIEW plain AS SELECT n + 1 AS n FROM over",
    'CREATE MATERIALIZED VIEW "on over" AS SELECT plain.n + 1 AS n FROM plain, beneath',
    "REFRESH MATERIALIZED VIEW beneath WITH NO DATA",
    'CREATE VIEW reads_none AS SELECT name FROM "Never Computed"',
    'CREATE MATERIALIZED VIEW "on none" AS SELECT name FROM reads_none WITH NO DATA')
UNPOPULATED = ['public."Never Computed"', "public.beneath", 'public."on none"']
POPULATED = ("SELECT relname::text, relispopulated FROM pg_class WHERE relkind = 'm' AND relnamespace ="
             " 'public'::regnamespace ORDER BY 1")
CONTENTS = 'SELECT a.n, b.n, c.n FROM public.computed a, public.over b, public."on over" c'


@dataclass(frozen=True)
class Subject(BackedUp):
    """A database with these views, and a backup of it."""

    def restore(self, name: str, manifest: Manifest | None = None) -> list[str]:
        entry = replace(self.entry, manifest=manifest or self.manifest)
        return list(restore_logical(self.backed.store, self.backed.ring, entry, self.backed.admin, name,
                                    image=self.backed.image, analyze=manifest is None).unfilled)

    def at(self, name: str) -> Address:
        return replace(self.backed.admin, database=name)

    def earlier(self) -> Manifest:
        """The manifest as a program that knew nothing of unpopulated views would have written it."""
        _, data_key = open_backup(self.backed.store, self.backed.ring, self.entry)
        return self.manifest.model_copy(update={"format": 4, "unpopulated": None}).with_seal(data_key)


@pytest.fixture(scope="module")
def subject(server: Server, s3: S3Server) -> Iterator[Subject]:
    with backed(server, s3.login, rows=2000) as backed_up:
        backed_up.database.execute("SET search_path = public", *VIEWS)
        yield Subject(backed_up, backed_up.back_up())


def ask(address: Address, query: str) -> list[tuple[Any, ...]]:
    with address.connect() as connection:
        return list(connection.execute(query.encode()).fetchall())


def test_each_is_populated_as_it_was_and_computed_over_what_is_not(subject: Subject) -> None:
    assert subject.manifest.unpopulated == UNPOPULATED
    before = ask(subject.backed.source, POPULATED)
    assert [name for name, populated in before if not populated] == ["Never Computed", "beneath", "on none"]
    with subject.backed.room() as name:
        assert subject.restore(name) == []
        assert ask(subject.at(name), POPULATED) == before
        assert ask(subject.at(name), CONTENTS) == ask(subject.backed.source, CONTENTS) == [(20, 21, 23)]
        assert compare(subject.manifest, subject.at(name), image=subject.backed.image).differences == []


def test_a_drill_proves_a_backup_with_views_that_cannot_be_queried(subject: Subject) -> None:
    drill = run_drill(subject.backed.store, subject.backed.ring, subject.entry, image=subject.backed.image,
                      admin=subject.backed.admin)
    assert (drill.passed, drill.problems) == (True, [])


def test_one_that_is_populated_otherwise_is_a_difference_by_name(subject: Subject) -> None:
    with subject.backed.room() as name:
        subject.restore(name)
        with subject.at(name).connect() as connection:
            connection.execute("REFRESH MATERIALIZED VIEW public.computed WITH NO DATA")
            connection.execute("REFRESH MATERIALIZED VIEW public.beneath")
        assert compare(subject.manifest, subject.at(name), image=subject.backed.image).differences == [
            "public.computed: not populated, required populated", "public.beneath: populated, required not populated"]


def test_one_that_cannot_be_computed_is_named_and_no_proof(subject: Subject) -> None:
    source = subject.backed.database
    source.execute("CREATE FUNCTION fails() RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint'",
                   "CREATE MATERIALIZED VIEW broken AS SELECT fails() AS n",
                   "CREATE MATERIALIZED VIEW on_broken AS SELECT n FROM broken", "CREATE OR REPLACE FUNCTION fails() "
                   "RETURNS bigint LANGUAGE plpgsql AS $$BEGIN RAISE 'not here'; END$$")
    try:
        entry = subject.backed.back_up()
        drill = run_drill(subject.backed.store, subject.backed.ring, entry, image=subject.backed.image,
                          admin=subject.backed.admin)
        assert drill.problems == [f"public.{name}: not populated, required populated" for name in (
            "broken", "on_broken")]
    finally:
        source.execute("DROP MATERIALIZED VIEW on_broken, broken", "DROP FUNCTION fails")


def test_a_backup_of_an_earlier_program_is_restored_as_ever(subject: Subject) -> None:
    earlier = subject.earlier()
    with subject.backed.room() as name:
        assert subject.restore(name, earlier) == []
        assert {populated for _, populated in ask(subject.at(name), POPULATED)} == {True}
        assert compare(earlier, subject.at(name), image=subject.backed.image).differences == []
