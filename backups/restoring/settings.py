"""The settings that a database gives its sessions: its own, and those of single roles in it, set again as they were."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from psycopg import Connection, sql

# The parameters that the server keeps as a list of quoted names (GUC_LIST_QUOTE): no view tells them from others, no
# extension may add one, and pg_dump has the same list. The server reads names of the first two without regard to case.
FOLDED = frozenset({"search_path", "temp_tablespaces"})
LISTS = FOLDED | {"local_preload_libraries", "session_preload_libraries", "shared_preload_libraries",
                  "unix_socket_directories"}
# What a restore sets itself.
NOT_KEPT = ("timescaledb.restoring", "lifecompanion.")
NAME = re.compile(r'\s*(?:"((?:[^"]|"")*)"|([^",]*?))\s*(?:,|$)')


def set_settings(admin: Connection[Any], database: str, settings: Sequence[str],
                 role_settings: Mapping[str, Sequence[str]] | None) -> None:
    """Give the database these settings, each as name=value in the server's words, and roles theirs in it."""
    place = sql.SQL("DATABASE {}").format(sql.Identifier(database))
    _alter(admin, place, settings)
    for role, own in (role_settings or {}).items():
        _alter(admin, sql.SQL("ROLE {} IN {}").format(sql.Identifier(role), place), own)


def _alter(admin: Connection[Any], place: sql.Composable, settings: Sequence[str]) -> None:
    for setting in settings:
        name, _, value = setting.partition("=")
        if not name.startswith(NOT_KEPT):
            admin.execute(sql.SQL("ALTER {} SET {} = {}").format(
                place, sql.Identifier(*name.split(".")), render_value(name, value)))


def render_value(name: str, value: str) -> sql.Composable:
    """The value as a statement takes it: of a list each of its names, of anything else the text."""
    names = list(split_names(value, fold=name.lower() in FOLDED)) if name.lower() in LISTS else [value]
    return sql.SQL(", ").join(map(sql.Literal, names or [""]))


def split_names(value: str, *, fold: bool) -> Iterator[str]:
    """The names of a list as the server keeps it; with `fold`, those without quotes in lower case."""
    position = 0
    while position < len(value):
        match = NAME.match(value, position)
        if match is None:  # no server writes it: it is one name
            yield value[position:]
            return
        quoted, plain = match.groups()
        yield plain.lower() if fold and quoted is None else plain if quoted is None else quoted.replace('""', '"')
        position = match.end()
