"""Durations that cannot be parsed, in declarations of tables and of aggregates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from schema.errors import DeclarationError
from schema.model import intervals


def unreadable(owner: str, texts: Iterable[tuple[str, str | None]]) -> Iterator[str]:
    """Yield an error for each (field, text) of an object whose text is no interval; None is a field that is not set."""
    for field, text in texts:
        try:
            intervals.length(text or "0")
        except DeclarationError as error:
            yield f"{owner}.{field}: {error}"
