"""Read a folder of SQL files as declarations."""

from __future__ import annotations

from pathlib import Path

from schema.catalog.queries import rows
from schema.connection import UNLIMITED, Address
from schema.errors import DeclarationError
from schema.export.adoption import adopt
from schema.export.sql_files.folder import read_statements
from schema.export.sql_files.loading import load
from schema.export.sql_files.lost_attributes import Differences, read_lost_attributes
from schema.export.sql_files.scratch_database import APPLICATION, ScratchDatabase, scratch_database
from schema.model.objects import Object


def read_declaration(address: Address, folder: Path, differences: Differences) -> tuple[Object, ...]:
    """Return what the CREATE statements in `folder` declare, each object after its dependencies.

    They run in a scratch database beside the live one at `address`, which itself is only read. `differences` compares
    what the catalogs hold of objects. Raises DeclarationError with file and line for a statement that fails or cannot
    be part of a declaration, and with a line for each object and attribute that no declaration can have;
    UnsupportedError where there can be no scratch database.
    """
    files = read_statements(folder)
    with scratch_database(address) as scratch:
        load(scratch, files)
        adopted = adopt(scratch.address)
        refused = [f"{folder}: {remark}" for remark in adopted.remarks]
        refused += _missing_extensions(scratch, folder)
        if not refused:
            lost = read_lost_attributes(address, scratch, adopted.objects, differences)
            refused += [f"{folder}: {line}" for line in lost]
    if refused:
        raise DeclarationError("\n".join(refused) + "; a declaration cannot have that, so that nothing was compared; "
                               "take it out of the files, and leave it to migrations of yours")
    return adopted.objects


def _missing_extensions(scratch: ScratchDatabase, folder: Path) -> list[str]:
    """Name the extensions that the live database lacks."""
    with scratch.address.connect(application_name=APPLICATION, options=UNLIMITED) as connection:
        extensions = [row["name"] for row in rows(connection, "extensions") if row["name"] not in scratch.extensions]
    return [f"{folder}: {name}: an extension that the live database lacks; create it there" for name in extensions]
