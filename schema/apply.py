"""Make the live schema the declared one: lock, compare, plan, execute, and prove that nothing is left to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from psycopg import Connection

from schema.capabilities import Capabilities
from schema.catalog.queries import read_capabilities
from schema.catalog.readers import undeclared
from schema.comparison.compare import compare_and_plan
from schema.comparison.declaration import Declaration, Options
from schema.comparison.grants import read_grants
from schema.comparison.live_schema import read_objects
from schema.comparison.match import match, read_back
from schema.connection import UNLIMITED, Address, one_line_errors
from schema.errors import UnsafeChangeError, VerifyError
from schema.execution.bodies import Bodies
from schema.execution.guard import Guard
from schema.execution.run import Progress, Run
from schema.kinds import undeclared as undeclared_kind
from schema.lint import lint
from schema.model.change.diff import Diff, Match
from schema.model.change.renames import former_name
from schema.model.change.step import Action, Hazard, Step, Transaction
from schema.model.live.objects import Undeclared
from schema.model.live.tables import LiveTable
from schema.model.objects import Aggregate, Function, Job, Object
from schema.planning import local_time
from schema.planning.plan import Plan
from schema.session import attempts, only_changer, prepare

APPLICATION = "lifecompanion schema"
DEFAULTS = Options()


@dataclass(frozen=True)
class Applied:
    """The steps that were done, and plain facts by object name that stay the same while nothing changes."""

    steps: tuple[Step, ...]
    facts: dict[str, dict[str, Any]]
    warnings: tuple[str, ...]


def plan(address: Address, objects: Sequence[Object], *, options: Options = DEFAULTS,
         context: Sequence[Object] = ()) -> Plan:
    """Return what `ensure` would do now. Reads only; whatever it creates to compare is rolled back.

    `context` is what else the program declares: the objects may depend on what does not exist yet.
    """
    lint(objects)
    with _connected(address, options) as (connection, capabilities):
        return _in_utc(address, *compare_and_plan(connection, Declaration(capabilities, objects, options, context)))


def read(address: Address, objects: Sequence[Object], *, options: Options = DEFAULTS,
         context: Sequence[Object] = ()) -> list[Object | None]:
    """Return the live objects in the order given, spelled as declared where they mean the same; None where absent."""
    lint(objects)
    with _connected(address, options) as (connection, capabilities):
        declaration = Declaration(capabilities, objects, replace(options, on_unsupported="skip"), context)
        matches = _matches(connection, declaration)
        return read_back(declaration, matches, read_grants(connection, matches))


def ensure(address: Address, objects: Sequence[Object], *, options: Options = DEFAULTS,
           progress: Progress | None = None, context: Sequence[Object] = ()) -> Applied:
    """Make the live objects the declared ones; does nothing where they are. Proves it before it returns.

    Raises UnsafeChangeError (a hazard is not allowed; nothing was done), ApplyError (a step failed; the steps before
    it are done, and a new run goes on from there), VerifyError, UnsupportedError, DeclarationError.
    """
    lint(objects)
    with _connected(address, options) as (connection, capabilities), only_changer(connection, options.wait_seconds):
        declaration = Declaration(capabilities, objects, options, context)
        names = [name for value in declaration.declared for name in (value.full_name, former_name(value)) if name]
        run = Run(connection, options, progress or (lambda _: None), Guard(connection, capabilities, names),
                  Bodies(connection, frozenset(value.name for value in context),
                                       Hazard.UNCHECKED_BODY in options.allow))
        for attempt in attempts(connection, options.attempts):
            with attempt:
                rest, diffs = compare_and_plan(connection, declaration)
                rest = _in_utc(address, rest, diffs)
                run.execute(rest)
        if run.done:
            needed = rest.needed
            rest, diffs = compare_and_plan(connection, declaration)
            rest = _without(rest, needed)
    if rest.steps:
        raise VerifyError(f"{rest.steps[0].object}: still differs after applying ({rest.steps[0].render()}); something "
                          "else changes it, or the server does not keep it: plan again and compare")
    return Applied(tuple(run.done), _all_facts(diffs, declaration), rest.warnings)


def _without(rest: Plan, needed: Mapping[str, str]) -> Plan:
    """The plan without dropping what the plan before it left in place, as others seemed to need it: it stays."""
    objects = {step: next((name for name in needed if f"{step.object}.".startswith(f"{name}.")), None)
               for step in rest.steps if step.action is Action.DROP}
    steps = tuple(step for step in rest.steps if objects.get(step) is None)
    left = dict.fromkeys(needed[name] for name in objects.values() if name is not None)
    return replace(rest, steps=steps, warnings=(*rest.warnings, *left))


def drop(address: Address, declared: Object, *, options: Options = DEFAULTS) -> bool:
    """Drop the object with everything that belongs to it; False where there is none.

    Needs its hazard allowed, such as drops_table; for a table with rows that no verified backup holds, also
    without_backup. Raises UnsafeChangeError (also for what is protected), ApplyError (another object depends on it).
    """
    if declared.full_name in options.protect:
        raise UnsafeChangeError(f"{declared.full_name}: protected, so it is not dropped; take it off the protected "
                                "names first")
    with _connected(address, options) as (connection, capabilities), only_changer(connection, options.wait_seconds):
        dropped = _read_dropped(connection, capabilities, declared, options)
        if not dropped:
            return False
        steps = [replace(undeclared_kind.drop_step(live, backed_up=options.backed_up), allowed=declared.allow,
                         transaction=Transaction.SHARED) for live in dropped]
        run = Run(connection, replace(options, fingerprint=None), lambda _: None,
                  Guard(connection, capabilities, [declared.full_name]), Bodies(connection))
        for attempt in attempts(connection, options.attempts):
            with attempt:
                run.execute(Plan(tuple(steps)))
    return True


def _in_utc(address: Address, planned: Plan, diffs: Sequence[Diff[Any, Any]]) -> Plan:
    """The plan with warnings of retention over local time; raises UnsafeChangeError where it would create such."""
    limited = local_time.limited(diffs)
    if not limited:
        return planned
    further = local_time.warnings(limited, planned.steps, address.read_time_zone(), address.user)
    return replace(planned, warnings=(*planned.warnings, *further))


def _matches(connection: Connection[Any], declaration: Declaration) -> list[Match[Any, Any]]:
    return match(connection, declaration, read_objects(connection, declaration.capabilities, declaration.declared))


def _read_dropped(connection: Connection[Any], capabilities: Capabilities, declared: Object,
                  options: Options) -> list[Undeclared]:
    """What the server has of the object: one live object, or all jobs that do the same; nothing where it is absent."""
    live_objects = undeclared.of(connection, capabilities, declared, undeclared_kind.TYPES)
    if live_objects and isinstance(declared, Function | Aggregate):
        # Others of its name belong to somebody else, or are declared as well.
        own = _matches(connection, Declaration(capabilities, [declared], options))[0]
        wanted = own.scratch.inputs if own.scratch else own.live and own.live.inputs
        live_objects = [live for live in live_objects if own.live and own.live.inputs == wanted
                        and live.signature == f"{declared.name}({own.live.signature})"]
    return live_objects if isinstance(declared, Job) else live_objects[:1]


@contextmanager
def _connected(address: Address, options: Options) -> Iterator[tuple[Connection[Any], Capabilities]]:
    # Else a statement_timeout of the database would end the first queries.
    with (one_line_errors(address.database),
          address.connect(application_name=APPLICATION, options=UNLIMITED) as connection):
        capabilities = read_capabilities(connection)
        capabilities.require_usable()
        prepare(connection, capabilities, options.lock_timeout, options.statement_timeout)
        yield connection, capabilities


def _all_facts(diffs: Sequence[Diff[Any, Any]], declaration: Declaration) -> dict[str, dict[str, Any]]:
    """Plain facts of every object for the stack's outputs: none that changes with the data."""
    facts = {diff.name: _facts(diff) for diff in diffs}
    for declared in declaration.objects:
        name = declared.full_name
        missing = [part for part in declaration.left_out if part == name or part.startswith(f"{name}.")]
        facts[name] = {**facts.get(name, {}), "left_out": missing}
    return facts


def _facts(diff: Diff[Any, Any]) -> dict[str, Any]:
    live = diff.present
    facts: dict[str, Any] = {}
    if isinstance(live, LiveTable):
        facts["hypertable"] = live.table.hypertable is not None
        if live.table.hypertable:
            facts["chunk_interval"] = live.table.hypertable.chunk
    jobs = getattr(live, "jobs", ())
    facts["policies"] = {job.procedure.removeprefix("policy_"): job.id for job in jobs}
    return facts
