"""Values that are stored with an authentication code, so that only a holder of the key can have written them."""

from __future__ import annotations

import hmac
import json
from typing import ClassVar, Self

from pydantic import BaseModel, ConfigDict

from backups.storage.encryption import seal


class Sealed(BaseModel):
    """A value with its seal: HMAC-SHA-256 over all other fields as JSON, keys in order.

    `SEPARATORS` are JSON's, None for its own; those of values that are stored already stay as they are.
    """

    model_config = ConfigDict(frozen=True)

    SEPARATORS: ClassVar[tuple[str, str] | None] = None
    seal: str = ""

    def with_seal(self, key: bytes | str) -> Self:
        """The same value, sealed with the key."""
        return self.model_copy(update={"seal": self._code(key)})

    def is_sealed_with(self, key: bytes | str) -> bool:
        """Whether the seal was made with this key, of this very value."""
        return hmac.compare_digest(self.seal.encode(), self._code(key).encode())

    def _code(self, key: bytes | str) -> str:
        content = json.dumps(self.model_dump(mode="json", exclude={"seal"}), sort_keys=True, separators=self.SEPARATORS)
        return seal(key.encode() if isinstance(key, str) else key, content.encode())
