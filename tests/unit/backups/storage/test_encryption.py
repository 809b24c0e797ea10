"""What is sealed opens with the right key alone, and only whole, in order and in its own place."""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backups.errors import BackupError, DamagedError, WrongKeyError
from backups.storage import encryption
from backups.storage.encryption import Decryptor, Encryptor, Keyring, new_data_key, new_key

KEY = b"k" * 32
HEADER = len(encryption.MAGIC) + encryption.SALT_BYTES


def sealed(plain: bytes, name: str = "a", block: int = 300_000) -> bytes:
    encryptor = Encryptor(KEY, name)
    parts = [encryptor.feed(plain[at:at + block]) for at in range(0, len(plain), block)]
    return b"".join([*parts, encryptor.finish()])


def opened(data: bytes, name: str = "a", key: bytes = KEY, block: int = 70_001) -> bytes:
    return b"".join(Decryptor(key, name).open(data[at:at + block] for at in range(0, len(data), block)))


SEGMENT = encryption.SEGMENT_BYTES


@pytest.mark.parametrize("size", [0, 1, SEGMENT - 1, SEGMENT, SEGMENT + 1, 2 * SEGMENT, 2 * SEGMENT + 7])
def test_a_stream_of_any_length_comes_back(size: int) -> None:
    plain = os.urandom(size)
    assert opened(sealed(plain)) == plain


@settings(max_examples=30, deadline=None)
@given(st.lists(st.binary(max_size=3000), max_size=6), st.integers(1, 5000))
def test_blocks_of_any_size_come_back(blocks: list[bytes], block: int) -> None:
    encryptor = Encryptor(KEY, "n")
    data = b"".join([*(encryptor.feed(block) for block in blocks), encryptor.finish()])
    assert opened(data, "n", block=block) == b"".join(blocks)


def test_the_same_stream_is_never_sealed_the_same_way_twice() -> None:
    assert sealed(b"x" * 100) != sealed(b"x" * 100)


@pytest.mark.parametrize("cut", [0, 3, HEADER, HEADER + 5, HEADER + SEGMENT + 16, -1])
def test_a_cut_stream_does_not_open(cut: int) -> None:
    data = sealed(os.urandom(2 * SEGMENT + 9))
    with pytest.raises(DamagedError, match=r"^a: "):
        opened(data[:cut])


@pytest.mark.parametrize("at", [0, 7, HEADER, HEADER + 100, -1])
def test_one_flipped_bit_is_detected(at: int) -> None:
    data = bytearray(sealed(os.urandom(SEGMENT + 9)))
    data[at] ^= 1
    with pytest.raises(DamagedError, match=r"^a: "):
        opened(bytes(data))


def test_segments_in_another_order_do_not_open() -> None:
    data, size = sealed(os.urandom(3 * SEGMENT)), SEGMENT + 16
    first, second = data[HEADER:HEADER + size], data[HEADER + size:HEADER + 2 * size]
    with pytest.raises(DamagedError):
        opened(data[:HEADER] + second + first + data[HEADER + 2 * size:])


def test_an_object_in_the_place_of_another_does_not_open() -> None:
    with pytest.raises(DamagedError, match=r"^b: segment 0 does not open"):
        opened(sealed(b"rows", "a"), "b")


def test_a_wrapped_key_opens_with_its_own_key_alone_and_says_which_it_needs() -> None:
    ring, data_key = Keyring([new_key()]), new_data_key()
    wrapped = ring.wrap(data_key, "one")
    assert ring.unwrap(ring.current, wrapped, "one") == data_key
    with pytest.raises(WrongKeyError, match=f"encrypted with key {ring.current}, found .*; add that key"):
        Keyring([new_key()]).unwrap(ring.current, wrapped, "one")
    with pytest.raises(WrongKeyError, match="was changed"):
        ring.unwrap(ring.current, wrapped, "another")


def test_an_old_key_still_opens_after_a_new_one_was_put_first() -> None:
    old, new = new_key(), new_key()
    wrapped = Keyring([old]).wrap(KEY, "one")
    assert Keyring([new, old]).unwrap(Keyring([old]).current, wrapped, "one") == KEY


def test_a_weak_key_is_refused_without_showing_it() -> None:
    with pytest.raises(BackupError) as caught:
        Keyring(["hunter2"])
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in repr(Keyring([new_key(), "hunter2" * 4]))
