"""The record of what in-process runs of a stack created: one file of its folder, mode 0600, as it holds secrets."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from infra.inprocess.urns import as_engine

NAME = "inprocess.json"
# The Pulumi state that a record was converted from, with its secrets still encrypted.
TAKEN_OVER = "pulumi-state.json"


@dataclass(frozen=True)
class Entry:
    """One resource as it was last created or updated.

    `stays`: destroy leaves it. `goes_with`: the URN of the resource whose removal removes it too. `protected`: nothing
    is destroyed while one resource is. `secrets`: the properties that are secret, None where that is not known.
    `parent`: the URN of its component, empty for none.
    """

    type: str
    name: str
    id: str
    inputs: Mapping[str, Any] = field(repr=False)
    outputs: Mapping[str, Any] = field(repr=False)
    goes_with: str = ""
    stays: bool = False
    protected: bool = False
    secrets: tuple[str, ...] | None = None
    parent: str = ""


class Record:
    """The resources that were created, by URN in the order of creation, and the stack's outputs."""

    def __init__(self, folder: Path, entries: dict[str, Entry], outputs: dict[str, Any]) -> None:
        """Keep the record in memory; `write` puts it into `folder`."""
        self.folder, self.entries, self.outputs = folder, entries, outputs

    @property
    def file(self) -> Path:
        """Where the record is kept."""
        return self.folder / NAME

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the record in this folder; an empty one where there is none."""
        try:
            kept = json.loads((folder / NAME).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return cls(folder, {}, {})
        entries = {as_engine(urn): _read_entry(values) for urn, values in kept["made"].items()}
        return cls(folder, entries, kept["outputs"])

    def put(self, urn: str, entry: Entry) -> None:
        """Add or replace a resource and write the file at once, so that a killed run loses no password."""
        self.entries[urn] = entry
        self.write()

    def move(self, urn: str, former: Iterable[str]) -> None:
        """Have under `urn` what is known under one of its former URNs, with every mention of it; nothing is written."""
        old = next((other for other in former if other in self.entries), None)
        if old is None or urn in self.entries:
            return
        self.entries = {urn if key == old else key: replace(entry, goes_with=urn) if entry.goes_with == old else entry
                        for key, entry in self.entries.items()}

    def drop(self, urn: str) -> None:
        """Remove a resource and write the file."""
        del self.entries[urn]
        self.write()

    def write(self) -> None:
        """Replace the file at once, readable by its owner alone."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        kept = {"made": {urn: asdict(entry) for urn, entry in self.entries.items()}, "outputs": self.outputs}
        draft = self.folder / f"{NAME}.draft"
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
            json.dump(kept, file)
        draft.replace(self.file)

    def delete(self) -> None:
        """Delete the file, the state that it was converted from, and the stack's folder if that is empty then."""
        for file in (self.file, self.folder / TAKEN_OVER):
            file.unlink(missing_ok=True)
        with suppress(OSError):
            self.folder.rmdir()


def _read_entry(values: dict[str, Any]) -> Entry:
    secrets, goes_with = values.pop("secrets", None), as_engine(values.pop("goes_with"))
    return Entry(**values, goes_with=goes_with, secrets=None if secrets is None else tuple(secrets))
