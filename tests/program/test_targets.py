"""What the program declares on each target, without any server: its shape, its secrets, its addresses."""

from __future__ import annotations

import json

import pytest

from tests.support.programs.recorded import SECRET, declared, leaves

TABLES = {"users", "devices", "environmental_readings", "activity_classifications", "notifications"}
PROD = {"adminPassword": "the administrator's own"}


@pytest.mark.parametrize(("stack", "secret"), [("dev", {}), ("test", {}), ("embedded", {}), ("prod", PROD)])
def test_every_stack_has_the_database_its_roles_and_tables(
        monkeypatch: pytest.MonkeyPatch, stack: str, secret: dict[str, str]) -> None:
    recorder, exported = declared(monkeypatch, stack, secret=secret)
    assert set(recorder.of("Table")) == TABLES
    assert {role["name"] for role in recorder.of("Role").values()} == {
        f"lifecompanion_{role}" for role in ("owner", "app", "readonly", "backup", "monitor", "replicator")}
    assert recorder.of("Database")["database"]["name"] == "lifecompanion"
    assert "timescaledb" in {extension["name"] for extension in recorder.of("Extension").values()}
    assert exported["primary"]["database"] == "lifecompanion"


def test_no_role_is_a_superuser_and_one_replicates(monkeypatch: pytest.MonkeyPatch) -> None:
    roles = declared(monkeypatch, "dev")[0].of("Role")
    assert not [role for role in roles.values() if role["superuser"] or role["createRole"] or role["createDatabase"]]
    assert [name for name, role in roles.items() if role["replication"]] == ["role-replicator"]


def test_dev_has_a_standby_a_bucket_and_data(monkeypatch: pytest.MonkeyPatch) -> None:
    recorder, exported = declared(monkeypatch, "dev")
    assert set(recorder.of("Container")) == {"primary", "replica-1", "s3"}
    assert list(recorder.of("PhysicalReplicationSlot")) == ["replica-1-slot"]
    assert list(recorder.of("Bucket")) == ["backup-bucket"]
    assert list(recorder.of("Seed")) == ["seed"]
    assert [replica["port"] for replica in exported["replicas"]] == [54321]


def test_the_amount_of_data_reaches_the_resource_and_is_absent_unless_given(
        monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"seedUsers": 250, "seedDevicesPerUser": 4, "seedDays": 90, "seedInterval": 60}
    (inputs,) = declared(monkeypatch, "dev", given)[0].of("Seed").values()
    assert [inputs[name] for name in ("users", "devices_per_user", "days", "interval")] == [250, 4, 90, 60]
    (inputs,) = declared(monkeypatch, "dev")[0].of("Seed").values()
    assert not {"users", "devices_per_user", "days", "interval"} & set(inputs)


def test_the_generated_backup_key_stays_behind_those_that_are_given(monkeypatch: pytest.MonkeyPatch) -> None:
    given = [32 * "n", 32 * "o"]
    _, before = declared(monkeypatch, "dev")
    recorder, exported = declared(monkeypatch, "dev", secret={"backupKeys": json.dumps(given)})
    assert "backup-key-password" in recorder.of("Password")
    assert exported["secret"]["backup"]
    assert exported["backup"]["keys"] == [*given, *before["backup"]["keys"]]


def test_without_replicas_there_is_no_slot_and_no_replica_volume(monkeypatch: pytest.MonkeyPatch) -> None:
    recorder, exported = declared(monkeypatch, "dev", {"replicas": 0})
    assert not recorder.of("PhysicalReplicationSlot")
    assert not [name for kind, name in recorder.inputs if "replica-" in name]
    assert exported["replicas"] == []


def test_every_replica_has_names_slot_and_port_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    recorder, _ = declared(monkeypatch, "dev", {"replicas": 3})
    containers = recorder.of("Container")
    ports = [port["external"] for container in containers.values() for port in container["ports"]]
    assert len(ports) == len(set(ports)) == 5
    assert len({slot["name"] for slot in recorder.of("PhysicalReplicationSlot").values()}) == 3


@pytest.mark.parametrize("stack", ["dev", "test"])
def test_nothing_is_published_beyond_loopback(monkeypatch: pytest.MonkeyPatch, stack: str) -> None:
    for name, container in declared(monkeypatch, stack)[0].of("Container").items():
        assert {port["ip"] for port in container["ports"]} == {"127.0.0.1"}, name


