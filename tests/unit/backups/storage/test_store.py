"""How long a bucket is asked for, and what a refusal is called."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from backups.errors import S3Error, S3UnreachableError
from backups.storage import object_store as stores
from backups.storage.client import S3Login
from backups.storage.object_store import Store

LOGIN = S3Login(endpoint="https://localhost:1", access_key="a", secret_key="s3cr3t")


def refuse() -> Any:
    raise EndpointConnectionError(endpoint_url="https://localhost:1")


def test_a_server_that_never_answered_is_given_up_long_before_one_that_went_away(
        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "FIRST_SECONDS", 0.1)
    asked = 0

    def come_back() -> str:
        nonlocal asked
        asked += 1
        return "here" if asked > 3 else refuse()
    with pytest.raises(S3UnreachableError, match="does not answer"):
        Store(LOGIN, "b").call("list", refuse)
    store = Store(LOGIN, "b")
    assert store.call("list", lambda: "here") == "here"
    assert (store.call("list", come_back), asked) == ("here", 4)


def test_a_missing_bucket_is_an_error_with_a_remedy() -> None:
    def missing() -> Any:
        raise ClientError({"Error": {"Code": "NoSuchBucket"}, "ResponseMetadata": {"HTTPStatusCode": 404}},  # type: ignore[typeddict-item]
                          "ListObjectsV2")
    with pytest.raises(S3Error, match=r"cannot list in bucket b: the bucket is not there; bring up the stack") as error:
        Store(LOGIN, "b").call("list", missing)
    assert "\n" not in str(error.value)
    assert "s3cr3t" not in str(error.value)
