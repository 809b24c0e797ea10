"""A stack made of a recovered server: which part of the source's state and settings it begins with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from backups.errors import RestoreError
from infra.automation import recovered_stack

STACK = "urn:pulumi:dev::lifecompanion::pulumi:pulumi:Stack::lifecompanion-dev"
SERVER = "urn:pulumi:dev::lifecompanion::pulumi:providers:postgresql::server"
VOLUME = "urn:pulumi:dev::lifecompanion::docker:index/volume:Volume::primary-data"
OWNER = "urn:pulumi:dev::lifecompanion::postgresql:index/role:Role::role-owner"
SLOT = "urn:pulumi:dev::lifecompanion::postgresql:index/physicalReplicationSlot:PhysicalReplicationSlot::replica-1-slot"
ROOT_LOGIN = "urn:pulumi:dev::lifecompanion::pulumi-python:dynamic/access:Password::s3-root-password"
TABLE = "urn:pulumi:dev::lifecompanion::pulumi-python:dynamic/schema:Table::users"


def resource(urn: str, **more: Any) -> dict[str, Any]:
    return {"urn": urn, "type": urn.split("::")[2], **more}


DEPLOYMENT = {"manifest": {"version": "v3"}, "pending_operations": [{"type": "creating"}], "resources": [
    resource(STACK), resource(VOLUME, parent=STACK), resource(SERVER, parent=STACK, id="1"),
    resource(OWNER, parent=STACK, provider=f"{SERVER}::1", deletedWith=VOLUME, dependencies=[VOLUME]),
    resource(SLOT, parent=STACK), resource(ROOT_LOGIN, parent=STACK),
    resource(TABLE, parent=STACK, dependencies=[VOLUME, OWNER], inputs={"name": "users of dev::lifecompanion"},
             propertyDependencies={"connection": [OWNER, VOLUME]})]}


def test_only_what_lives_inside_the_server_is_taken_over() -> None:
    moved = recovered_stack.move_state(DEPLOYMENT, "dev", "again")
    kept = [item["urn"].rsplit("::", 1)[1] for item in moved["resources"]]
    assert kept == ["lifecompanion-again", "server", "role-owner", "users"]
    assert "pending_operations" not in moved


def test_a_resource_names_nothing_that_stayed_behind() -> None:
    moved = {item["urn"].rsplit("::", 1)[1]: item for item in
             recovered_stack.move_state(DEPLOYMENT, "dev", "again")["resources"]}
    owner, table = moved["role-owner"], moved["users"]
    assert owner["provider"] == f"{SERVER.replace(':dev::', ':again::')}::1"
    assert "deletedWith" not in owner
    assert owner["dependencies"] == []
    assert table["dependencies"] == [owner["urn"]]
    assert table["propertyDependencies"] == {"connection": [owner["urn"]]}
    assert table["parent"] == "urn:pulumi:again::lifecompanion::pulumi:pulumi:Stack::lifecompanion-again"
    assert table["inputs"] == {"name": "users of dev::lifecompanion"}


def test_the_components_of_a_stack_are_taken_over_with_their_resources() -> None:
    part = "urn:pulumi:dev::lifecompanion::lifecompanion:index:Access::access"
    owner = "urn:pulumi:dev::lifecompanion::lifecompanion:index:Access$postgresql:index/role:Role::role-owner"
    grouped = {"resources": [
        resource(STACK), resource(SERVER, parent=STACK, id="1"), resource(part, parent=STACK),
        {**resource(owner, parent=part, provider=f"{SERVER}::1"), "type": "postgresql:index/role:Role"}]}
    taken = recovered_stack.move_state(grouped, "dev", "again")["resources"]
    assert [resource["urn"] for resource in taken[2:]] == [urn.replace(":dev::", ":again::") for urn in (part, owner)]
    assert taken[3]["parent"] == taken[2]["urn"]


def write(folder: Path, **config: Any) -> None:
    (folder / "Pulumi.dev.yaml").write_text(yaml.safe_dump(
        {"config": {f"lifecompanion:{key}": value for key, value in config.items()}}))


def test_the_new_stacks_settings_are_the_sources_with_ports_and_a_bucket_of_its_own(tmp_path: Path) -> None:
    write(tmp_path, target="docker", port=54320, s3="aws", bucket="backups", memory="1GiB",
          s3SecretKey={"secure": "v1:abc"}, passwords={"owner": {"secure": "v1:abc"}},
          parameters='{"work_mem": "8MB"}')
    settings = recovered_stack._new_settings("dev", "again", tmp_path)
    assert settings.pop("port") != 54320
    assert settings == {"target": "docker", "s3": "aws", "bucket": "backups-again", "memory": "1GiB",
                     "parameters": {"work_mem": "8MB", "timescaledb.max_background_workers": "0"}}


def test_a_bucket_keeps_to_the_length_that_s3_allows(tmp_path: Path) -> None:
    write(tmp_path, target="docker", s3="aws", bucket="b" * 63)
    assert len(recovered_stack._new_settings("dev", "again", tmp_path)["bucket"]) == 63


@pytest.mark.parametrize("name", ["two words", "../dev", "-x", "a" * 62])
def test_what_is_no_name_for_a_stack_is_one_line(tmp_path: Path, name: str) -> None:
    write(tmp_path, target="docker", s3="local")
    with pytest.raises(RestoreError, match="not a name for a stack") as caught:
        recovered_stack._new_settings("dev", name, tmp_path)
    assert "\n" not in str(caught.value)


def test_a_server_that_is_not_the_stacks_own_is_refused(tmp_path: Path) -> None:
    write(tmp_path, target="host", host="db.example.org")
    with pytest.raises(RestoreError, match="--container NAME"):
        recovered_stack._new_settings("dev", "again", tmp_path)


def test_a_name_that_has_a_stack_file_is_refused(tmp_path: Path) -> None:
    write(tmp_path, target="docker")
    with pytest.raises(RestoreError, match=r"Pulumi\.dev\.yaml is there already"):
        recovered_stack._new_settings("dev", "dev", tmp_path)
