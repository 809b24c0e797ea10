"""Client-side encryption: AES-256-GCM in segments, so that a stream of any length takes constant memory.

Every backup has its own data key (or that of the interrupted run that it resumes), stored in the bucket wrapped by a
key of the keyring, once for each key that may open it: keys are rotated by wrapping the data key again, and no object
is rewritten. The stream layout is that of Tink's AES-GCM-HKDF streaming: a header with a random salt, then numbered
segments, the last one marked, under a key derived from data key, salt and the object's name. An object that was
truncated, reordered or swapped with another does not decrypt. `cryptography` implements the ciphers.
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
    """The keys that decrypt backups; the first one encrypts new ones. Each is a text of at least 24 random characters.
    """

    keys: Sequence[str] = field(repr=False)

    def __post_init__(self) -> None:
        """Raise BackupError where there is no key, or one is too short."""
        if not self.keys:
            raise BackupError("backup keys: found none, required at least one; give the stack's backup key")
        if any(len(key) < LEAST_KEY_LENGTH for key in self.keys):
            raise BackupError(f"backup keys: found one of less than {LEAST_KEY_LENGTH} characters; "
                              "make one with `lcdb backup new-key`")

    @property
    def current(self) -> str:
        """The id of the key that encrypts new backups."""
        return key_id(self.keys[0])

    def ids(self) -> list[str]:
        """The ids of all keys; an id reveals nothing about its key."""
        return [key_id(key) for key in self.keys]

    def wrap(self, data_key: bytes, backup: str) -> str:
        """The data key of one backup, encrypted with the current key, as base64 text."""
        nonce = os.urandom(12)
        closed = AESGCM(_master(self.keys[0])).encrypt(nonce, data_key, backup.encode())
        return base64.b64encode(nonce + closed).decode()

    def unwrap(self, id_: str, wrapped: str, backup: str) -> bytes:
        """The inverse of `wrap`. Raises WrongKeyError where the ring lacks the key `id_`, or the text was changed."""
        for key in self.keys:
            if key_id(key) == id_:
                try:
                    raw = base64.b64decode(wrapped)
                    return AESGCM(_master(key)).decrypt(raw[:12], raw[12:], backup.encode())
                except (InvalidTag, ValueError):
                    raise WrongKeyError(f"backup {backup}: its wrapped key was changed; take another backup") from None
        raise WrongKeyError(f"backup {backup}: encrypted with key {id_}, found {', '.join(self.ids())}; "
                            "add that key to the backup keys")


    def unwrap_first(self, wrapped: Iterable[tuple[str, bytes]], backup: str) -> bytes:
        """Decrypt the first of these (key id, wrapped key) that a key opens. Raises WrongKeyError where none does."""
        why = None
        for id_, text in wrapped:
            try:
                return self.unwrap(id_, text.decode(errors="replace"), backup)
            except WrongKeyError as error:
                why = why or error
        raise why or WrongKeyError(f"backup {backup}: encrypted with none of the keys {', '.join(self.ids())}; add the "
                                   "key that it was taken with")


def new_key() -> str:
    """A new key for the ring: 32 random bytes as text."""
    return base64.urlsafe_b64encode(os.urandom(32)).decode().rstrip("=")


def new_data_key() -> bytes:
    """A new key for the objects of one backup: 32 random bytes."""
    return os.urandom(32)


def key_id(key: str) -> str:
    """A short id of a key that reveals nothing about it."""
    return hashlib.sha256(b"lifecompanion backup key id\0" + _master(key)).hexdigest()[:12]


def seal(data_key: bytes, text: bytes) -> str:
    """The authentication code of a text (HMAC-SHA-256): only a holder of the key can make it."""
    return hmac.new(_derive(data_key, b"", b"manifest"), text, hashlib.sha256).hexdigest()


class Encryptor:
    """Encrypts one stream: `feed` and `finish` return the bytes to write next."""

    def __init__(self, data_key: bytes, name: str) -> None:
        """`name` is the object's key, which is part of the derived key."""
        salt = os.urandom(SALT_BYTES)
        self._cipher = AESGCM(_derive(data_key, salt, name.encode()))
        self._pending = bytearray()
        self._number = 0
        self._header = MAGIC + salt

    def feed(self, data: bytes) -> bytes:
        """Take plain bytes; one segment is always held back, since it may be the last."""
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
    """Decrypts the stream of an Encryptor; raises DamagedError that names the object at the first wrong byte."""

    data_key: bytes = field(repr=False)
    name: str

    def open(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the plain segments of the encrypted `blocks`, whatever their sizes."""
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
