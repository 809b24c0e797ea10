"""What one run declares: the objects that fit the server, and how far a change may go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from schema.capabilities import Capabilities
from schema.model.live.objects import Live
from schema.model.objects import Object

Key = tuple[type[Object], str]


@dataclass(frozen=True)
class Options:
    """How far a change may go. `allow` holds names of hazards; `whole_schema` reports objects that nobody declares,
    and plans to drop them where that is allowed and they are not among `protect` (full names).

    A step waits `lock_timeout` for a lock, then everything is planned again, `attempts` times in all. `fingerprint` is
    that of a reviewed plan: any other plan is refused. `backed_up` says that a verified backup exists, without which a
    table with rows is not dropped unless that, too, is allowed. A heavy step first waits, `lag_wait_seconds` at most,
    for all standbys that are more than `max_replica_lag` bytes behind.
    """

    on_unsupported: Literal["error", "skip"] = "error"
    allow: frozenset[str] = field(default_factory=frozenset)
    protect: frozenset[str] = field(default_factory=frozenset)
    lock_timeout: str = "3s"
    statement_timeout: str = "1h"
    attempts: int = 10
    wait_seconds: float = 60.0
    whole_schema: bool = False
    fingerprint: str | None = None
    backed_up: bool = False
    max_replica_lag: int | None = None
    lag_wait_seconds: float = 600.0


class Declaration:
    """The objects of one run that fit the server: `declared`, in their order.

    `context` is what else the program declares, for what the objects depend on. `canonical` is the canonical form of
    `declared`, and by (class, full name) what the server created for it: None until `schema.comparison.match` has asked
    the server. Raises UnsupportedError where an object does not fit and nothing may be left out.
    """

    def __init__(self, capabilities: Capabilities, objects: Sequence[Object], options: Options,
                 context: Sequence[Object] = ()) -> None:
        self.capabilities, self.objects, self.options = capabilities, tuple(objects), options
        self.timescaledb = capabilities.timescaledb
        self.fitting, self.left_out = capabilities.fit(self.objects, options.on_unsupported, context)
        self.context = tuple(value for value in capabilities.fit(context, "skip")[0] if value is not None)
        self.declared = tuple(value for value in self.fitting if value is not None)
        self.canonical: tuple[tuple[Object, ...], Mapping[Key, Live]] | None = None
