"""Composite types: attributes are added at the end, dropped and renamed in place, and given other types while no table
holds values of the type; PostgreSQL cannot move them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from schema.catalog.readers.foundations import types
from schema.errors import UnsupportedError
from schema.kinds import comment, rebuilt_type
from schema.kinds.kind import Drop, Kind, ServerWords
from schema.model.change import renames
from schema.model.change.diff import Diff
from schema.model.change.step import Action, Hazard, Removed, Sort, Step
from schema.model.declarations.foundations import Attribute, CompositeType
from schema.model.live.types import LiveType
from schema.model.names import ident, repeated

CompositeDiff = Diff[CompositeType, LiveType[CompositeType]]


def definition(declared: CompositeType) -> str:
    """CREATE TYPE as SQL."""
    return f"CREATE TYPE {ident(declared.full_name)} AS ({', '.join(map(_attribute, declared.attributes))})"


def _attribute(attribute: Attribute) -> str:
    collation = f" COLLATE {attribute.collation}" if attribute.collation is not None else ""
    return f"{ident(attribute.name)} {attribute.type}{collation}"


def creation(declared: CompositeType) -> Iterable[tuple[str, str]]:
    """(part, SQL) that make the type where nothing is."""
    yield declared.full_name, definition(declared)


def canonicalise(declared: CompositeType, scratch: LiveType[CompositeType]) -> CompositeType:
    """The declared type with its attributes in the server's words."""
    created = {attribute.name: attribute for attribute in scratch.object.attributes}
    return replace(declared, attributes=tuple(
        replace(attribute, type=created[attribute.name].type, collation=created[attribute.name].collation,
                renamed_from=None) for attribute in declared.attributes))


def steps(diff: CompositeDiff) -> tuple[list[Step], list[str]]:
    """Create the type, or alter its attributes; no step where it is as declared.

    Raises UnsupportedError where the server cannot make it so and something stands on it.
    """
    declared, name = diff.declared, diff.name
    if diff.live is None:
        steps = [Step(Action.CREATE, name, definition(declared), "the type does not exist")]
        return [*steps, *_comments(declared, None)], []
    steps = [renames.step("TYPE", diff.context.former_name, declared)] if diff.context.former_name else []
    live, renamed = _renamed(diff, diff.live.object)
    steps += renamed
    names = [attribute.name for attribute in declared.attributes]
    undeclared = [attribute.name for attribute in live.attributes if attribute.name not in names]
    warnings: list[str] = []
    if Hazard.DROPS_COLUMN not in diff.allowed:
        warnings = [f"{name}.{attribute} is not declared and was left in place; declare it, or allow "
                    f"{Hazard.DROPS_COLUMN} to drop it" for attribute in undeclared]
    kept = [attribute.name for attribute in live.attributes if attribute.name in names]
    order = [*kept, *(attribute for attribute in names if attribute not in kept)]
    if order != names:
        why = f"its attributes are ({', '.join(kept)}), declared as ({', '.join(names)})"
        return [*steps, rebuilt_type.again("TYPE", name, diff.live, definition(declared), why),
                *_comments(declared, None)], []
    steps += _dropped(diff, undeclared) if not warnings else []
    steps += _changed(diff, live)
    return [*steps, *_comments(declared, live)], warnings


def _renamed(diff: CompositeDiff, live: CompositeType) -> tuple[CompositeType, list[Step]]:
    """The live type with its attributes under their declared names, and the steps to that."""
    by_name = {attribute.name for attribute in live.attributes}
    names = {attribute.renamed_from: attribute.name for attribute in diff.declared.attributes
             if attribute.renamed_from in by_name and attribute.name not in by_name}
    steps = [_step(diff, new, f"RENAME ATTRIBUTE {ident(old)} TO {ident(new)}", f"it is called {old}",
                   action=Action.RENAME) for old, new in names.items() if old is not None]
    return replace(live, attributes=tuple(replace(attribute, name=names.get(attribute.name, attribute.name))
                                          for attribute in live.attributes)), steps


def _dropped(diff: CompositeDiff, names: Sequence[str]) -> list[Step]:
    """Drop attributes, with the values of them that tables hold."""
    return [replace(_step(diff, name, f"DROP ATTRIBUTE {ident(name)}", "nobody declares the attribute",
                          Hazard.DROPS_COLUMN, action=Action.DROP), removes=(Removed(Sort.ATTRIBUTE, diff.name, name),))
            for name in names]


def _changed(diff: CompositeDiff, live: CompositeType) -> list[Step]:
    """Add the attributes that are missing, and give the others their types."""
    by_name = {attribute.name: attribute for attribute in live.attributes}
    steps = []
    for declared, canonical in zip(diff.declared.attributes, diff.canonical.attributes, strict=True):
        one = by_name.get(canonical.name)
        if one is None:
            steps.append(_step(diff, canonical.name, f"ADD ATTRIBUTE {_attribute(declared)}",
                               "the attribute does not exist", action=Action.CREATE))
        elif (canonical.type, canonical.collation) != (one.type, one.collation):
            was = f"{one.type} COLLATE {one.collation}" if one.collation else one.type
            _require_no_values(diff, f"{diff.name}.{canonical.name}: its type is {was}, declared as "
                                           f"{_attribute(declared)[len(ident(declared.name)) + 1:]}")
            collation = f" COLLATE {declared.collation}" if declared.collation is not None else ""
            steps.append(_step(diff, canonical.name,
                               f"ALTER ATTRIBUTE {ident(canonical.name)} TYPE {declared.type}{collation}",
                               f"its type is {was}"))
    return steps


def _require_no_values(diff: CompositeDiff, what: str) -> None:
    columns = diff.present.columns
    if columns:
        raise UnsupportedError(f"{what}, and PostgreSQL cannot change that while {columns[0].name} holds values of "
                               f"{diff.name}; declare it as it is, or declare a new type and change the column's "
                               "type to that")


def _step(diff: CompositeDiff, attribute: str, change: str, why: str, *hazards: Hazard,
          action: Action = Action.ALTER) -> Step:
    return Step(action, f"{diff.name}.{attribute}", f"ALTER TYPE {ident(diff.name)} {change}", why, hazards)


def _comments(declared: CompositeType, live: CompositeType | None) -> list[Step]:
    """Make the comments of the type and of its attributes the declared ones."""
    on, name = ident(declared.full_name), declared.full_name
    by_name = {attribute.name: attribute.comment for attribute in live.attributes} if live else {}
    steps = [comment.step(f"TYPE {on}", name, declared.comment, live.comment if live else None)]
    steps += [comment.step(f"COLUMN {on}.{ident(attribute.name)}", f"{name}.{attribute.name}", attribute.comment,
                           by_name.get(attribute.name)) for attribute in declared.attributes]
    return [step for step in steps if step]


def errors(declared: CompositeType) -> Iterable[str]:
    """Attributes of one name."""
    yield from (f"{declared.full_name}: attribute {name} is declared twice; keep one"
                for name in repeated(attribute.name for attribute in declared.attributes))


KIND = Kind(
    CompositeType, resource="schema:CompositeType", page="composite-type.md", read=types.read_composite_types,
    server_words=ServerWords(creation, canonicalise), steps=steps, lint=errors,
    drops=(Drop("composite type", "DROP TYPE {}", Hazard.DROPS_COMPOSITE_TYPE),))
