"""The providers of bucket, S3 server and certificate, called as Pulumi calls them, on a real S3 server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID
from pulumi.runtime.rpc import UNKNOWN

from backups.errors import BucketError, S3UnreachableError, UnsupportedError
from backups.storage.bucket import BucketSpec
from infra.local.processes import free_port
from infra.local.s3_server import stop_s3_server
from infra.program.storage import runner_policy
from infra.providers.storage import BucketProvider, CertificateProvider, GatewayProvider
from tests.support.running.s3_servers import S3Server, seaweedfs

SPEC = BucketSpec("backups-of-a-stack", tags={"stack": "dev"})


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with seaweedfs(tmp_path_factory.mktemp("s3")) as running:
        yield running


@pytest.fixture
def inputs(server: S3Server) -> dict[str, Any]:
    """The resource's inputs with numbers as Pulumi hands them over."""
    floats = json.loads(json.dumps(SPEC.protections()), parse_int=float)
    return {**floats, "bucket": SPEC.name, "login": server.login.to_dict(), "on_unsupported": "warn",
            "allow_with_backups": False, "server_is_ours": False}


def previewed(inputs: dict[str, Any]) -> dict[str, Any]:
    """What a preview makes of the inputs: `plan` is among them."""
    return BucketProvider().check({}, {**inputs, "preview": True}).inputs


def checked(inputs: dict[str, Any]) -> dict[str, Any]:
    """What an update makes of the inputs."""
    return BucketProvider().check({}, inputs).inputs


def test_a_bucket_is_created_unchanged_shows_drift_and_is_deleted(
        server: S3Server, inputs: dict[str, Any]) -> None:
    provider = BucketProvider()
    assert previewed(inputs)["plan"][0] == f"bucket {SPEC.name}: absent -> present"
    created = provider.create(checked(inputs)).outs
    assert "plan" not in created
    assert not provider.diff(SPEC.name, created, previewed(inputs)).changes
    assert not provider.diff(SPEC.name, created, checked(inputs)).changes
    assert provider.read(SPEC.name, created).outs == created

    server.login.client().put_bucket_versioning(Bucket=SPEC.name, VersioningConfiguration={"Status": "Suspended"})
    again = checked(inputs)
    assert previewed(inputs)["plan"] == ["versioning: off -> on"]
    assert provider.diff(SPEC.name, created, previewed(inputs)).changes
    assert provider.diff(SPEC.name, created, again).changes
    refreshed = provider.read(SPEC.name, created).outs
    assert {key for key in created if refreshed[key] != created[key]} == {"versioning"}
    assert provider.update(SPEC.name, refreshed, again).outs == created

    server.login.client().put_object(Bucket=SPEC.name, Key="backups/one", Body=b"x")
    with pytest.raises(BucketError, match="it holds backups"):
        provider.delete(SPEC.name, created)
    provider.delete(SPEC.name, {**created, "allow_with_backups": True})
    assert provider.read(SPEC.name, created).id == ""


def test_the_secret_stays_where_it_came_in(server: S3Server, inputs: dict[str, Any]) -> None:
    created = BucketProvider().create(checked(inputs)).outs
    secret = inputs["login"]["secret_key"]
    assert secret not in json.dumps({key: value for key, value in created.items() if key != "login"})
    BucketProvider().delete(SPEC.name, created)


def test_a_protection_that_the_server_lacks_fails_where_the_stack_says_so(inputs: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedError, match="public access block: not implemented by this server"):
        BucketProvider().create(checked({**inputs, "on_unsupported": "error"}))
    BucketProvider().delete(SPEC.name, inputs)


def test_a_login_that_is_not_known_yet_is_planned_for_as_an_empty_server(inputs: dict[str, Any]) -> None:
    plan = previewed({**inputs, "login": {**inputs["login"], "secret_key": UNKNOWN}})["plan"]
    assert plan[0] == f"bucket {SPEC.name}: absent -> present"


