"""Where Pulumi keeps its state: the user's own backend, else a folder of this checkout with a generated passphrase."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from infra.folders import LOCAL
from infra.local.state_files import StateError


@dataclass(frozen=True)
class Backend:
    """Where state is kept: `ours` in this checkout; `env` are the variables that Pulumi needs for it, no secrets."""

    url: str
    ours: bool
    env: Mapping[str, str] = field(default_factory=dict)


def find_backend(local: Path = LOCAL) -> Backend:
    """Find the backend the user is logged in to, else the folder `local`/state; does not check whether it answers."""
    ours = f"file://{local / 'state'}"
    url = os.environ.get("PULUMI_BACKEND_URL") or _logged_in()
    if url and url != ours:
        return Backend(url, ours=False)
    return Backend(ours, ours=True, env={
        "PULUMI_BACKEND_URL": ours,
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(local / "passphrase"),
        # The salt that goes with the passphrase is in the state; no committed stack file needs to carry it.
        "PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER": "true",
    })


def ensure_backend(backend: Backend, local: Path = LOCAL) -> None:
    """Create the state folder (mode 0700) and the passphrase file (0600), unless they exist; only for our own backend.

    Raises StateError where there is state but no passphrase.
    """
    if not backend.ours:
        return
    for folder in (local, local / "state"):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    passphrase = local / "passphrase"
    if passphrase.exists():
        return
    if any((local / "state").rglob("stacks/**/*.json")):
        raise StateError(f"{passphrase}: gone, but {local / 'state'} was encrypted with it; put it back, "
                         "or remove that folder (and by hand what its stacks made)")
    # Linked when it is complete, and never over an existing one: two first runs at once agree on one passphrase.
    draft = local / f"passphrase.{os.getpid()}.{secrets.token_hex(4)}"
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(32) + "\n")
    with suppress(FileExistsError):
        os.link(draft, passphrase)
    draft.unlink()


def _logged_in() -> str | None:
    """The backend of `pulumi login`, by the environment or the credentials file; None where there is none."""
    if os.environ.get("PULUMI_ACCESS_TOKEN"):
        return os.environ.get("PULUMI_API") or "the Pulumi service"
    home = Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")
    try:
        current = json.loads((home / "credentials.json").read_text(encoding="utf-8")).get("current")
    except (OSError, ValueError, AttributeError):
        return None
    return str(current) if current else None
