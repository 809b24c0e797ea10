"""Stack config becomes one checked value; a wrong key says which, what was found and what is allowed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import SecretStr
from pydantic.alias_generators import to_camel

from infra.settings import SECRETS, Settings, SettingsError, parse_settings

ROOT = Path(__file__).resolve().parents[3]


def parse(config: dict[str, Any], *, stack: str = "dev", secret: tuple[str, ...] = ()) -> Settings:
    return parse_settings(stack, {f"lifecompanion:{key}": value for key, value in config.items()},
                          {f"lifecompanion:{key}" for key in secret})


def documented() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]


def test_project_file_documents_exactly_the_existing_keys() -> None:
    assert set(documented()) == {to_camel(name) for name in Settings.model_fields if name != "stack"}
    assert all(len(key["description"]) > 20 and key["type"] for key in documented().values())


def test_defaults_documented_are_the_defaults_taken() -> None:
    as_delivered = {f"lifecompanion:{key}": _delivered(entry["default"]) for key, entry in documented().items()}
    assert parse_settings("dev", as_delivered) == parse({"target": "docker"})


@pytest.mark.parametrize("stack", ["dev", "embedded", "test", "prod"])
def test_each_committed_stack_is_valid_and_holds_no_secret(stack: str) -> None:
    config = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())["config"]
    assert not {key.split(":")[1] for key in config} & SECRETS
    given = {key: _delivered(value) for key, value in config.items()}
    secret = {}
    if stack == "prod":
        secret = {"lifecompanion:adminPassword": "from pulumi config set --secret"}
    assert parse_settings(stack, {**given, **secret}, secret.keys()).stack == stack


def test_production_refuses_every_hazard_and_keeps_its_bucket() -> None:
    config = yaml.safe_load((ROOT / "Pulumi.prod.yaml").read_text())["config"]
    given = {key.split(":")[1]: _delivered(value) for key, value in config.items()}
    settings = parse({**given, "adminPassword": "hidden away"}, stack="prod", secret=("adminPassword",))
    assert settings.allow_hazards == ()
    assert not settings.allow_bucket_deletion
    assert (settings.on_unsupported, settings.s3_on_unsupported) == ("error", "error")
    assert settings.sslmode == "verify-full"


@pytest.mark.parametrize(("key", "value", "allowed"), [
    ("replicas", "five", "integer"),
    ("replicas", "9", "less than or equal to 8"),
    ("memory", "much", "a size such as 2GiB"),
    ("memory", "64MiB", "greater than or equal to"),
    ("target", "cloud", "'docker', 'host' or 'embedded'"),
    ("port", "80", "greater than or equal to 1024"),
    ("bindAddress", "everywhere", "IPv4 or IPv6"),
    ("database", "Life Companion", "pattern"),
    ("allowHazards", '["drops_everything"]', "drops_table"),
    ("parameters", "work_mem=5MB", "JSON"),
    ("seed", "perhaps", "boolean"),
    ("maxReplicaLag", "-1", "greater than or equal to 0"),
    ("seedUsers", "-3", "greater than or equal to 1"),
    ("seedInterval", "often", "integer"),
])
def test_wrong_value_names_the_key_the_value_and_the_allowed_ones(key: str, value: str, allowed: str) -> None:
    with pytest.raises(SettingsError) as error:
        parse({"target": "docker", key: value})
    line = str(error.value)
    assert "\n" not in line
    assert f"lifecompanion:{key}" in line
    assert repr(value) in line
    assert allowed in line


@pytest.mark.parametrize(("volume", "complaint"), [
    ({"seedDays": "2", "seedInterval": "200000"}, "seed interval: 200000 s is longer than 2 days"),
    ({"seedInterval": "1"}, "seed interval: 1 is not a whole number of at least 2"),
    ({"seedUsers": "2000000"}, "seed users: 2000000 is not a whole number of at most 1000000"),
])
def test_amounts_of_data_that_cannot_be_are_refused_in_one_line(volume: dict[str, str], complaint: str) -> None:
    with pytest.raises(SettingsError) as error:
        parse({"target": "docker", **volume})
    assert complaint in str(error.value)
    assert "\n" not in str(error.value)


def test_an_amount_that_is_not_given_is_the_specifications() -> None:
    assert parse({"target": "docker"}).seed_volume == {}
    assert parse({"target": "docker", "seedUsers": "0", "seedDays": "90"}).seed_volume == {"days": 90}


def test_unknown_key_names_those_that_are_known() -> None:
    with pytest.raises(SettingsError, match=r"lifecompanion:replica: no such key; known are: .*replicas"):
        parse({"target": "docker", "replica": "1"})


def test_every_wrong_key_has_a_line() -> None:
    with pytest.raises(SettingsError) as error:
        parse({"target": "docker", "replicas": "x", "seed": "perhaps", "nonsense": "z"})
    assert len(str(error.value).splitlines()) == 3


def test_keys_of_providers_are_not_ours_to_judge() -> None:
    assert parse_settings("dev", {"lifecompanion:target": "docker", "docker:host": "unix:///x"}).target == "docker"


def test_secret_in_plain_text_is_refused_and_not_repeated() -> None:
    with pytest.raises(SettingsError, match="found in plain text, required a secret") as error:
        parse({"target": "host", "host": "db", "adminPassword": "hunter2hunter2"})
    assert "hunter2" not in str(error.value)


def test_secret_shows_in_no_repr() -> None:
    settings = parse({"target": "host", "host": "db", "adminPassword": "hunter2hunter2"}, secret=("adminPassword",))
    assert settings.admin_password == SecretStr("hunter2hunter2")
    assert "hunter2" not in repr(settings)


def test_given_role_passwords_need_a_length() -> None:
    with pytest.raises(SettingsError, match=r"passwords: found a secret, required: .*12") as error:
        parse({"target": "docker", "passwords": '{"app": "short"}'}, secret=("passwords",))
    assert "short" not in str(error.value)


def test_what_does_not_fit_together_says_so() -> None:
    for config, words in (({"target": "host"}, "needs host and adminPassword"),
                         ({"target": "embedded", "replicas": "1"}, "replicas: found 1"),
                         ({"target": "docker", "port": "65530"}, "port: found 65530"),
                         ({"target": "docker", "s3": "aws"}, "needs bucket"),
                         ({"target": "docker", "s3": "compatible", "bucket": "abc"}, "needs s3Endpoint")):
        with pytest.raises(SettingsError, match=words):
            parse(config)


FULL, INCR, LOGICAL = ({"kind": kind, "cron": "0 1 * * *"} for kind in ("full", "incr", "logical"))
ABROAD = {"s3": "aws", "bucket": "backups-of-tests"}
HOST = {"target": "host", "host": "db.example", "adminPassword": "long-enough-password", **ABROAD}


@pytest.mark.parametrize(("config", "archives", "kinds"), [
    ({"target": "docker", **ABROAD}, True, {"full", "diff", "incr", "logical", "prune", "drill"}),
    ({"target": "docker", **ABROAD, "physicalBackups": "false"}, False, set()),
    ({"target": "docker", **ABROAD, "backupSchedule": [LOGICAL]}, False, {"logical"}),
    ({"target": "docker", "s3": "local"}, False, set()),
    ({"target": "docker", "s3": "local", "backupSchedule": [FULL, INCR]}, True, {"full", "incr"}),
    ({"target": "docker", "s3": "local", "physicalBackups": "true"}, True,
     {"full", "diff", "incr", "logical", "prune", "drill"}),
    ({"target": "docker", "s3": "none"}, False, set()),
    ({"target": "embedded", "s3": "local"}, False, set()),
    (HOST, False, set()),
    ({**HOST, "physicalBackups": "true"}, True, {"full", "diff", "incr", "logical", "prune", "drill"}),
])
def test_wal_is_archived_where_backups_are_worth_it_and_then_on_a_schedule(config: dict[str, Any], archives: bool,
                                                                           kinds: set[str]) -> None:
    values = {key: json.dumps(value) if key == "backupSchedule" else value for key, value in config.items()}
    settings = parse(values, secret=("adminPassword",))
    assert (settings.archives, {due.kind for due in settings.schedule}) == (archives, kinds)


@pytest.mark.parametrize(("config", "complaint"), [
    ({"target": "docker", "s3": "none", "physicalBackups": "true"}, "an s3 to keep them in"),
    ({"target": "embedded", "s3": "local", "physicalBackups": "true"}, "required target docker or host"),
    ({"target": "docker", "s3": "local", "physicalBackups": "true", "backupSchedule": [LOGICAL]}, "would pile up"),
    ({"target": "docker", "s3": "local", "backupSchedule": [INCR]}, "no full backup is in it"),
    ({"target": "docker", "s3": "local", "physicalBackups": "false", "backupSchedule": [FULL]}, "no WAL is archived"),
    ({**HOST, "backupSchedule": [FULL]}, "no WAL is archived; set physicalBackups: true"),
])
def test_wal_without_a_full_backup_and_a_full_backup_without_wal_are_refused(config: dict[str, Any], complaint: str
                                                                              ) -> None:
    values = {key: json.dumps(value) if key == "backupSchedule" else value for key, value in config.items()}
    with pytest.raises(SettingsError, match=complaint) as caught:
        parse(values, secret=("adminPassword",))
    assert "\n" not in str(caught.value)


def test_stacks_without_a_port_stand_side_by_side() -> None:
    ports = {parse({"target": "docker"}, stack=f"test-{number}").primary_port for number in range(30)}
    assert len(ports) > 25
    one = parse({"target": "docker"}, stack="test-1")
    assert len({one.primary_port, *(one.replica_port(number) for number in range(1, 9)), one.s3_port}) == 10


def _delivered(value: Any) -> str:
    """Config values as Pulumi hands them to a program: text, lists and objects as JSON."""
    import json

    if isinstance(value, list | dict):
        return json.dumps(value)
    return str(value).lower() if isinstance(value, bool) else str(value)
