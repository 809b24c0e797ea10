"""What in-process runs of a stack made: kept in one file of the stack's folder, mode 0600, as it holds secrets."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

NAME = "inprocess.json"
# The state of Pulumi's that a record was taken over from, as encrypted as it was.
TAKEN_OVER = "pulumi-state.json"


@dataclass(frozen=True)
class Made:
    """One resource as it was last made; `stays`: destroy leaves it; `goes_with`: the URN of what it vanishes with.

    While one is `protected`, nothing is destroyed. `secrets` are the properties that are secret; None: nobody knows.
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


class Record:
    """The resources made, by URN in the order of their making, and the stack's outputs."""

    def __init__(self, folder: Path, made: dict[str, Made], outputs: dict[str, Any]) -> None:
        self.folder, self.made, self.outputs = folder, made, outputs

    @property
    def file(self) -> Path:
        """Where the record is kept."""
        return self.folder / NAME

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The record in this folder; an empty one where there is none."""
        try:
            kept = json.loads((folder / NAME).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return cls(folder, {}, {})
        return cls(folder, {urn: _made(entry) for urn, entry in kept["made"].items()}, kept["outputs"])

    def put(self, urn: str, made: Made) -> None:
        """Note a resource at once, so that a run that is killed loses no password."""
        self.made[urn] = made
        self.write()

    def drop(self, urn: str) -> None:
        """Note that a resource is gone."""
        del self.made[urn]
        self.write()

    def write(self) -> None:
        """Write the file whole, readable by its owner alone."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        kept = {"made": {urn: asdict(made) for urn, made in self.made.items()}, "outputs": self.outputs}
        draft = self.folder / f"{NAME}.draft"
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
            json.dump(kept, file)
        draft.replace(self.file)

    def delete(self) -> None:
        """Remove the file and the state it was taken over from, and the stack's folder where nothing else is in it."""
        for file in (self.file, self.folder / TAKEN_OVER):
            file.unlink(missing_ok=True)
        with suppress(OSError):
            self.folder.rmdir()


def _made(entry: dict[str, Any]) -> Made:
    secrets = entry.pop("secrets", None)
    return Made(**entry, secrets=None if secrets is None else tuple(secrets))