def test_refresh_of_a_server_that_is_down_is_one_line_and_of_one_of_ours_no_failure(
        server: S3Server, inputs: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    down = replace(server.login, endpoint=f"https://localhost:{free_port()}").to_dict()
    with pytest.raises(S3UnreachableError, match="does not answer"):
        BucketProvider().read(SPEC.name, {**inputs, "login": down})
    ours = {**inputs, "login": down, "server_is_ours": True}
    assert BucketProvider().read(SPEC.name, ours).outs == ours
    assert "does not answer" in capsys.readouterr().err


def test_another_name_replaces_the_bucket(inputs: dict[str, Any]) -> None:
    olds = {**inputs, "left_out": []}
    assert BucketProvider().diff(SPEC.name, olds, {**inputs, "bucket": "other"}).replaces == ["bucket"]


@pytest.fixture
def certificate(tmp_path: Path) -> dict[str, Any]:
    return CertificateProvider().create(
        {"names": ["localhost", "127.0.0.1"], "ca_file": str(tmp_path / "ca.pem"), "days": 730.0}).outs


def test_a_lost_ca_file_is_written_anew_and_the_certificate_stays(certificate: dict[str, Any]) -> None:
    provider = CertificateProvider()
    inputs = {key: certificate[key] for key in ("names", "ca_file", "days")}
    assert not provider.diff("localhost", certificate, inputs).changes
    Path(certificate["ca_file"]).unlink()
    assert provider.diff("localhost", certificate, inputs).changes
    assert provider.update("localhost", certificate, inputs).outs == certificate
    assert Path(certificate["ca_file"]).read_text() == certificate["ca_pem"]


def test_a_certificate_near_its_end_is_issued_anew(certificate: dict[str, Any]) -> None:
    inputs = {key: certificate[key] for key in ("names", "ca_file", "days")}
    old = {**certificate, "not_after": "2026-01-01T00:00:00+00:00"}
    assert CertificateProvider().diff("localhost", old, inputs).changes
    renewed = CertificateProvider().update("localhost", old, inputs).outs
    assert renewed["ca_pem"] != old["ca_pem"]


def test_a_certificate_of_an_earlier_release_is_issued_anew(
        certificate: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = {key: certificate[key] for key in ("names", "ca_file", "days")}
    with monkeypatch.context() as patch:
        patch.setattr("infra.handlers.certificate.USAGES", (ExtendedKeyUsageOID.SERVER_AUTH,))
        old = CertificateProvider().create(inputs).outs
    assert CertificateProvider().diff("localhost", old, inputs).changes
    renewed = CertificateProvider().update("localhost", old, inputs).outs
    assert renewed["cert_pem"] != old["cert_pem"]
    assert not CertificateProvider().diff("localhost", renewed, inputs).changes


def test_a_server_that_has_ended_is_started_again_and_its_deletion_leaves_nothing(
        server: S3Server, certificate: dict[str, Any], tmp_path: Path) -> None:
    provider = GatewayProvider()
    inputs = {"folder": str(tmp_path / "server"), "port": float(free_port()), "region": "us-east-1",
              "access_key": "root", "secret_key": "a-secret-of-tests-only",
              **{key: certificate[key] for key in ("ca_pem", "cert_pem", "key_pem")}}
    created = provider.create(inputs).outs
    try:
        assert not provider.diff("s3", created, inputs).changes
        stop_s3_server(Path(inputs["folder"]))
        assert provider.read("s3", created).outs["running"] is False
        assert provider.diff("s3", created, inputs).changes
        assert provider.update("s3", created, inputs).outs["running"] is True
    finally:
        provider.delete("s3", created)
    assert not (tmp_path / "server").exists()


def test_the_runners_policy_lets_it_put_and_read_and_never_destroy() -> None:
    statements = json.loads(runner_policy(SPEC))["Statement"]
    allowed = {action for s in statements if s["Effect"] == "Allow" for action in s["Action"]}
    denied = {action for s in statements if s["Effect"] == "Deny" for action in s["Action"]}
    assert {"s3:PutObject", "s3:GetObject", "s3:ListBucket"} <= allowed
    assert {"s3:DeleteObject", "s3:DeleteObjectVersion", "s3:PutBucketVersioning"} <= denied
    assert [action for action in allowed if "Delete" in action or "*" in action] == ["s3:DeleteObject"]
    (hides,) = [s for s in statements if s["Effect"] == "Allow" and "s3:DeleteObject" in s["Action"]]
    assert hides["Resource"] == "arn:aws:s3:::backups-of-a-stack/backups/*/physical/backup/*"
    unversioned = json.loads(runner_policy(replace(SPEC, versioning=None)))["Statement"]
    assert not [s for s in unversioned if s["Effect"] == "Allow" and "Delete" in str(s["Action"])]
    writes = next(s for s in statements if "s3:PutObject" in s["Action"])
    assert writes["Resource"] == "arn:aws:s3:::backups-of-a-stack/backups/*"
