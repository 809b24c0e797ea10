"""What is due, in whichever time zone, and once however many runs were missed."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from backups.config import BackupConfig, Due
from backups.errors import BackupError
from backups.schedule import is_due, last_due, next_due, notify

NIGHTLY = Due(kind="logical", cron="15 2 * * *", timezone="Europe/Berlin")
KEY = "a-key-of-tests-that-is-long-enough"
LEAST = {"bucket": "b", "s3": {}, "keys": [KEY], "name": "db"}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_the_hour_is_that_of_the_time_zone_in_summer_and_in_winter() -> None:
    assert last_due(NIGHTLY, at("2026-11-25 12:00")) == at("2026-11-25 01:15")
    assert last_due(NIGHTLY, at("2026-07-25 12:00")) == at("2026-07-25 00:15")
    assert last_due(NIGHTLY, at("2026-11-25 01:15")) == at("2026-11-25 01:15")
    assert next_due(NIGHTLY, at("2026-11-25 12:00")) == at("2026-11-26 01:15")


def test_the_hour_that_summer_time_skips_is_not_lost() -> None:
    skipped = Due(kind="logical", cron="30 2 * * *", timezone="Europe/Berlin")
    found = last_due(skipped, at("2026-03-29 12:00"))
    assert found is not None
    assert found > at("2026-03-29 00:00")


def test_a_missed_run_is_due_once_and_no_run_before_its_time() -> None:
    now = at("2026-11-25 12:00")
    assert is_due(NIGHTLY, None, now)
    assert is_due(NIGHTLY, now - timedelta(days=5), now)
    assert not is_due(NIGHTLY, at("2026-11-25 01:15") + timedelta(seconds=1), now)


@pytest.mark.parametrize(("change", "words"), [
    ({"schedule": [{"kind": "logical", "cron": "whenever"}]}, "schedule.0.cron: .*five fields"),
    ({"schedule": [{"kind": "logical", "cron": "* * * * *", "timezone": "Mars"}]}, "time zone such as"),
    ({"retention": {"daily": 0}}, r"retention\.daily"),
    ({"colour": 1}, "colour"),
])
def test_wrong_settings_are_one_line_that_names_the_key(change: dict[str, object], words: str) -> None:
    with pytest.raises(BackupError, match=words) as caught:
        BackupConfig.from_dict({**LEAST, **change}, "settings")
    assert KEY not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_settings_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "backup.json"
    file.write_text(json.dumps(LEAST))
    file.chmod(0o644)
    with pytest.raises(BackupError, match="found mode 644, required 600"):
        BackupConfig.from_file(file)
    file.chmod(0o600)
    assert BackupConfig.from_file(file).database_name() == "db"
    assert KEY not in repr(BackupConfig.from_file(file))


def test_the_webhook_is_told_and_a_dead_one_stops_nothing() -> None:
    heard = []

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Listener) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}/token-in-the-path"
        notify(BackupConfig.from_dict({**LEAST, "webhook": url}, "x"), {"ok": False}, heard.append)
        thread.join()
    assert heard == [{"ok": False}]
    said: list[str] = []
    notify(BackupConfig.from_dict({**LEAST, "webhook": url}, "x"), {"ok": True}, said.append)
    assert len(said) == 1
    assert "token" not in said[0]
