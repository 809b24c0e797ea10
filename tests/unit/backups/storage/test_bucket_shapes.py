"""The shape of the calls that the local S3 server does not have: moto checks it, and is trusted for nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from moto import mock_aws

from backups.storage.bucket import BucketSpec, S3Login, ensure_bucket, plan_bucket, read_bucket
from backups.storage.protections import TLS_ONLY

LOGIN = S3Login(region="eu-central-1", access_key="testing", secret_key="testing")
SPEC = BucketSpec("backups-of-prod", tags={"stack": "prod"})


@pytest.fixture
def client() -> Iterator[Any]:
    with mock_aws():
        yield LOGIN.client()


def test_second_ensure_changes_nothing(client: Any) -> None:
    first = ensure_bucket(LOGIN, SPEC)
    assert first.changes[0].key == "bucket"
    assert first.state.protections == SPEC.protections()
    assert first.left_out == []
    assert ensure_bucket(LOGIN, SPEC).changes == ()


def test_lifecycle_as_aws_stores_it(client: Any) -> None:
    ensure_bucket(LOGIN, SPEC)
    rules = {rule["ID"]: rule for rule in client.get_bucket_lifecycle_configuration(Bucket=SPEC.name)["Rules"]}
    assert len(rules) == 3
    assert rules["lifecompanion-expire_backups"]["Expiration"] == {"Days": 365}
    assert rules["lifecompanion-expire_noncurrent_versions"]["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}
    assert rules["lifecompanion-abort_stale_uploads"]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}


@pytest.mark.parametrize(("change", "key", "value"), [
    ({"expire_days": 30}, "expire_backups", None),
    ({"encryption": "aws:kms", "kms_key": "alias/backups"}, "encryption", "aws:kms alias/backups"),
    ({"block_public_access": False}, "block_public_access", False),
    ({"abort_uploads_days": None}, "abort_stale_uploads", {}),
])
def test_a_changed_declaration_changes_that_property_alone(
        client: Any, change: dict[str, Any], key: str, value: object) -> None:
    ensure_bucket(LOGIN, SPEC)
    changed = replace(SPEC, **change)
    done = ensure_bucket(LOGIN, changed)
    assert [change.key for change in done.changes] == [key]
    assert done.state.protections[key] == (changed.protections()[key] if value is None else value)


def test_a_narrowed_tls_only_statement_is_detected_and_restored(client: Any) -> None:
    ensure_bucket(LOGIN, SPEC)
    policy = json.loads(client.get_bucket_policy(Bucket=SPEC.name)["Policy"])
    for statement in policy["Statement"]:
        statement["Condition"]["Bool"]["aws:PrincipalIsAWSService"] = "true"
    client.put_bucket_policy(Bucket=SPEC.name, Policy=json.dumps(policy))
    assert [change.key for change in ensure_bucket(LOGIN, SPEC).changes] == ["tls_only"]
    assert ensure_bucket(LOGIN, SPEC).changes == ()


def test_drift_of_the_calls_that_the_local_server_lacks_is_seen_and_repaired(client: Any) -> None:
    ensure_bucket(LOGIN, SPEC)
    client.delete_bucket_encryption(Bucket=SPEC.name)
    client.put_public_access_block(Bucket=SPEC.name, PublicAccessBlockConfiguration={"BlockPublicAcls": True})
    client.delete_bucket_lifecycle(Bucket=SPEC.name)
    assert {c.key for c in plan_bucket(SPEC, read_bucket(LOGIN, SPEC.name))} >= {
        "block_public_access", "expire_backups", "expire_noncurrent_versions", "abort_stale_uploads"}
    ensure_bucket(LOGIN, SPEC)
    assert plan_bucket(SPEC, read_bucket(LOGIN, SPEC.name)) == []


def test_a_rule_of_ours_that_somebody_switched_off_is_drift(client: Any) -> None:
    ensure_bucket(LOGIN, SPEC)
    rules = client.get_bucket_lifecycle_configuration(Bucket=SPEC.name)["Rules"]
    for rule in rules:
        rule["Status"] = "Disabled"
    client.put_bucket_lifecycle_configuration(Bucket=SPEC.name, LifecycleConfiguration={"Rules": rules})
    assert [change.key for change in ensure_bucket(LOGIN, SPEC).changes] == [
        "expire_backups", "expire_noncurrent_versions", "abort_stale_uploads"]


def test_rules_and_statements_of_others_are_kept(client: Any) -> None:
    client.create_bucket(Bucket=SPEC.name, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    client.put_bucket_lifecycle_configuration(Bucket=SPEC.name, LifecycleConfiguration={"Rules": [
        {"ID": "theirs", "Status": "Enabled", "Filter": {"Prefix": "logs/"}, "Expiration": {"Days": 3}}]})
    arn = f"arn:aws:s3:::{SPEC.name}/*"
    client.put_bucket_policy(Bucket=SPEC.name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Sid": "Theirs", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
         "Action": "s3:GetObject", "Resource": arn}]}))
    ensure_bucket(LOGIN, SPEC)
    assert len(client.get_bucket_lifecycle_configuration(Bucket=SPEC.name)["Rules"]) == 4
    statements = json.loads(client.get_bucket_policy(Bucket=SPEC.name)["Policy"])["Statement"]
    assert [statement["Sid"] for statement in statements] == ["Theirs", TLS_ONLY]
    none = replace(SPEC, tls_only=False, expire_days=None, noncurrent_days=None, abort_uploads_days=None)
    ensure_bucket(LOGIN, none)
    assert [r["ID"] for r in client.get_bucket_lifecycle_configuration(Bucket=SPEC.name)["Rules"]] == ["theirs"]
    assert len(json.loads(client.get_bucket_policy(Bucket=SPEC.name)["Policy"])["Statement"]) == 1


def test_a_bucket_in_another_region_names_that_region(client: Any) -> None:
    ensure_bucket(LOGIN, SPEC)
    with pytest.raises(Exception, match="region found eu-central-1, required us-east-2"):
        read_bucket(replace(LOGIN, region="us-east-2"), SPEC.name)
