"""User-defined jobs: altered in place so that their number and history stay, doubles folded, names followed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schema import apply
from schema.catalog.readers.timescaledb.jobs import match
from schema.errors import DeclarationError, UnsafeChangeError
from schema.model.objects import Job
from schema.model.properties import from_dict, to_dict
from tests.support.running.servers import Database

pytestmark = pytest.mark.servers("official")

NIGHTLY = Job("nightly", procedure="tidy", schedule="1 day", config='{"keep": 3}')
JOBS = "FROM timescaledb_information.jobs WHERE proc_schema = 'public' ORDER BY job_id"
PROCEDURES = ("CREATE PROCEDURE tidy(job_id int, config jsonb) LANGUAGE sql AS 'SELECT 1'",
              "CREATE PROCEDURE other(job_id int, config jsonb) LANGUAGE sql AS 'SELECT 1'")


@pytest.fixture
def prepared(database: Database) -> Database:
    """A database with procedures that a job can run."""
    database.execute(*PROCEDURES)
    return database


def changed(database: Database, job: Job, **options: object) -> list[str]:
    """Apply; what was run. The second plan is empty, and what is read back is the declaration."""
    allow = apply.Options(allow=frozenset(options.get("allow", ())))  # type: ignore[call-overload]
    steps = apply.ensure(database.owner, [job], options=allow).steps
    assert apply.plan(database.owner, [job]).steps == ()
    (live,) = apply.read(database.owner, [job])
    assert live is not None
    assert replace(live, allow=job.allow, renamed_from=job.renamed_from) == job
    assert from_dict(to_dict(live)) == live
    return [step.sql for step in steps]


def test_a_job_is_added_with_its_name_and_then_nothing_is_left_to_do(prepared: Database) -> None:
    assert changed(prepared, NIGHTLY) == [
        """SELECT add_job('tidy', interval '1 day', config => '{"keep": 3}', job_name => 'nightly')"""]
    assert changed(prepared, NIGHTLY) == []
    assert changed(prepared, replace(NIGHTLY, schedule="24 hours")) == []
    assert changed(prepared, replace(NIGHTLY, config='{ "keep":3 }')) == []


def test_a_job_with_every_setting_is_added_in_one_step(prepared: Database) -> None:
    full = replace(NIGHTLY, paused=True, timezone="Europe/Berlin", max_runtime="5 minutes", max_retries=3,
                   retry_period="10 minutes")
    assert len(changed(prepared, full)) == 1


@pytest.mark.parametrize("change", [
    {"schedule": "2 days"}, {"config": '{"keep": 4}'}, {"config": None}, {"paused": True}, {"fixed_schedule": False},
    {"timezone": "Asia/Tokyo"}, {"max_runtime": "5 minutes"}, {"max_retries": 2}, {"retry_period": "1 hour"}])
def test_each_setting_is_altered_in_place_and_back(prepared: Database, change: dict[str, object]) -> None:
    start = replace(NIGHTLY, max_runtime="1 minute", max_retries=1, retry_period="5 minutes", timezone="Europe/Berlin")
    changed(prepared, start)
    before = prepared.execute(f"SELECT job_id {JOBS}")
    for wanted in (replace(start, **change), start):  # type: ignore[arg-type]
        (step,) = changed(prepared, wanted)
        assert step.startswith("SELECT (alter_job(")
    assert prepared.execute(f"SELECT job_id {JOBS}") == before


def test_altering_a_job_keeps_its_time_zone(prepared: Database) -> None:
    berlin = replace(NIGHTLY, timezone="Europe/Berlin")
    changed(prepared, berlin)
    changed(prepared, replace(berlin, paused=True))
    zones = "SELECT timezone FROM _timescaledb_config.bgw_job WHERE proc_name = 'tidy'"
    assert prepared.execute(zones) == [("Europe/Berlin",)]


def test_a_job_without_a_name_is_adopted_and_named(prepared: Database) -> None:
    prepared.execute("SELECT add_job('tidy', '1 day', config => '{\"keep\": 3}')")
    before = prepared.execute(f"SELECT job_id {JOBS}")
    (step,) = changed(prepared, NIGHTLY)
    assert "job_name => 'nightly'" in step
    assert prepared.execute(f"SELECT job_id {JOBS}") == before


def test_duplicate_jobs_added_by_hand_are_merged_into_the_oldest(prepared: Database) -> None:
    changed(prepared, NIGHTLY)
    before = prepared.execute(f"SELECT job_id {JOBS}")
    prepared.execute("SELECT add_job('tidy', '1 hour', config => '{\"keep\": 3}')",
                     "SELECT add_job('tidy', '1 day', job_name => 'nightly')")
    steps = changed(prepared, NIGHTLY)
    assert [step.split("(")[0] for step in steps] == ["SELECT delete_job"] * 2
    assert prepared.execute(f"SELECT job_id {JOBS}") == before


def test_a_job_with_another_config_of_the_same_procedure_is_no_duplicate(prepared: Database) -> None:
    changed(prepared, NIGHTLY)
    prepared.execute("SELECT add_job('tidy', '1 hour', config => '{\"keep\": 9}')",
                     "SELECT add_job('tidy', '1 hour', config => '{\"keep\": 3}', job_name => 'of somebody else')")
    assert changed(prepared, NIGHTLY) == []
    plan = apply.plan(prepared.owner, [NIGHTLY], options=apply.Options(whole_schema=True))
    assert len([line for line in plan.warnings if "tidy is a job that is not declared" in line]) == 2


def test_two_declared_jobs_share_a_procedure(prepared: Database) -> None:
    both = [NIGHTLY, Job("weekly", procedure="public.tidy", schedule="7 days")]
    apply.ensure(prepared.owner, both)
    assert apply.plan(prepared.owner, both).steps == ()
    assert apply.read(prepared.owner, both) == both
    names = prepared.execute(f"SELECT split_part(application_name, ' [', 1) {JOBS}")
    assert names == [("nightly",), ("weekly",)]


def test_a_renamed_job_keeps_its_number(prepared: Database) -> None:
    changed(prepared, NIGHTLY)
    before = prepared.execute(f"SELECT job_id {JOBS}")
    (step,) = changed(prepared, replace(NIGHTLY, name="tidy_up", renamed_from="nightly"))
    assert "job_name => 'tidy_up'" in step
    assert prepared.execute(f"SELECT job_id {JOBS}") == before


def test_a_changed_procedure_replaces_the_job_with_its_hazards(prepared: Database) -> None:
    changed(prepared, NIGHTLY)
    other = replace(NIGHTLY, procedure="other")
    with pytest.raises(UnsafeChangeError, match="drops_job, loses_history is not allowed"):
        apply.ensure(prepared.owner, [other])
    steps = changed(prepared, replace(other, allow=("drops_job", "loses_history")))
    assert [step.split("(")[0] for step in steps] == ["SELECT delete_job", "SELECT add_job"]


def test_a_job_deleted_by_hand_plans_exactly_its_creation(prepared: Database) -> None:
    (creation,) = changed(prepared, NIGHTLY)
    prepared.execute(f"SELECT delete_job(job_id) {JOBS}")
    assert changed(prepared, NIGHTLY) == [creation]


def test_a_job_is_dropped_only_with_its_hazard_allowed(prepared: Database) -> None:
    weekly = Job("weekly", procedure="tidy", schedule="7 days")
    apply.ensure(prepared.owner, [NIGHTLY, weekly])
    with pytest.raises(UnsafeChangeError, match="drops_job"):
        apply.drop(prepared.owner, NIGHTLY)
    options = apply.Options(allow=frozenset({"drops_job"}))
    assert apply.drop(prepared.owner, NIGHTLY, options=options)
    assert not apply.drop(prepared.owner, replace(NIGHTLY, procedure="other"), options=options)
    assert prepared.execute(f"SELECT split_part(application_name, ' [', 1) {JOBS}") == [("weekly",)]


def test_undeclared_jobs_are_reported_and_dropped_where_that_is_allowed(prepared: Database) -> None:
    changed(prepared, NIGHTLY)
    prepared.execute("SELECT add_job('other', '1 hour')")
    options = apply.Options(whole_schema=True)
    plan = apply.plan(prepared.owner, [NIGHTLY], options=options)
    assert any("other is a job that is not declared" in line for line in plan.warnings)
    apply.ensure(prepared.owner, [NIGHTLY], options=replace(options, allow=frozenset({"drops_job"})))
    assert prepared.execute(f"SELECT proc_name::text {JOBS}") == [("tidy",)]


def test_policies_are_not_read_as_user_defined_jobs(prepared: Database) -> None:
    changed(prepared, NIGHTLY)
    prepared.execute("CREATE TABLE t (at timestamptz NOT NULL)", "SELECT create_hypertable('t', 'at')",
                     "SELECT add_retention_policy('t', interval '1 year')")
    plan = apply.plan(prepared.owner, [NIGHTLY], options=apply.Options(whole_schema=True))
    assert [line for line in plan.warnings if " is a job " in line] == []


@pytest.mark.servers("embedded")
def test_a_job_on_the_embedded_server(prepared: Database) -> None:
    prepared.execute(f"SELECT delete_job(job_id) {JOBS}")
    changed(prepared, NIGHTLY)
    assert len(changed(prepared, replace(NIGHTLY, schedule="2 days", paused=True))) == 1
    prepared.execute(f"SELECT delete_job(job_id) {JOBS}")


@pytest.mark.parametrize(("change", "message"), [
    ({"comment": "why"}, "keeps no comment on a job"), ({"config": "{keep: 3}"}, "it is no JSON"),
    ({"config": "[1]"}, "must be a JSON object"), ({"schedule": "often"}, "nightly.schedule: interval 'often'")])
def test_a_wrong_job_is_refused_without_a_server(
        prepared: Database, change: dict[str, str], message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        apply.plan(prepared.owner, [replace(NIGHTLY, **change)])  # type: ignore[arg-type]


def test_where_jobs_have_no_names_they_are_matched_by_procedure() -> None:
    from schema.model.live.jobs import LiveJob

    live = [LiveJob(Job("tidy", procedure="tidy", schedule="1 day"), number, named=False) for number in (1001, 1000)]
    matches = match(live, [Job("nightly", procedure="tidy", schedule="1 day")])
    assert (matches["nightly"].id, matches["nightly"].doubles) == (1000, (1001,))
    assert matches["nightly"].object.name == "nightly"
