"""Row-level security: policies first, then it is enabled, so that nobody sees too much or nothing in between."""

from __future__ import annotations

from dataclasses import replace

from schema.errors import UnsupportedError
from schema.model.change.diff import TableDiff
from schema.model.change.step import Action, Hazard, Step
from schema.model.names import ident, literal, quoted
from schema.model.objects import Policy, Table


def definition(table: Table, policy: Policy) -> str:
    """CREATE POLICY as SQL."""
    kind = "" if policy.permissive else " AS RESTRICTIVE"
    command = "" if policy.command == "all" else f" FOR {policy.command.upper()}"
    return f"CREATE POLICY {quoted(policy.name)} ON {ident(table.full_name)}{kind}{command}{_rest(policy)}"


def steps(diff: TableDiff) -> list[Step]:
    """Make policies and switches the declared ones, policies first; no step where they are."""
    declared, canonical = diff.declared.row_security, diff.canonical.row_security
    if declared is None or canonical is None:
        return []
    live = {policy.name: policy for policy in diff.present.policies}
    steps: list[Step] = []
    for written, wanted in zip(declared.policies, canonical.policies, strict=True):
        steps.extend(_policy(diff, written, wanted, live.get(written.name)))
    security = diff.present.table.row_security
    table = f"ALTER TABLE {ident(diff.name)}"
    if security is None:
        steps.append(_step(Action.ALTER, diff, "row_security", f"{table} ENABLE ROW LEVEL SECURITY",
                           "row-level security is off"))
    if canonical.forced != bool(security and security.forced):
        steps.append(_step(Action.ALTER, diff, "row_security",
                           f"{table} {'' if canonical.forced else 'NO '}FORCE ROW LEVEL SECURITY",
                           f"the owner is {'not ' if canonical.forced else ''}subject to it"))
    return steps


def undeclared_steps(diff: TableDiff) -> list[Step]:
    """Drop undeclared policies, and disable row-level security where nobody declares it.

    Raises UnsupportedError where it would stay enabled and a columnstore is declared. (Lint finds both declared.)
    """
    canonical, live = diff.canonical.row_security, diff.present
    if live.table.row_security and diff.declared.compression and Hazard.DROPS_POLICY not in diff.allowed:
        raise UnsupportedError(f"{diff.name}.compression: row-level security is on, and TimescaleDB has no "
                               f"columnstore on such a table; allow {Hazard.DROPS_POLICY} to switch it off, or leave "
                               "out compression")
    names = {policy.name for policy in canonical.policies} if canonical else set()
    steps = [_step(Action.DROP, diff, live_policy.name, f"DROP POLICY {quoted(live_policy.name)} ON {ident(diff.name)}",
                   "nobody declares the policy", Hazard.DROPS_POLICY)
             for live_policy in live.policies if live_policy.name not in names]
    if canonical is None and live.table.row_security:
        force = ", NO FORCE ROW LEVEL SECURITY" if live.table.row_security.forced else ""
        steps.append(_step(Action.ALTER, diff, "row_security",
                           f"ALTER TABLE {ident(diff.name)} DISABLE ROW LEVEL SECURITY{force}",
                           "nobody declares row-level security", Hazard.DROPS_POLICY))
    return steps


def _policy(diff: TableDiff, declared: Policy, canonical: Policy, live: Policy | None) -> list[Step]:
    table, name = diff.declared, declared.name
    if live is None:
        return [_step(Action.CREATE, diff, name, definition(table, declared), "the policy does not exist")]
    if replace(canonical, comment=live.comment) == live:
        return []
    same_kind = (canonical.command, canonical.permissive) == (live.command, live.permissive)
    loses = (live.using and not canonical.using) or (live.check and not canonical.check)
    why = f"it is {definition(table, live)}"
    if same_kind and not loses:
        sql = f"ALTER POLICY {quoted(name)} ON {ident(table.full_name)}{_rest(declared)}"
        return [_step(Action.ALTER, diff, name, sql, why)]
    on = f"{quoted(name)} ON {ident(table.full_name)}"
    comment = f"; COMMENT ON POLICY {on} IS {literal(live.comment)}" if live.comment else ""
    return [_step(Action.REPLACE, diff, name, f"DROP POLICY {on}; {definition(table, declared)}{comment}", why)]


def _rest(policy: Policy) -> str:
    """Roles and conditions as CREATE and ALTER take them."""
    return (f" TO {', '.join(_role(declared_policy) for declared_policy in policy.roles)}"
            f"{f' USING ({policy.using})' if policy.using else ''}"
            f"{f' WITH CHECK ({policy.check})' if policy.check else ''}")


def _role(name: str) -> str:
    return name.upper() if name.lower() in ("public", "current_user", "session_user", "current_role") else quoted(name)


def _step(action: Action, diff: TableDiff, part: str, sql: str, why: str, *hazards: Hazard) -> Step:
    return Step(action, f"{diff.name}.{part}", sql, why, hazards, diff.transaction,
                "ACCESS EXCLUSIVE, no scan" if diff.weight.has_rows else "")