def test_containers_wait_for_an_answer_on_tcp_and_start_again(monkeypatch: pytest.MonkeyPatch) -> None:
    recorder, _ = declared(monkeypatch, "dev")
    for name in ("primary", "replica-1"):
        container = recorder.of("Container")[name]
        assert container["wait"] is True
        assert container["restart"] == "unless-stopped"
        assert {"pg_isready", "127.0.0.1"} <= set(container["healthcheck"]["tests"])
        assert "timezone=UTC" in container["command"]
        assert container["memory"] == 2048


def test_one_parameter_is_overridden_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    plain, changed = (set(declared(monkeypatch, "dev", config)[0].of("Container")["primary"]["command"])
                      for config in ({}, {"parameters": {"work_mem": "64MB"}}))
    assert changed - plain == {"work_mem=64MB"}


def test_without_the_official_image_the_debian_one_is_built_and_its_missing_features_are_listed(
        monkeypatch: pytest.MonkeyPatch) -> None:
    recorder, exported = declared(monkeypatch, "dev", official=False)
    image = recorder.of("RemoteImage")["server-image"]
    assert image["name"].startswith("lifecompanion/timescaledb-debian:")
    assert image["build"]["buildArgs"] == {"BASE": "debian:trixie-slim"}
    assert any("apache edition" in line for line in exported["leaves_out"])


def test_host_declares_no_container_and_keeps_what_is_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    recorder, exported = declared(monkeypatch, "prod", secret=PROD)
    assert not recorder.of("Container")
    assert not recorder.of("Volume")
    assert not recorder.of("Seed")
    assert exported["replicas"] == [{"name": "timescale-replica.internal.example:5432",
                                     "host": "timescale-replica.internal.example", "port": 5432}]
    assert recorder.of("postgresql")["server"]["sslmode"] == "verify-full"


def test_a_host_whose_administrator_set_pgbackrest_up_keeps_its_cipher_and_a_schedule(monkeypatch: pytest.MonkeyPatch
                                                                                     ) -> None:
    plain = declared(monkeypatch, "prod", secret=PROD)[0]
    recorder, exported = declared(monkeypatch, "prod", {"physicalBackups": True, "backupSchedule": []}, secret=PROD)
    assert set(recorder.of("Password")) - set(plain.of("Password")) == {"physical-cipher-password"}
    assert not recorder.of("Container")
    assert {due["kind"] for due in exported["schedule"]} == {"full", "diff", "incr", "logical", "prune", "drill"}


def test_the_docker_target_archives_to_a_bucket_abroad_without_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    recorder, _ = declared(monkeypatch, "test", {"s3": "aws", "bucket": "backups-of-tests"})
    containers = recorder.of("Container")
    assert set(containers) == {"primary", "backup", "drill"}
    assert "archive_mode=on" in containers["primary"]["command"]
    # What drills restore into is seen by nobody outside, and never writes to the bucket.
    assert "archive_mode=off" in containers["drill"]["command"]
    assert not containers["drill"].get("ports")
    plain = declared(monkeypatch, "test")[0].of("Container")
    assert set(plain) == {"primary"}
    assert "archive_mode=on" not in plain["primary"]["command"]


@pytest.mark.parametrize(("stack", "secret"), [("dev", {}), ("test", {}), ("embedded", {}), ("prod", PROD)])
def test_outputs_with_passwords_are_secret(monkeypatch: pytest.MonkeyPatch, stack: str, secret: dict[str, str]) -> None:
    marked = declared(monkeypatch, stack, secret=secret)[1]["secret"]
    assert {name for name, is_secret in marked.items() if is_secret} == {
        "logins", "laravel_env", "pg_service", *(() if stack == "test" else ("backup",))}


@pytest.mark.parametrize(("stack", "secret"), [("dev", {}), ("embedded", {}), ("prod", PROD)])
def test_every_input_that_carries_a_password_is_marked_secret(
        monkeypatch: pytest.MonkeyPatch, stack: str, secret: dict[str, str]) -> None:
    recorder, _ = declared(monkeypatch, stack, secret=secret)
    bare = [(kind, name, ".".join(path)) for (kind, name), inputs in recorder.inputs.items()
            for path, value in leaves(inputs)
            if value != SECRET and isinstance(value, str) and ("generated" in value or PROD["adminPassword"] in value)]
    assert bare == []
