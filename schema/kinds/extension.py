"""Extensions: created before all else, updated to a declared version; never moved."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from schema.catalog.readers.foundations import extensions
from schema.errors import UnsupportedError
from schema.kinds import comment
from schema.kinds.kind import Drop, Kind
from schema.model.change.diff import Diff
from schema.model.change.step import Action, Hazard, Step
from schema.model.declarations.foundations import Extension
from schema.model.live.objects import LiveObject
from schema.model.names import ident, literal

ExtensionDiff = Diff[Extension, LiveObject[Extension]]


def definition(extension: Extension) -> str:
    """CREATE EXTENSION as SQL."""
    version = f" VERSION {literal(extension.version)}" if extension.version is not None else ""
    return f"CREATE EXTENSION IF NOT EXISTS {ident(extension.name)} SCHEMA {ident(extension.schema)}{version}"


def steps(diff: ExtensionDiff) -> tuple[list[Step], list[str]]:
    """Create the extension, or give it its version and comment; no step where it is as declared.

    Raises UnsupportedError where it is in another schema than declared.
    """
    declared, name = diff.declared, diff.name
    on = f"EXTENSION {ident(declared.name)}"
    if diff.live is None:
        steps = [Step(Action.CREATE, name, definition(declared), "the extension does not exist")]
        live_comment = None
    else:
        live = diff.live.object
        if live.schema != declared.schema:
            raise UnsupportedError(f"{name}: the extension is in schema {live.schema}, declared in {declared.schema}; "
                                   f"declare schema={live.schema!r}, or move it by hand (ALTER {on} SET SCHEMA "
                                   f"{ident(declared.schema)}) with all that names its objects")
        live_comment = live.comment
        steps = []
        if diff.canonical.version != live.version:
            steps.append(Step(Action.ALTER, name, f"ALTER {on} UPDATE TO {literal(declared.version)}",
                              f"its version is {live.version}"))
    comment_step = comment.step(on, name, declared.comment, live_comment)
    return [*steps, *([comment_step] if comment_step else [])], []


def settle(canonical: Extension, live: Extension | None) -> Extension:
    """The declaration with the live version where none is declared."""
    plain = replace(canonical, renamed_from=None, allow=())
    return replace(plain, version=live.version) if live is not None and canonical.version is None else plain


def errors(declared: Extension) -> Iterable[str]:
    """TimescaleDB, which has to be there before anything is declared, and another name, which no extension takes."""
    if declared.name == "timescaledb":
        yield ("timescaledb: this extension has to exist before anything can be planned; create it in the database and "
               "take it out of the declaration")
    if declared.renamed_from is not None:
        yield f"{declared.full_name}: an extension cannot be renamed; take renamed_from away"


KIND = Kind(
    Extension, resource="schema:Extension", page="extension.md", read=extensions.read, find=extensions.read_declared,
    server_words=None, settle=settle, steps=steps, lint=errors,
    drops=(Drop("extension", "DROP EXTENSION {}", Hazard.DROPS_EXTENSION),))
