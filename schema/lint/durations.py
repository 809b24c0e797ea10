"""Durations that cannot be read: what declarations of tables and of aggregates have in common."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from schema.errors import DeclarationError
from schema.model import intervals


def unreadable(owner: str, texts: Iterable[tuple[str, str | None]]) -> Iterator[str]:
    """A complaint for each of these fields of an object whose text is no interval; None is one that is not given."""
    for field, text in texts:
        try:
            intervals.length(text or "0")
        except DeclarationError as error:
            yield f"{owner}.{field}: {error}"
