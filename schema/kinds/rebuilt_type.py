"""Types that the server cannot change in place: dropped and made again with owner and grants where nothing stands on
them, else refused."""

from __future__ import annotations

from typing import Any

from schema.errors import UnsupportedError
from schema.kinds import rights
from schema.model.change.step import Action, Step
from schema.model.live.types import LiveType
from schema.model.names import ident


def again(kind: str, name: str, live: LiveType[Any], definition: str, why: str) -> Step:
    """The step that makes the type anew in one transaction; `kind` is DOMAIN, TYPE or COLLATION, `why` what differs.

    Raises UnsupportedError that names what stands on it.
    """
    if live.dependants:
        more = f" and {len(live.dependants) - 3} more" if len(live.dependants) > 3 else ""
        raise UnsupportedError(f"{name}: {why}, which PostgreSQL cannot change in place, and "
                               f"{', '.join(live.dependants[:3])}{more} stands on it; declare it as it is, or declare "
                               "a new one and change what stands on the old one to that")
    on = ident(name)
    statements = [f"DROP {kind} {on}", definition, *rights.restore(kind, on, live.rights)]
    return Step(Action.REPLACE, name, ";\n".join(statements), why, cost="nothing stands on it")
