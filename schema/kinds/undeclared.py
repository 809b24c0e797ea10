"""Objects that nobody declares: reported, and dropped only where their hazards are allowed by name."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from schema.kinds import registry
from schema.kinds.kind import Drop
from schema.model.change.needs import Ends, droppable
from schema.model.change.step import Action, Hazard, Step, Transaction
from schema.model.live.objects import Address, Undeclared
from schema.model.names import ident, with_article
from schema.model.objects import Object

# In the order in which they go.
DROPS: Mapping[str, Drop] = {drop.word: drop for kind in registry.KINDS for drop in kind.drops}
TYPES: Mapping[str, type[Object]] = {drop.word: kind.declaration for kind in registry.KINDS for drop in kind.drops}


# Dropped by their signature, not by their name with its schema.
UNQUALIFIED = frozenset({"job", "extension", "schema"})


@dataclass(frozen=True)
class Dropping:
    """Steps before and after all others, and what is left in place: `needed` as others need it, by name the line."""

    before: tuple[Step, ...] = ()
    after: tuple[Step, ...] = ()
    warnings: tuple[str, ...] = ()
    needed: Mapping[str, str] = field(default_factory=dict)


NOTHING = Dropping()


def plan(undeclared: Sequence[Undeclared], allowed: Collection[str], protect: Collection[str], *, backed_up: bool,
         ends: Ends) -> Dropping:
    """Drop what may be dropped, newest first, but each after what needs it, with a warning for what stays.

    What is needed by anything that stays stays, unless that need `ends`. `undeclared` is ordered oldest first.
    """
    wanted: list[Undeclared] = []
    warnings: list[str] = []
    order = list(DROPS)

    def rank(kind: str) -> int:
        # Functions, types and sequences depend on each other in any order of kinds, but seldom on newer ones.
        return min(order.index(kind), order.index("function")) if kind not in ("extension", "schema") else len(order)

    newest_first = list(reversed(undeclared))
    for live in sorted(newest_first, key=lambda live: rank(live.kind)):
        missing = missing_hazards(live, allowed, backed_up=backed_up)
        if live.name in protect:
            warnings.append(f"{live.name} is {with_article(live.kind)} that is not declared, and protected: it was "
                            "left in place; declare it, or take it off the protected names")
        elif missing:
            warnings.append(f"{live.name} is {with_article(live.kind)} that is not declared and was left in place; "
                            f"declare it, or allow {' and '.join(missing)} to drop it")
        else:
            wanted.append(live)
    free = droppable(wanted, ends)
    needed = {live.name: left_in_place(live, reasons) for live, reasons in free.staying.items()}
    keys = [_drop_key(live, name) for live in free.going for name in live.foreign_keys]
    first = _first(free.going)
    before = [_drop(live, _hazards(live, backed_up)) for live in free.going if live.address in first]
    after = [_drop(live, _hazards(live, backed_up)) for live in free.going if live.address not in first]
    return Dropping((*keys, *before), tuple(after), (*warnings, *needed.values()), needed)


def _first(going: Sequence[Undeclared]) -> set[Address]:
    """What is dropped before everything else: nothing needs it by then but what is dropped so, too."""
    first: set[Address] = set()
    for live in going:
        if DROPS[live.kind].first and all(need.owner in first for need in live.needed_by):
            first.add(live.address)
    return first


def left_in_place(live: Undeclared, reasons: Sequence[str]) -> str:
    """Return the line about an undeclared object that stays because others need it."""
    verb = "needs" if len(reasons) == 1 else "need"
    return (f"{live.name} is {with_article(live.kind)} that is not declared and was left in place, as "
            f"{' and '.join(reasons)} {verb} it; declare it, or change or drop first what needs it")


def missing_hazards(live: Undeclared, allowed: Collection[str], *, backed_up: bool) -> list[Hazard]:
    """Return what would have to be allowed for the object to be dropped."""
    return [hazard for hazard in _hazards(live, backed_up) if hazard not in allowed]


def hazard(declared: Object) -> Hazard:
    """The hazard of dropping the object."""
    return registry.of(declared).drops[0].hazard


def drop_step(live: Undeclared, *, backed_up: bool) -> Step:
    """Drop the object, whoever asks for it."""
    return _drop(live, _hazards(live, backed_up))


def _hazards(live: Undeclared, backed_up: bool) -> tuple[Hazard, ...]:
    hazard = DROPS[live.kind].hazard
    return (hazard, Hazard.WITHOUT_BACKUP) if live.has_rows and not backed_up else (hazard,)


def _drop(live: Undeclared, hazards: tuple[Hazard, ...]) -> Step:
    name = live.signature if live.kind in UNQUALIFIED else _qualified(live)
    return Step(Action.DROP, live.name, DROPS[live.kind].statement.format(name), f"nobody declares the {live.kind}",
                hazards, Transaction.OWN)


def _drop_key(live: Undeclared, name: str) -> Step:
    return Step(Action.DROP, f"{live.name}.{name}", f"ALTER TABLE {ident(live.name)} DROP CONSTRAINT {ident(name)}",
                "its table is going to be dropped", (Hazard.DROPS_TABLE,), Transaction.OWN)


def _qualified(live: Undeclared) -> str:
    name, _, arguments = live.signature.partition("(")
    own = ident(name) if live.schema == "public" else f"{ident(live.schema)}.{ident(name)}"
    return f"{own}({arguments}" if arguments else own
