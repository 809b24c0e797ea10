"""Read what needs the undeclared objects that a run may drop. Changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg import Connection

from schema.canonical import normalising
from schema.catalog.readers.undeclared import with_needs
from schema.comparison.declaration import Declaration
from schema.comparison.match import Matches
from schema.kinds.undeclared import missing_hazards
from schema.model.change.diff import Match
from schema.model.live.objects import Undeclared
from schema.model.objects import Job
from schema.planning.lasting_needs import with_declared


def read_needs(connection: Connection[Any], declaration: Declaration, live: Sequence[Undeclared],
               matches: Matches) -> Sequence[Undeclared]:
    """Return the undeclared objects, those that may be dropped with all that needs them or is going to; two queries at
    most, and none where nothing may be dropped."""
    if not live:
        return live
    options = declaration.options
    needed = with_needs(
        connection, declaration.capabilities, live, lambda one: one.name not in options.protect
        and not missing_hazards(one, options.allow, backed_up=options.backed_up))
    return with_declared(needed, [match.declared for match in matches if _may_need_more(match)])


def _may_need_more(match: Match[Any, Any]) -> bool:
    """Whether the object may need what the server does not know of: a new or changed object, or any job."""
    return isinstance(match.declared, Job) or match.live is None \
        or not normalising.equal(match.canonical, match.live.object)
