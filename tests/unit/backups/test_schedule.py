"""What is due, in whichever time zone, and once however many runs were missed."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from backups import schedule
from backups.config import BackupConfig, Due
from backups.errors import BackupError, NotProvenError
from backups.monitoring.status import physical_status
from backups.physical.catalog import PhysicalEntry
from backups.schedule import is_due, last_due, next_due, notify
from backups.storage.object_store import Store

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
    moment = last_due(skipped, at("2026-03-29 12:00"))
    assert moment is not None
    assert moment > at("2026-03-29 00:00")


@pytest.mark.parametrize(("cron", "timezone"), [("15 2 * * *", "Europe/Berlin"), ("30 1 * * *", "America/New_York"),
                                                ("30 */4 * * *", "Australia/Lord_Howe")])
def test_what_is_due_stays_due_while_summer_time_ends(cron: str, timezone: str) -> None:
    due = Due(kind="logical", cron=cron, timezone=timezone)
    for day in ("2026-10-02", "2026-10-24", "2026-10-31"):
        last, now = next_due(due, at(f"{day} 00:00")), at(f"{day} 00:00")
        while now < at(f"{day} 00:00") + timedelta(days=2):
            now += timedelta(minutes=5)
            last = following if (following := next_due(due, last)) <= now else last
            assert now < last or last_due(due, now) == last, now


def serve(ticks: list[datetime], monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """Keep the schedule while the clock says this; the moments at which the bucket was asked."""
    asked, clock = list[datetime](), iter(ticks)

    def run_due(_config: object, _say: object, now: datetime) -> tuple[list[str], list[str]]:
        asked.append(now)
        return [], []
    monkeypatch.setattr(schedule, "_run_due", run_due)
    config = BackupConfig.from_dict({**LEAST, "schedule": [NIGHTLY.model_dump()]}, "x")
    schedule.serve_schedule(config, lambda _: None, tick_seconds=0, clock=lambda: next(clock),
                            until=lambda: clock.__length_hint__() == 0)
    return asked


@pytest.mark.parametrize(("kind", "looks"), [("drill", 2), ("incr", 0)])
def test_a_drill_that_fails_keeps_nobody_from_looking_after_the_recovery_time(
        monkeypatch: pytest.MonkeyPatch, kind: str, looks: int) -> None:
    seen = list[object]()
    monkeypatch.setattr(schedule, "_run_due", lambda *_: ([kind], []))
    monkeypatch.setattr(schedule, "keep_target", lambda *_: seen.append(1))
    monkeypatch.setattr(schedule, "LOOK_SECONDS", 0.0)
    turns = iter([False, False, True])
    schedule.serve_schedule(BackupConfig.from_dict(LEAST, "x"), lambda _: None, tick_seconds=0,
                            until=lambda: next(turns))
    assert len(seen) == looks


def test_a_clock_that_is_set_back_stops_no_schedule(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong, right = at("2031-01-01 12:00"), at("2026-11-25 12:00")
    minutes = [right + timedelta(minutes=n) for n in range(3)]
    assert serve([wrong, wrong, *minutes, right + timedelta(days=1)], monkeypatch) == [
        wrong, right, right + timedelta(days=1)]


def test_backups_and_marks_of_the_future_stand_in_for_none_of_today(monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime.now(UTC)
    far, near = now + timedelta(days=900), now - timedelta(days=2)
    keys = [(f"db/runs/prune/{moment:%Y%m%dT%H%M%SZ}", 0) for moment in (near, far)]
    store = cast(Store, SimpleNamespace(objects=lambda _: keys))
    last_run = schedule.read_last_run(store, "db", Due(kind="prune", cron="45 3 * * *"), ())
    assert last_run == near.replace(microsecond=0)
    entries = [PhysicalEntry(f"{moment:%Y%m%d-%H%M%S}F", "db", None, now, None) for moment in (near, far)]
    assert schedule.read_last_run(store, "db", Due(kind="full", cron="45 3 * * *"), entries) == entries[0].taken
    assert "48.0 h old" in str(physical_status("db", timedelta(hours=26), entries, None).problem)


def run_once(monkeypatch: pytest.MonkeyPatch, *results: str | Exception) -> tuple[list[str], list[str], int]:
    """Run a line of the schedule for each result; the kinds that failed, what was said, how many runs there were."""
    config, left, lines = BackupConfig.from_dict({**LEAST, "schedule": [NIGHTLY.model_dump()] * 2}, "x"), [*results], []

    def run(*_: object) -> str:
        result = left.pop(0)
        if isinstance(result, Exception):
            raise result
        return result
    monkeypatch.setattr(schedule, "read_last_run", lambda *_: None)
    monkeypatch.setattr(schedule, "_run", run)
    return schedule.run_due(config, lines.append), lines, len(results) - len(left)


def test_an_unexpected_error_is_reported_and_the_rest_of_the_schedule_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    failed, lines, runs = run_once(monkeypatch, KeyError("bytes"), "done")
    assert (failed, runs) == (["logical"], 2)
    assert [line for line in lines if "begins" not in line] == ["logical: FAILED: KeyError: 'bytes'", "logical: done"]


def test_a_drill_that_did_not_prove_its_backup_is_not_run_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    failed, _, runs = run_once(monkeypatch, NotProvenError("not proven"), "done", "more")
    assert (failed, runs) == (["logical"], 2)


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


def test_the_webhook_is_called_and_an_unreachable_one_stops_nothing() -> None:
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
    lines: list[str] = []

    def answer_oddly() -> None:
        with closing(listening.accept()[0]) as connection:
            while not connection.recv(1 << 16).endswith(b"}"):
                pass
            connection.sendall(b"220 no web server\r\n")
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        threading.Thread(target=answer_oddly).start()
        odd = f"http://127.0.0.1:{listening.getsockname()[1]}/token"
        notify(BackupConfig.from_dict({**LEAST, "webhook": odd}, "x"), {"ok": True}, lines.append)
    assert lines.pop().startswith("webhook: not delivered")
    notify(BackupConfig.from_dict({**LEAST, "webhook": url}, "x"), {"ok": True}, lines.append)
    assert len(lines) == 1
    assert "token" not in lines[0]
