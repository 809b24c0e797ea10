"""Read the state that the Pulumi CLI keeps in a folder of this checkout, without the CLI.

Its secrets are AES-256-GCM under a key of PBKDF2 (SHA-256) from the passphrase and the state's salt, as Pulumi's
passphrase secrets manager writes them (sdk/go/common/resource/config/crypt.go).
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
from base64 import b64decode
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from infra.folders import LOCAL

SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 the mark of one, not one
ROUNDS = 1_000_000
CHECKED = b"pulumi"
STACK_TYPE = "pulumi:pulumi:Stack"


class StateError(Exception):
    """The state kept here cannot be used; the message is one line with the remedy."""


def state_files(stack: str, local: Path = LOCAL) -> list[Path]:
    """Find the files with the stack's state in this checkout: at most one, as a checkout has one project."""
    return list((local / "state" / ".pulumi" / "stacks").glob(f"*/{stack}.json"))


def kept_resources(file: Path) -> list[dict[str, Any]]:
    """Read the resources in a state file, secrets still encrypted, without the stack itself; empty without a file.

    Raises StateError where the file cannot be read.
    """
    return [resource for resource in _latest(file).get("resources") or () if resource["type"] != STACK_TYPE]


def read_state(file: Path, passphrase: Path) -> dict[str, Any]:
    """Read the deployment in a state file with its secrets decrypted, still marked as secret; must not be published.

    Raises StateError where an update is going on, or the passphrase is wrong.
    """
    _refuse_update_under_way(file)
    latest = _latest(file)
    decrypt = _decrypter(file, latest, passphrase)
    opened: dict[str, Any] = _opened(latest, decrypt)
    return opened


def _latest(file: Path) -> dict[str, Any]:
    try:
        checkpoint = json.loads(file.read_text(encoding="utf-8"))["checkpoint"]
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError):
        raise StateError(f"{file}: found something else than a state of Pulumi's, required one; put it back, or put "
                         "the Pulumi CLI on the PATH") from None
    return dict(checkpoint.get("latest") or {})


def marked(value: Any) -> dict[str, str]:
    """Mark the value as a secret in plain text, which `pulumi stack import` encrypts."""
    return {SIGNATURE: SECRET, "plaintext": json.dumps(value)}


def is_secret(value: Any) -> bool:
    """Tell whether the value, or anything in it, is marked as a secret."""
    if isinstance(value, Mapping):
        return value.get(SIGNATURE) == SECRET or any(map(is_secret, value.values()))
    return isinstance(value, list) and any(map(is_secret, value))


def plain(value: Any) -> Any:
    """Remove the marks of secrets from the value, at any depth."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    if value.get(SIGNATURE) == SECRET:
        return plain(json.loads(value["plaintext"]))
    return {key: plain(item) for key, item in value.items()}


def _opened(value: Any, decrypt: Callable[[str], str]) -> Any:
    if isinstance(value, list):
        return [_opened(item, decrypt) for item in value]
    if not isinstance(value, Mapping):
        return value
    if value.get(SIGNATURE) == SECRET:
        # A secret within it, such as the password of a login, was encrypted with the whole of it alone.
        return marked(_opened(json.loads(decrypt(value["ciphertext"])), str))
    return {key: _opened(item, decrypt) for key, item in value.items()}


def _decrypter(file: Path, latest: Mapping[str, Any], passphrase: Path) -> Callable[[str], str]:
    """What decrypts the secrets of this state; the key is made at the first one, which takes a good half second."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    manager = latest.get("secrets_providers") or {}

    def opened(cipher: AESGCM, text: str) -> bytes:
        version, nonce, sealed = text.split(":")
        if version != "v1":
            raise ValueError(version)
        return cipher.decrypt(b64decode(nonce), b64decode(sealed), None)

    @cache
    def cipher() -> AESGCM:
        version, salt, check = str(manager["state"]["salt"]).split(":", 2)
        key = hashlib.pbkdf2_hmac("sha256", passphrase.read_text(encoding="utf-8").rstrip("\r\n").encode(),
                                  b64decode(salt), ROUNDS)
        aead = AESGCM(key)
        if version != "v1" or opened(aead, check) != CHECKED:
            raise ValueError(version)
        return aead

    def decrypt(text: str) -> str:
        try:
            return opened(cipher(), text).decode()
        except (OSError, KeyError, ValueError, TypeError, InvalidTag):
            raise StateError(f"{file}: its secrets cannot be read without the Pulumi CLI: found {passphrase.name} "
                             f"{'that does not fit' if passphrase.exists() else 'missing'} and secrets by "
                             f"{manager.get('type', 'nobody')}, required the passphrase with which the stack was made; "
                             "put it back, or put the Pulumi CLI on the PATH") from None

    return decrypt


def _refuse_update_under_way(file: Path) -> None:
    """Raise StateError where a CLI of this machine holds the state's lock."""
    locks = file.parents[2] / "locks" / "organization" / file.parent.name / file.stem
    for lock in locks.glob("*.json"):
        holder = json.loads(lock.read_text(encoding="utf-8"))
        if holder.get("hostname") == socket.gethostname() and _runs(int(holder["pid"])):
            raise StateError(f"stack {file.stem}: another update is going on (process {holder['pid']}); "
                             "wait for its end")


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
