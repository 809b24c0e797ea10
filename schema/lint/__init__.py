"""Find what is wrong in the declarations themselves, before any server is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from schema.errors import DeclarationError
from schema.kinds import registry
from schema.lint import aggregates, hypertables, indexes, names, references
from schema.lint.finding import Finding
from schema.model.objects import Object


def _alone(objects: Sequence[Object]) -> Iterable[str]:
    """What each kind finds wrong in one declaration by itself."""
    return (line for each in objects for line in registry.of(each).lint(each))


# What cannot be, or cannot work. Objects that are not among those given are not judged.
ERRORS: tuple[Callable[[Sequence[Object]], Iterable[str]], ...] = (
    names.errors, _alone, hypertables.errors, indexes.errors, references.errors, aggregates.errors)
# What works, but costs something or may be a slip; told only of a whole schema.
WARNINGS: tuple[Callable[[Sequence[Object]], Iterable[Finding]], ...] = (
    indexes.warnings, references.warnings, aggregates.warnings)


def lint(objects: Sequence[Object]) -> None:
    """Raise DeclarationError with every finding, one line each."""
    findings = [line for errors in ERRORS for line in errors(objects)]
    if findings:
        raise DeclarationError("\n".join(findings))


def warnings(objects: Sequence[Object]) -> list[str]:
    """What a whole schema's declarations had better say otherwise, one line each; what an object allows is left out."""
    allowed = {each.full_name: each.allow for each in objects}
    return [finding.render() for warned in WARNINGS for finding in warned(objects)
            if finding.name not in allowed.get(finding.object, ())]
