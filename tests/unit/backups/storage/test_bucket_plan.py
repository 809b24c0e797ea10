"""The plan for a backup bucket, and the words of its refusals; no server."""

from __future__ import annotations

from dataclasses import replace

import pytest
from botocore.exceptions import ClientError, NoCredentialsError
from hypothesis import given
from hypothesis import strategies as st

from backups.errors import BucketError, S3Error
from backups.storage.bucket import BucketSpec, BucketState, S3Login, list_unsupported, plan_bucket
from backups.storage.client import explain_errors
from backups.storage.protections import ABORT, EXPIRE, NONCURRENT, PROTECTIONS, lifecycle_rule

SPEC = BucketSpec("backups-of-dev", tags={"stack": "dev"})
AS_DECLARED = BucketState("backups-of-dev", "us-east-1", SPEC.protections())
LOGIN = S3Login(region="eu-central-1", access_key="AKIDEXAMPLE", secret_key="very-secret-word")


def refusal(code: str, **more: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no", **more},
                        "ResponseMetadata": {"HTTPStatusCode": 403, "HTTPHeaders": {}}}, "PutObject")


def test_a_bucket_that_is_as_declared_plans_nothing() -> None:
    assert plan_bucket(SPEC, AS_DECLARED) == []


def test_an_absent_bucket_plans_its_creation_first_and_then_every_protection() -> None:
    assert [change.key for change in plan_bucket(replace(SPEC, lock_days=30), None)] == [
        "bucket", *(p.key for p in PROTECTIONS)]


@pytest.mark.parametrize(("key", "live", "words"), [
    ("versioning", False, "versioning: off -> on"),
    ("encryption", "none", "default encryption: none -> AES256"),
    ("block_public_access", False, "public access block: off -> on"),
    ("tls_only", False, "TLS-only policy: off -> on"),
    ("ownership", "ObjectWriter", "object ownership: ObjectWriter -> BucketOwnerEnforced"),
    ("tags", {"stack": "prod", "team": "theirs"}, "tags: stack prod -> stack dev"),
])
def test_each_property_that_differs_is_planned_alone(key: str, live: object, words: str) -> None:
    state = replace(AS_DECLARED, protections={**AS_DECLARED.protections, key: live})
    assert [str(change) for change in plan_bucket(SPEC, state)] == [words]


def test_a_lifecycle_rule_that_is_gone_is_planned() -> None:
    state = replace(AS_DECLARED, protections={**AS_DECLARED.protections, ABORT: {}})
    assert [str(change) for change in plan_bucket(SPEC, state)] == [
        "lifecycle: abort stale uploads: none -> days 7, prefix backups/"]


def test_tags_of_others_are_no_difference() -> None:
    tags = {"stack": "dev", "cost-centre": "of others"}
    assert plan_bucket(SPEC, replace(AS_DECLARED, protections={**AS_DECLARED.protections, "tags": tags})) == []


def test_what_is_left_to_the_server_is_not_planned() -> None:
    lax = replace(SPEC, encryption=None, ownership=None, block_public_access=None)
    state = replace(AS_DECLARED, protections={**AS_DECLARED.protections, "encryption": "aws:kms", "ownership": "none",
                                              "block_public_access": False})
    assert plan_bucket(lax, state) == []


def test_what_the_server_does_not_have_is_named_and_not_planned() -> None:
    state = BucketState("backups-of-dev", "us-east-1", {**SPEC.protections()}, frozenset({"encryption", ABORT}))
    assert plan_bucket(SPEC, state) == []
    assert list_unsupported(SPEC, state.unsupported) == [
        "default encryption: not implemented by this server",
        "lifecycle: abort stale uploads: not implemented by this server"]
    assert list_unsupported(replace(SPEC, encryption=None), frozenset({"encryption"})) == []


days = st.none() | st.integers(1, 3650)


@given(expire=days, noncurrent=days, abort=days, kms=st.booleans(), versioning=st.none() | st.booleans(),
       tags=st.dictionaries(st.text(min_size=1), st.text(), max_size=3))
def test_a_spec_survives_the_journey_through_pulumi(
        expire: int | None, noncurrent: int | None, abort: int | None, kms: bool, versioning: bool | None,
        tags: dict[str, str]) -> None:
    spec = BucketSpec("abc", versioning=versioning, encryption="aws:kms" if kms else None, kms_key="k" if kms else None,
                      expire_days=expire, noncurrent_days=noncurrent, abort_uploads_days=abort, tags=tags)
    carried = spec.protections()
    for key in (EXPIRE, NONCURRENT, ABORT):
        carried[key] = {part: float(x) if part == "days" else x for part, x in carried[key].items()}
    assert BucketSpec.from_protections("abc", carried).protections() == spec.protections()


def test_lifecycle_rules_touch_only_what_lies_under_the_prefix() -> None:
    for key in (EXPIRE, NONCURRENT, ABORT):
        assert lifecycle_rule(key, SPEC.protections()[key])["Filter"] == {"Prefix": "backups/"}


@pytest.mark.parametrize("name", ["ab", "Upper", "under_score", "-dash", "a" * 64])
def test_a_name_that_is_no_bucket_name_is_refused(name: str) -> None:
    with pytest.raises(BucketError, match=f"^bucket {name}: not a bucket name"):
        BucketSpec(name)


def test_days_below_one_are_refused() -> None:
    with pytest.raises(BucketError, match="expire_days found 0, required at least 1"):
        replace(SPEC, expire_days=0)


@pytest.mark.parametrize(("code", "words"), [
    ("SignatureDoesNotMatch", "login with access key AKIDEXAMPLE refused"),
    ("ExpiredToken", "the credentials have expired"),
    ("RequestTimeTooSkewed", "clock differs"),
    ("AccessDenied", "may not set the tags"),
    ("SlowDown", "cannot set the tags: SlowDown"),
])
def test_every_refusal_is_one_line_with_a_remedy_and_without_the_secret(code: str, words: str) -> None:
    with pytest.raises(S3Error) as caught, explain_errors(LOGIN, "set the tags"):
        raise refusal(code)
    assert words in str(caught.value)
    assert "; " in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_wrong_region_names_the_right_one() -> None:
    with pytest.raises(S3Error, match="region found eu-central-1, required us-west-2"), explain_errors(LOGIN, "look"):
        raise refusal("AuthorizationHeaderMalformed", Region="us-west-2")


def test_missing_credentials_are_one_line() -> None:
    with pytest.raises(S3Error, match="no complete credentials"), explain_errors(LOGIN, "look"):
        raise NoCredentialsError


def test_the_secret_is_in_no_text_of_the_login_nor_of_an_error_that_repeats_it() -> None:
    assert "very-secret-word" not in f"{LOGIN} {LOGIN!r}"
    with pytest.raises(S3Error) as caught, explain_errors(LOGIN, "look"):
        raise ValueError("bad value very-secret-word")
    assert "very-secret-word" not in str(caught.value)


def test_a_ca_file_that_is_not_there_is_one_line() -> None:
    with pytest.raises(S3Error, match=r"CA file no-such\.pem is not there; put"):
        replace(LOGIN, ca_file="no-such.pem").client()
