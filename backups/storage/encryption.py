"""Client-side encryption: AES-256-GCM in segments, so that a stream of any length is sealed with constant memory.

Every backup has a data key of its own (or that of the interrupted run that it takes up). It lies in the bucket
wrapped by a key of the keyring, once for each key that may open it: keys are rotated by wrapping anew, and no backup
is written again. The layout of a stream is that of Tink's AES-GCM-HKDF streaming: a header with a random salt; then
segments, each numbered and the last one marked, under a key derived from data key, salt and the object's name. An
object that was cut, reordered or put in another's place does not open. `cryptography` does the ciphers.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from backups.errors import BackupError, DamagedError, WrongKeyError

MAGIC = b"LCBK\x01"
SALT_BYTES = 16
SEGMENT_BYTES = 1 << 20
TAG_BYTES = 16
LEAST_KEY_LENGTH = 24


@dataclass(frozen=True)
class Keyring:
    """The keys that open backups; the first one closes new ones. Each is a text of at least 24 random characters."""

    keys: Sequence[str] = field(repr=False)

    def __post_init__(self) -> None:
        if not self.keys:
            raise BackupError("backup keys: found none, required at least one; give the stack's backup key")
        if any(len(key) < LEAST_KEY_LENGTH for key in self.keys):
            raise BackupError(f"backup keys: found one of less than {LEAST_KEY_LENGTH} characters; "
                              "make one with `lcdb backup new-key`")

    @property
    def current(self) -> str:
        """The id of the key that closes new backups."""
        return key_id(self.keys[0])

    def ids(self) -> list[str]:
        """The ids of all keys; an id tells nothing about its key."""
        return [key_id(key) for key in self.keys]

    def wrap(self, data_key: bytes, backup: str) -> str:
        """The data key of one backup, closed with the current key, as text."""
        nonce = os.urandom(12)
        closed = AESGCM(_master(self.keys[0])).encrypt(nonce, data_key, backup.encode())
        return base64.b64encode(nonce + closed).decode()

    def unwrap(self, id_: str, wrapped: str, backup: str) -> bytes:
        """The reverse of `wrap`. Raises WrongKeyError where no key of the ring is the one, or the text was changed."""
        for key in self.keys:
            if key_id(key) == id_:
                try:
                    raw = base64.b64decode(wrapped)
                    return AESGCM(_master(key)).decrypt(raw[:12], raw[12:], backup.encode())
                except (InvalidTag, ValueError):
                    raise WrongKeyError(f"backup {backup}: its wrapped key was changed; take another backup") from None
        raise WrongKeyError(f"backup {backup}: closed with key {id_}, found {', '.join(self.ids())}; "
                            "add that key to the backup keys")


    def unwrap_first(self, wrapped: Iterable[tuple[str, bytes]], backup: str) -> bytes:
        """What the first of these opens, each with the id of its key. Raises WrongKeyError where none does."""
        why = None
        for id_, text in wrapped:
            try:
                return self.unwrap(id_, text.decode(errors="replace"), backup)
            except WrongKeyError as error:
                why = why or error
        raise why or WrongKeyError(f"backup {backup}: closed with none of the keys {', '.join(self.ids())}; add the "
                                   "key that it was taken with")


def new_key() -> str:
    """A key for the ring: 32 random bytes as text."""
    return base64.urlsafe_b64encode(os.urandom(32)).decode().rstrip("=")


def new_data_key() -> bytes:
    """A key for the objects of one backup."""
    return os.urandom(32)


def key_id(key: str) -> str:
    """A short name of a key that tells nothing about it."""
    return hashlib.sha256(b"lifecompanion backup key id\0" + _master(key)).hexdigest()[:12]


def seal(data_key: bytes, text: bytes) -> str:
    """An authentication code of a manifest: only who has the key could have written it."""
    return hmac.new(_derive(data_key, b"", b"manifest"), text, hashlib.sha256).hexdigest()


class Encryptor:
    """Seals one stream: `feed` and `finish` return what may be written so far."""

    def __init__(self, data_key: bytes, name: str) -> None:
        salt = os.urandom(SALT_BYTES)
        self._cipher = AESGCM(_derive(data_key, salt, name.encode()))
        self._pending = bytearray()
        self._number = 0
        self._header = MAGIC + salt

    def feed(self, data: bytes) -> bytes:
        """Take plain bytes; one whole segment is always kept back, as it might be the last."""
        self._pending += data
        out = [self._take_header()]
        while len(self._pending) > SEGMENT_BYTES:
            out.append(self._seal(bytes(self._pending[:SEGMENT_BYTES]), last=False))
            del self._pending[:SEGMENT_BYTES]
        return b"".join(out)

    def finish(self) -> bytes:
        """The last segment."""
        return self._take_header() + self._seal(bytes(self._pending), last=True)

    def _take_header(self) -> bytes:
        header, self._header = self._header, b""
        return header

    def _seal(self, segment: bytes, *, last: bool) -> bytes:
        sealed = self._cipher.encrypt(_nonce(self._number, last), segment, None)
        self._number += 1
        return sealed


@dataclass
class Decryptor:
    """Opens a stream of an Encryptor; raises DamagedError that names the object at the first byte that is not so."""

    data_key: bytes = field(repr=False)
    name: str

    def open(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the plain segments of the sealed `blocks`, whatever their sizes."""
        pending, number, cipher, size = bytearray(), 0, None, SEGMENT_BYTES + TAG_BYTES
        for block in blocks:
            pending += block
            if cipher is None and len(pending) >= len(MAGIC) + SALT_BYTES:
                cipher = self._cipher(pending)
            while cipher is not None and len(pending) > size:
                yield self._segment(cipher, bytes(pending[:size]), number, last=False)
                number += 1
                del pending[:size]
        if cipher is None:
            raise DamagedError(f"{self.name}: found {len(pending)} bytes, too few for any object; it was cut off")
        yield self._segment(cipher, bytes(pending), number, last=True)

    def _cipher(self, pending: bytearray) -> AESGCM:
        if pending[:len(MAGIC)] != MAGIC:
            raise DamagedError(f"{self.name}: does not begin as a backup's object; it was overwritten or damaged")
        salt = bytes(pending[len(MAGIC):len(MAGIC) + SALT_BYTES])
        del pending[:len(MAGIC) + SALT_BYTES]
        return AESGCM(_derive(self.data_key, salt, self.name.encode()))

    def _segment(self, cipher: AESGCM, sealed: bytes, number: int, *, last: bool) -> bytes:
        try:
            return cipher.decrypt(_nonce(number, last), sealed, None)
        except (InvalidTag, ValueError):
            raise DamagedError(f"{self.name}: segment {number} does not open: it was changed, cut off or put in "
                               "another's place; take another backup") from None


def _master(key: str) -> bytes:
    return _derive(key.encode(), b"", b"lifecompanion backup key")


def _derive(secret: bytes, salt: bytes, info: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=salt or None, info=info).derive(secret)


def _nonce(number: int, last: bool) -> bytes:
    return struct.pack(">7xIB", number, last)
