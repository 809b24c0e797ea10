"""What of the corpus is still known to fail: a file and a stage, with the reason. Remove what passes."""

from __future__ import annotations

from collections.abc import Mapping

KNOWN: Mapping[tuple[str, str], str] = {}
