"""The folders of a checkout: its root, and what is of this machine alone."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# What is of this machine alone: state, passphrase, logs, runtime files; ignored by git.
LOCAL = ROOT / ".lcdb"


def stack_folder(stack: str, local: Path = LOCAL) -> Path:
    """The folder of a stack's own files, made with mode 0700."""
    folder = local / stack
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder
