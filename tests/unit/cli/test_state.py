"""Where state is kept, and the passphrase it is encrypted with."""

from __future__ import annotations

import json
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from infra.automation.state import ensure_backend, find_backend
from infra.folders import stack_folder
from infra.local.state_files import StateError


@pytest.fixture(autouse=True)
def nobody_logged_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("PULUMI_BACKEND_URL", "PULUMI_ACCESS_TOKEN", "PULUMI_API"):
        monkeypatch.delenv(name, raising=False)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("PULUMI_HOME", str(home))
    return home


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_own_backend_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    local = tmp_path / ".lcdb"
    backend = find_backend(local)
    ensure_backend(backend, local)
    assert backend.ours
    assert backend.env["PULUMI_BACKEND_URL"] == f"file://{local}/state"
    assert (mode(local), mode(local / "state"), mode(local / "passphrase")) == (0o700, 0o700, 0o600)
    assert mode(stack_folder("dev", local)) == 0o700


def test_passphrase_is_generated_once(tmp_path: Path) -> None:
    local = tmp_path / ".lcdb"
    ensure_backend(find_backend(local), local)
    first = (local / "passphrase").read_text()
    ensure_backend(find_backend(local), local)
    assert (local / "passphrase").read_text() == first
    assert len(first.strip()) >= 32
    assert first.strip() not in str(find_backend(local))


def test_first_runs_at_once_agree_on_one_passphrase(tmp_path: Path) -> None:
    local = tmp_path / ".lcdb"

    def run(_: int) -> str:
        ensure_backend(find_backend(local), local)
        return (local / "passphrase").read_text()

    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(run, range(32)))) == 1
    assert [path.name for path in local.glob("passphrase*")] == ["passphrase"]


def test_state_without_its_passphrase_is_refused(tmp_path: Path) -> None:
    local = tmp_path / ".lcdb"
    ensure_backend(find_backend(local), local)
    (local / "passphrase").unlink()
    stack = local / "state" / ".pulumi" / "stacks" / "lifecompanion" / "dev.json"
    stack.parent.mkdir(parents=True)
    stack.write_text("{}")
    with pytest.raises(StateError, match="put it back"):
        ensure_backend(find_backend(local), local)


@pytest.mark.parametrize(("variable", "value", "url"), [
    ("PULUMI_BACKEND_URL", "s3://states", "s3://states"), ("PULUMI_ACCESS_TOKEN", "pul-1234", "the Pulumi service")])
def test_backend_of_the_environment_is_taken(variable: str, value: str, url: str, tmp_path: Path,
                                             monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, value)
    backend = find_backend(tmp_path)
    assert (backend.url, backend.ours, backend.env) == (url, False, {})


def test_backend_of_a_login_is_taken(tmp_path: Path, nobody_logged_in: Path) -> None:
    (nobody_logged_in / "credentials.json").write_text(json.dumps({"current": "azblob://states"}))
    assert find_backend(tmp_path).url == "azblob://states"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"current": ""}', "not json"])
def test_credentials_that_name_no_backend_leave_ours(text: str, tmp_path: Path, nobody_logged_in: Path) -> None:
    (nobody_logged_in / "credentials.json").write_text(text)
    assert find_backend(tmp_path).ours


def test_own_backend_by_the_environment_stays_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", find_backend(tmp_path).url)
    assert find_backend(tmp_path).ours
