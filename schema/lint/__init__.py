"""Find mistakes in the declarations, before any server is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from schema.errors import DeclarationError
from schema.kinds import grants, registry
from schema.lint import aggregates, hypertables, indexes, internals, names, references, sequences, table_options
from schema.lint.finding import Finding
from schema.model.objects import Object


def _alone(objects: Sequence[Object]) -> Iterable[str]:
    """Yield the findings of each object's kind in that declaration alone."""
    return (line for declared in objects
            for line in (*registry.of(declared).lint(declared), *grants.errors(declared)))


# What cannot be, or cannot work. Objects that are not among those given are not judged.
ERRORS: tuple[Callable[[Sequence[Object]], Iterable[str]], ...] = (
    names.errors, _alone, hypertables.errors, indexes.errors, references.errors, sequences.errors,
    aggregates.errors, table_options.errors)
# What works, but costs something or may be a slip; told only of a whole schema.
WARNINGS: tuple[Callable[[Sequence[Object]], Iterable[Finding]], ...] = (
    indexes.warnings, references.warnings, hypertables.warnings, internals.warnings, aggregates.warnings)


def lint(objects: Sequence[Object]) -> None:
    """Raise DeclarationError with every error found, one line each; do nothing where there is none."""
    findings = [line for errors in ERRORS for line in errors(objects)]
    if findings:
        raise DeclarationError("\n".join(findings))


def warnings(objects: Sequence[Object]) -> list[str]:
    """List the warnings about a whole schema, one line each, without those that the object allows."""
    allowed = {declared.full_name: declared.allow for declared in objects}
    return [finding.render() for warned in WARNINGS for finding in warned(objects)
            if finding.name not in allowed.get(finding.object, ())]
