"""Owner and grants of an object that is dropped and created again: exactly those that it had."""

from __future__ import annotations

from collections.abc import Collection

from schema.model.live.objects import Rights
from schema.model.names import ident


def restore(kind: str, name: str, rights: Rights, columns: Collection[str] = ()) -> list[str]:
    """The statements that give a new object the rights of its predecessor; `kind` is what
    ALTER takes, such as MATERIALIZED VIEW.

    What default privileges gave the new one is revoked first. A grant on a column that is gone is left out.
    """
    on = name if kind.endswith("VIEW") else f"{'FUNCTION' if kind == 'AGGREGATE' else kind} {name}"
    statements = [f"REVOKE ALL ON {on} FROM {', '.join(rights.withdrawn)}"] if rights.withdrawn else []
    for privileges, column, role in rights.granted:
        words, option, _ = privileges.partition(" WITH GRANT OPTION")
        if column is None:
            statements.append(f"GRANT {words} ON {on} TO {role}{option}")
        elif column in columns:
            statements.append(f"GRANT {words} ({ident(column)}) ON {on} TO {role}{option}")
    if rights.owner:
        statements.append(f"ALTER {kind} {name} OWNER TO {rights.owner}")
    return statements
