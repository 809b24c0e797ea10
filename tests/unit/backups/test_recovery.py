"""What a recovery refuses before it asks anybody."""

from __future__ import annotations

from typing import Any

import pytest

from backups.config import BackupConfig
from backups.errors import RestoreError
from backups.physical.point_in_time import recover

LEAST = {"bucket": "b", "keys": ["k" * 43], "name": "shop"}


@pytest.mark.parametrize("endpoint", ["https://localhost:9000", "https://127.0.0.1", "https://[::1]:9000"])
def test_an_s3_server_that_no_container_reaches_is_one_line(endpoint: str) -> None:
    config = BackupConfig.from_dict({**LEAST, "s3": {"endpoint": endpoint, "secret_key": "s3cr3t"}}, "x")
    with pytest.raises(RestoreError, match="required one that both reach") as caught:
        recover(config, "again")
    assert "\n" not in str(caught.value)
    assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize(("s3", "more"), [
    ({"endpoint": "https://s3.example.org"}, {}), ({}, {}), ({"endpoint": "https://localhosts.example.org"}, {}),
    ({"endpoint": "https://localhost:9000"}, {"physical": {"endpoint": "https://s3:7070"}})])
def test_any_other_s3_server_may_be_tried(s3: dict[str, Any], more: dict[str, Any]) -> None:
    with pytest.raises(RestoreError, match="no image with PostgreSQL and pgBackRest is known"):
        recover(BackupConfig.from_dict({**LEAST, "s3": s3, **more}, "x"), "again")
