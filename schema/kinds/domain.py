"""Domains: default, NOT NULL and checks are altered in place; another base type needs a new domain."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from schema.catalog.readers.foundations import types
from schema.kinds import check, comment, rebuilt_type
from schema.kinds.kind import Drop, Kind, ServerWords
from schema.model.change import renames
from schema.model.change.diff import Diff
from schema.model.change.step import Action, Hazard, Step, Transaction
from schema.model.declarations.foundations import Check, Domain
from schema.model.live.types import LiveType
from schema.model.names import ident, repeated

DomainDiff = Diff[Domain, LiveType[Domain]]
# From this version on writers go on while a domain's check is validated.
VALIDATES_BESIDE_WRITERS = 180000


def definition(domain: Domain) -> str:
    """CREATE DOMAIN as SQL."""
    words = [f"CREATE DOMAIN {ident(domain.full_name)} AS {domain.type}",
             *([f"COLLATE {domain.collation}"] if domain.collation is not None else []),
             *([f"DEFAULT {domain.default}"] if domain.default is not None else []),
             *([] if domain.null else ["NOT NULL"]), *(check.definition(one) for one in domain.checks)]
    return " ".join(words)


def creation(domain: Domain) -> Iterable[tuple[str, str]]:
    """(part, SQL) that make the domain where nothing is."""
    yield domain.full_name, definition(domain)


def canonicalise(domain: Domain, scratch: LiveType[Domain]) -> Domain:
    """The declared domain with the words of the one that was made of it; checks stay in declared order."""
    created = scratch.object
    expressions = {one.name: one.expression for one in created.checks}
    return replace(domain, type=created.type, default=created.default, collation=created.collation,
                   checks=tuple(replace(one, expression=expressions[one.name]) for one in domain.checks))


def steps(diff: DomainDiff) -> tuple[list[Step], list[str]]:
    """Create the domain, or alter what differs; no step where it is as declared.

    Raises UnsupportedError where it has another base type or collation and something stands on it.
    """
    declared, name = diff.declared, diff.name
    steps: list[Step] = []
    warnings: list[str] = []
    live: Domain | None = None
    if diff.live is None:
        steps.append(Step(Action.CREATE, name, definition(declared), "the domain does not exist"))
    else:
        live, canonical = diff.live.object, diff.canonical
        steps += [renames.step("DOMAIN", diff.context.former_name, declared)] if diff.context.former_name else []
        if (canonical.type, canonical.collation) != (live.type, live.collation):
            of = f" collated {live.collation}" if live.collation else ""
            steps.append(rebuilt_type.again("DOMAIN", name, diff.live, definition(declared),
                                            f"its base type is {live.type}{of}"))
            live = None
        else:
            altered, warnings = _altered(diff)
            steps += altered
    return [*steps, *_comments(declared, live)], warnings


def _altered(diff: DomainDiff) -> tuple[list[Step], list[str]]:
    canonical, live = diff.canonical, diff.present.object
    steps: list[Step] = []
    if canonical.default != live.default:
        # A domain over another takes its default once, when it is made: that is in the server's words alone.
        default = diff.declared.default if diff.declared.default is not None else canonical.default
        action = "DROP DEFAULT" if default is None else f"SET DEFAULT {default}"
        steps.append(_step(diff, action, f"the default is {live.default or 'none'}"))
    if canonical.null and not live.null:
        steps.append(_step(diff, "DROP NOT NULL", "it is NOT NULL"))
    elif live.null and not canonical.null:
        steps.append(_scanned(diff, "SET NOT NULL", "it may be NULL", Action.ALTER))
    checks, warnings = _checks(diff)
    return [*steps, *checks], warnings


def _checks(diff: DomainDiff) -> tuple[list[Step], list[str]]:
    """Add, change and validate the declared checks; drop the others where that is allowed, else say that they stay."""
    name = diff.name
    canonical = {one.name: one for one in diff.canonical.checks}
    live = {one.name: one for one in diff.present.object.checks}
    steps, warnings = [], []
    for gone in sorted(live.keys() - canonical.keys()):
        if Hazard.DROPS_CONSTRAINT in diff.allowed:
            steps.append(_step(diff, f"DROP CONSTRAINT {ident(gone)}", "nobody declares the check",
                               Hazard.DROPS_CONSTRAINT, action=Action.DROP))
        else:
            warnings.append(f"{name}.{gone} is not declared and was left in place; declare it, or allow "
                            f"{Hazard.DROPS_CONSTRAINT} to drop it")
    for declared in diff.declared.checks:
        present, constraint = live.get(declared.name), ident(declared.name)
        differs = present is None or present.expression != canonical[declared.name].expression
        if differs:
            why = "the check does not exist" if present is None else f"it checks {present.expression}"
            later = " NOT VALID" if diff.present.filled else ""
            step = _step(diff, f"ADD {check.definition(declared)}{later}", why)
            if present is not None:
                again = f"ALTER DOMAIN {ident(name)} DROP CONSTRAINT {constraint}; {step.sql}"
                step = replace(step, action=Action.REPLACE, sql=again)
            steps.append(step)
        if (differs and diff.present.filled) or (not differs and declared.name in diff.present.not_valid):
            steps.append(_scanned(diff, f"VALIDATE CONSTRAINT {constraint}", "reads every row that has a value",
                                  Action.VALIDATE))
    return steps, warnings


def _step(diff: DomainDiff, action_sql: str, why: str, *hazards: Hazard,
          action: Action = Action.ALTER) -> Step:
    return Step(action, diff.name, f"ALTER DOMAIN {ident(diff.name)} {action_sql}", why, hazards)


def _scanned(diff: DomainDiff, action_sql: str, why: str, action: Action) -> Step:
    """A step for which the server reads all rows that have values of the domain, and this program those in the
    columnstore, which the server leaves out."""
    step = _step(diff, action_sql, why, action=action)
    live = diff.present
    if not live.filled:
        return step
    on, base = ident(diff.name), live.object.type
    unread = [f"; SELECT count({ident(column.column)}::{base}::{on}) FROM {ident(column.table)}"
              for column in live.columns if column.compressed]
    beside = action is Action.VALIDATE and diff.context.server_version >= VALIDATES_BESIDE_WRITERS
    where = ", ".join(column.name for column in live.columns)
    lock = "SHARE UPDATE EXCLUSIVE" if beside else "SHARE"
    return replace(step, sql=step.sql + "".join(unread), hazards=() if beside else (Hazard.BLOCKS_WRITES,),
                   transaction=Transaction.OWN, cost=f"{lock} while {where} is read", heavy=True)


def _comments(declared: Domain, live: Domain | None) -> list[Step]:
    """Make the comments of the domain and of its checks the declared ones."""
    on, name = ident(declared.full_name), declared.full_name
    known = {one.name: one for one in live.checks} if live else {}
    steps = [comment.step(f"DOMAIN {on}", name, declared.comment, live.comment if live else None)]
    for one in declared.checks:
        present = known.get(one.name, Check(one.name, ""))
        steps.append(comment.step(f"CONSTRAINT {ident(one.name)} ON DOMAIN {on}", f"{name}.{one.name}", one.comment,
                                  present.comment))
    return [step for step in steps if step]


def errors(declared: Domain) -> Iterable[str]:
    """Checks of one name."""
    yield from (f"{declared.full_name}: check {name} is declared twice; keep one"
                for name in repeated(check.name for check in declared.checks))


KIND = Kind(
    Domain, resource="schema:Domain", page="domain.md", read=types.read_domains,
    server_words=ServerWords(creation, canonicalise), steps=steps, lint=errors,
    drops=(Drop("domain", "DROP DOMAIN {}", Hazard.DROPS_DOMAIN),))
