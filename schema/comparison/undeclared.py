"""What happens to the undeclared objects of a run, with what needs them. Changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg import Connection

from schema.canonical import normalising
from schema.catalog.readers.undeclared import with_needs
from schema.comparison.declaration import Declaration
from schema.comparison.match import Matches
from schema.kinds import undeclared
from schema.kinds.undeclared import Dropping
from schema.model.change.diff import Match
from schema.model.change.needs import Ends
from schema.model.live.objects import Undeclared
from schema.model.objects import Job
from schema.planning.lasting_needs import with_declared


class UndeclaredDrops:
    """The undeclared objects of a run; what needs those that may be dropped is read once, in two queries at most."""

    def __init__(self, connection: Connection[Any], declaration: Declaration, live: Sequence[Undeclared],
                 matches: Matches) -> None:
        self.options = declaration.options
        needed = with_needs(connection, declaration.capabilities, live, self._may_be_dropped)
        self.live = with_declared(needed, [
            match.declared for match in matches if _may_need_more(match)]) if needed else needed

    def plan(self, ends: Ends) -> Dropping:
        """Return what is dropped before and after everything else, and what stays, where these needs end."""
        options = self.options
        return undeclared.plan(self.live, options.allow, options.protect, backed_up=options.backed_up, ends=ends)

    def _may_be_dropped(self, live: Undeclared) -> bool:
        return live.name not in self.options.protect and not undeclared.missing_hazards(
            live, self.options.allow, backed_up=self.options.backed_up)


def _may_need_more(match: Match[Any, Any]) -> bool:
    """Whether the object may need what the server does not know of: a new or changed object, or any job."""
    return isinstance(match.declared, Job) or match.live is None \
        or not normalising.equal(match.canonical, match.live.object)
