"""All commands of `lcdb`, gathered."""

from __future__ import annotations

from cli.commands import gather

app = gather()
