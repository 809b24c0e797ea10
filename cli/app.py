"""All commands of `lcdb`, gathered."""

from __future__ import annotations

from cli.registry import gather

app = gather()
