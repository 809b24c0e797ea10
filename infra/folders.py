"""The folders of a checkout: its root, and the one for this machine's own files."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Files of this machine alone: state, passphrase, logs, runtime files; ignored by git.
LOCAL = ROOT / ".lcdb"


def stack_folder(stack: str, local: Path = LOCAL) -> Path:
    """Return the folder of a stack's own files; creates it with mode 0700."""
    folder = local / stack
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder
