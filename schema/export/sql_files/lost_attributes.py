"""What declarations do not say of the objects that they were read from, found by building them a second time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from schema.capabilities import Edition
from schema.catalog.attributes import Attributes, read_attributes
from schema.catalog.queries import read_capabilities
from schema.connection import UNLIMITED, Address
from schema.export.plain_sql import dump
from schema.export.sql_files.loading import load
from schema.export.sql_files.scratch_database import APPLICATION, ScratchDatabase, scratch_database
from schema.export.sql_files.statements import split
from schema.model.objects import Object

# (attributes before, attributes after, names of what may differ) -> a line for each difference.
Differences = Callable[[Sequence[Attributes], Sequence[Attributes], Collection[str]], list[str]]


def read_lost_attributes(live: Address, scratch: ScratchDatabase, objects: Sequence[Object],
                         differences: Differences) -> list[str]:
    """Build the declarations in a second scratch database; return, a line each, which attributes of the first one's
    objects they lose, such as a column's collation, and which parts, such as a rule.
    """
    if not objects:
        return []
    names = [declared.full_name for declared in objects]
    edition: Edition = "timescale" if scratch.capabilities.community else "apache"
    with scratch_database(live) as second:
        load(second, [list(split(dump(objects, edition), "the declaration made of the files"))])
        before, after = _read(scratch, names, 0), _read(second, names, 1)
    return differences(before, after, ())


def _read(scratch: ScratchDatabase, names: Sequence[str], number: int) -> list[Attributes]:
    """Read the attributes with one number for all objects, so that these are paired by their names."""
    with scratch.address.connect(application_name=APPLICATION, options=UNLIMITED) as connection:
        connection.execute("SELECT set_config('search_path', 'public', false)")
        entries = read_attributes(connection, read_capabilities(connection), names)
    return [replace(entry, number=(number, 0), values=_comparable(entry.values)) for entry in entries]


def _comparable(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values without numbers of objects, which are others in every database; of a parsed body whether there is one.
    """
    kept = {name: value for name, value in values.items() if name != "tgfoid"}
    return {**kept, "prosqlbody": bool(kept["prosqlbody"])} if "prosqlbody" in kept else kept
