"""Views: replaced in place where their columns allow it, else dropped and created again with all that hangs on them,
and so are the views above them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from schema.catalog.readers import views
from schema.errors import UnsafeChangeError, UnsupportedError
from schema.kinds import comment, rights, view_parts
from schema.kinds.kind import Drop, Kind, ServerWords
from schema.model.change import renames
from schema.model.change.diff import Diff
from schema.model.change.step import Action, Hazard, Removed, Sort, Step
from schema.model.live.views import Dependant, LiveView
from schema.model.names import ident
from schema.model.objects import View

ViewDiff = Diff[View, LiveView]
INVOKER_SINCE = 150000
CHECKS = ("local", "cascaded")


def creation(view: View) -> Iterable[tuple[str, str]]:
    """Return (part, SQL) that create the view in an empty schema."""
    yield view.full_name, definition(view)
    yield from view_parts.creation(view)


def canonicalise(view: View, scratch: LiveView) -> View:
    """Return the declared view with query, defaults and triggers as the server spelled them."""
    return replace(view, query=scratch.object.query, check_option=scratch.object.check_option,
                   **view_parts.canonicalise(view, scratch.object))


def definition(view: View, *, replacing: bool = False) -> str:
    """CREATE VIEW as SQL."""
    options = [*(["security_barrier"] if view.security_barrier else []),
               *(["security_invoker"] if view.security_invoker else []),
               *([f"check_option = {view.check_option}"] if view.check_option else [])]
    given = f" WITH ({', '.join(options)})" if options else ""
    query = view.query.strip().rstrip(";")
    return f"CREATE {'OR REPLACE ' if replacing else ''}VIEW {ident(view.full_name)}{given} AS\n{query}"


def steps(diff: ViewDiff) -> tuple[list[Step], list[str]]:
    """Create the view, replace it, or drop and create it again; no step where it is as declared."""
    declared, name = diff.declared, diff.name
    _require_invoker(diff)
    live = diff.live.object if diff.live else None
    live_comment = live.comment if live else None
    if live is None:
        steps = [Step(Action.CREATE, name, definition(declared), "the view does not exist")]
    elif diff.context.recreated:
        again = [definition(declared), *_afterwards(declared, diff.present, diff.context.scratch)]
        steps = [Step(Action.CREATE, name, ";\n".join(again), "it was dropped for what it stands on to be changed")]
        live_comment = declared.comment
    else:
        steps = [renames.step("VIEW", diff.context.former_name, declared)] if diff.context.former_name else []
        if must_be_recreated(diff.canonical, diff.live, diff.context.scratch):
            steps.append(_again(diff))
            live_comment = declared.comment
        elif diff.canonical.query != live.query:
            steps.append(Step(Action.REPLACE, name, definition(declared, replacing=True), "its query differs"))
        else:
            steps += _options(diff.canonical, live)
    parts, warnings = view_parts.steps(diff)
    comment_step = comment.step(f"VIEW {ident(name)}", name, declared.comment, live_comment)
    return [*steps, *parts, *([comment_step] if comment_step else [])], warnings


def _options(canonical: View, live: View) -> list[Step]:
    """Set and reset what CREATE VIEW takes WITH."""
    steps = []
    for option in ("security_invoker", "security_barrier", "check_option"):
        value, before = getattr(canonical, option), getattr(live, option)
        if value != before:
            setting = f"SET ({option} = {'true' if value is True else value})" if value else f"RESET ({option})"
            shown = before if isinstance(before, str) else "on" if before else "off"
            steps.append(Step(Action.ALTER, canonical.full_name, f"ALTER VIEW {ident(canonical.full_name)} {setting}",
                              f"{option} is {shown}"))
    return steps


def must_be_recreated(canonical: View, live: LiveView | None, scratch: LiveView | None) -> bool:
    """Whether CREATE OR REPLACE would refuse: a live column is gone, or has another name or type."""
    if live is None or scratch is None or canonical.query == live.object.query:
        return False
    return scratch.columns[:len(live.columns)] != live.columns


def _again(diff: ViewDiff) -> Step:
    live, declared = diff.present, diff.declared
    before, after = around(diff.name, diff.context.dependants, "it has to be dropped and made again", as_declared)
    statements = [*before, f"DROP VIEW {ident(diff.name)}", definition(declared),
                  *_afterwards(declared, live, diff.context.scratch), *after]
    return Step(Action.REPLACE, diff.name, ";\n".join(statements),
                "its columns differ, so it is made again with its grants",
                cost="ACCESS EXCLUSIVE on the view, no table is read", drops=dropped_names(diff.context.dependants),
                removes=(Removed(Sort.RELATION, diff.name),))


def around(what: str, dependants: Sequence[Dependant], why: str,
           creation_of: Callable[[Dependant], list[str]]) -> tuple[list[str], list[str]]:
    """Return statements before and after a change, for the views in its way: they are dropped, and created again unless
    a step of their own does that `later`. UnsafeChangeError names those that nobody declares."""
    strange = [dependant.name for dependant in dependants if dependant.live is None or dependant.declared is None]
    if strange:
        raise UnsafeChangeError(f"{what}: {why}, and {', '.join(dict.fromkeys(strange))} stands on it and is not "
                                "declared as a view; declare it, or drop it and make it again yourself")
    order = {dependant.name: dependant for dependant in sorted(dependants, key=_depth)}
    before = [f"DROP VIEW {ident(name)}" for name in reversed(order)]
    return before, [text for dependant in order.values() if not dependant.later for text in creation_of(dependant)]


def _depth(dependant: Dependant) -> int:
    return dependant.depth


def dropped_names(dependants: Sequence[Dependant]) -> tuple[str, ...]:
    """Return the full names of the views that `around` drops."""
    return tuple(dict.fromkeys(dependant.name for dependant in dependants))


def as_declared(dependant: Dependant) -> list[str]:
    """Return the statements that create a dropped view as it is declared."""
    assert dependant.declared is not None
    assert dependant.live is not None
    return [definition(dependant.declared), *_afterwards(dependant.declared, dependant.live)]


def as_it_was(dependant: Dependant) -> list[str]:
    """Return the statements that create a dropped view as it was before."""
    assert dependant.live is not None
    return [definition(dependant.live.object), *_afterwards(dependant.live.object, dependant.live)]


def _afterwards(declared: View, live: LiveView, created: LiveView | None = None) -> list[str]:
    """The statements that give a view that was created again what the live one had: comment, defaults, triggers, rules,
    and its rights last. Where the declaration says otherwise, steps of their own follow."""
    columns = [name for name, _ in (created or live).columns]
    comment_step = comment.step(f"VIEW {ident(declared.full_name)}", "", declared.comment, None)
    return [*([comment_step.sql] if comment_step else []), *view_parts.restore(declared, live.object, columns),
            *live.rules, *rights.restore("VIEW", ident(declared.full_name), live.rights, columns)]


def _require_invoker(diff: ViewDiff) -> None:
    if diff.declared.security_invoker and 0 < diff.context.server_version < INVOKER_SINCE:
        raise UnsupportedError(f"{diff.name}: security_invoker needs PostgreSQL {INVOKER_SINCE // 10000} or "
                               f"later, found {diff.context.server_version // 10000}; declare the view without it, or "
                               "upgrade the server")


def errors(view: View) -> Iterable[str]:
    """Return what is wrong in a view by itself: an unknown check option, and parts that are declared twice."""
    if view.check_option is not None and view.check_option.lower() not in CHECKS:
        yield f"{view.full_name}: check_option {view.check_option!r} is not known; use one of {', '.join(CHECKS)}"
    yield from view_parts.errors(view)


KIND = Kind(
    View, resource="schema:View", page="view.md", read=views.read, server_words=ServerWords(creation, canonicalise),
    steps=steps, lint=errors, drops=(Drop("view", "DROP VIEW {}", Hazard.DROPS_VIEW, first=True),))
