"""Objects that nobody declares: reported, and dropped only where their hazards are allowed by name."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from schema.kinds import registry
from schema.kinds.kind import Drop
from schema.model.change.step import Action, Hazard, Step, Transaction
from schema.model.live.objects import Undeclared
from schema.model.names import ident, with_article
from schema.model.objects import Object

# In the order in which they go.
DROPS: Mapping[str, Drop] = {drop.word: drop for kind in registry.KINDS for drop in kind.drops}
TYPES: Mapping[str, type[Object]] = {drop.word: kind.declaration for kind in registry.KINDS for drop in kind.drops}


# Dropped by their signature, not by their name with its schema.
UNQUALIFIED = frozenset({"job", "extension", "schema"})


@dataclass(frozen=True)
class Dropping:
    """Steps before and after all others, and what is left in place."""

    before: tuple[Step, ...] = ()
    after: tuple[Step, ...] = ()
    warnings: tuple[str, ...] = ()


NOTHING = Dropping()


def plan(undeclared: Sequence[Undeclared], allowed: Collection[str], protect: Collection[str], *,
         backed_up: bool) -> Dropping:
    """Drop what may be dropped, newest first, with a warning for what stays. `undeclared` is ordered oldest first."""
    before: list[Step] = []
    after: list[Step] = []
    warnings: list[str] = []
    order = list(DROPS)

    def rank(kind: str) -> int:
        # Functions, types and sequences depend on each other in any order of kinds, but seldom on newer ones.
        return min(order.index(kind), order.index("function")) if kind not in ("extension", "schema") else len(order)

    newest_first = list(reversed(undeclared))
    for live in sorted(newest_first, key=lambda live: rank(live.kind)):
        hazards = _hazards(live, backed_up)
        missing = [hazard for hazard in hazards if hazard not in allowed]
        if live.name in protect:
            warnings.append(f"{live.name} is {with_article(live.kind)} that is not declared, and protected: it was "
                            "left in place; declare it, or take it off the protected names")
        elif missing:
            warnings.append(f"{live.name} is {with_article(live.kind)} that is not declared and was left in place; "
                            f"declare it, or allow {' and '.join(missing)} to drop it")
        else:
            before += [_drop_key(live, name) for name in live.foreign_keys]
            (before if DROPS[live.kind].first else after).append(_drop(live, hazards))
    return Dropping(tuple(before), tuple(after), tuple(warnings))


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
