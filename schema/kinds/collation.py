"""Collations: renamed in place; made again where they differ, which the server allows only while nothing uses them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from schema.catalog.readers.foundations import types
from schema.kinds import comment, rebuilt_type
from schema.kinds.kind import Drop, Kind, ServerWords
from schema.model.change import renames
from schema.model.change.diff import Diff
from schema.model.change.step import Action, Hazard, Step
from schema.model.declarations.foundations import Collation
from schema.model.live.types import LiveType
from schema.model.names import ident, literal

CollationDiff = Diff[Collation, LiveType[Collation]]
PROVIDERS = ("icu", "libc", "builtin")


def definition(collation: Collation) -> str:
    """CREATE COLLATION as SQL."""
    options = [f"provider = {collation.provider}"]
    if collation.provider == "libc" and collation.character_types is not None:
        options += [f"lc_collate = {literal(collation.locale)}", f"lc_ctype = {literal(collation.character_types)}"]
    else:
        options.append(f"locale = {literal(collation.locale)}")
    options += ["deterministic = false"] if not collation.deterministic else []
    options += [f"rules = {literal(collation.rules)}"] if collation.rules is not None else []
    return f"CREATE COLLATION {ident(collation.full_name)} ({', '.join(options)})"


def creation(collation: Collation) -> Iterable[tuple[str, str]]:
    """(part, SQL) that make the collation where nothing is."""
    yield collation.full_name, definition(collation)


def canonicalise(collation: Collation, scratch: LiveType[Collation]) -> Collation:
    """The declared collation with its locale in the server's words."""
    return replace(collation, locale=scratch.object.locale, rules=scratch.object.rules,
                   character_types=scratch.object.character_types)


def steps(diff: CollationDiff) -> tuple[list[Step], list[str]]:
    """Create the collation, or make it again where it differs; no step where it is as declared."""
    declared, name = diff.declared, diff.name
    steps: list[Step] = []
    live_comment = None
    if diff.live is None:
        steps.append(Step(Action.CREATE, name, definition(declared), "the collation does not exist"))
    else:
        live = diff.live
        steps += [renames.step("COLLATION", diff.context.former_name, declared)] if diff.context.former_name else []
        live_comment = live.object.comment
        if replace(diff.canonical, comment=live_comment) != live.object:
            steps.append(rebuilt_type.again("COLLATION", name, live, definition(declared),
                                            f"it is {definition(live.object)}"))
            live_comment = None
    comment_step = comment.step(f"COLLATION {ident(name)}", name, declared.comment, live_comment)
    return [*steps, *([comment_step] if comment_step else [])], []


def errors(declared: Collation) -> Iterable[str]:
    """Providers that are not known, and options that another provider takes."""
    name = declared.full_name
    if declared.provider not in PROVIDERS:
        yield f"{name}: provider {declared.provider!r} is not known; use one of {', '.join(PROVIDERS)}"
    if declared.character_types is not None and declared.provider != "libc":
        yield f"{name}: character_types is declared, which libc alone takes, and the provider is {declared.provider}"
    if declared.rules is not None and declared.provider != "icu":
        yield f"{name}: rules are declared, which icu alone takes, and the provider is {declared.provider}"
    if not declared.deterministic and declared.provider != "icu":
        yield f"{name}: deterministic is False, which icu alone takes, and the provider is {declared.provider}"


KIND = Kind(
    Collation, resource="schema:Collation", page="collation.md", read=types.read_collations,
    server_words=ServerWords(creation, canonicalise), steps=steps, lint=errors,
    drops=(Drop("collation", "DROP COLLATION {}", Hazard.DROPS_COLLATION),))
