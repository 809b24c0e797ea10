"""Schemas as public projects have them go through the whole tool: adopted, exported, applied, changed, backed up.

What is still known to fail is listed in tests/support/schemas/corpus_known.py, each with its reason. A listed stage
that passes fails its test, so that the list shrinks with what is mended. `python -m tests.support.schemas.corpus NAME`
shows the faults. The five changes and the backup take several times as long as the rest, and what fails of them is
listed for a few files only: they run where LCDB_CORPUS=all.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.support.backed_up import Backed
from tests.support.machine import require
from tests.support.running.servers import Server
from tests.support.schemas.corpus import CHANGES, QUICK, STAGES, Trial, names, read_changes, rooms
from tests.support.schemas.corpus_known import KNOWN

TRIED = STAGES if os.environ.get("LCDB_CORPUS") == "all" else QUICK


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Backed]]:
    require("official", "s3", "clients")
    with rooms(tmp_path_factory.mktemp("corpus")) as (server, room):
        yield server, room


def test_the_corpus_is_whole() -> None:
    assert len(names()) >= 40
    assert {name: len(read_changes(name)) for name in names()} == dict.fromkeys(names(), CHANGES)


def test_the_list_names_files_and_stages_that_are_there_and_why() -> None:
    assert [(name, stage) for name, stage in KNOWN if name not in names() or stage not in STAGES] == []
    assert [fault for fault, reason in KNOWN.items() if len(reason) < 10] == []


@pytest.mark.parametrize("name", names())
def test_a_schema_passes_all_but_what_is_known_to_fail(name: str, place: tuple[Server, Backed]) -> None:
    server, room = place
    faults = Trial(name, server, room, TRIED).run().faults
    known = {stage for file, stage in KNOWN if file == name and stage in TRIED}
    assert {stage: fault for stage, fault in faults.items() if stage not in known} == {}
    mended = sorted(known - faults.keys())
    assert mended == [], f"{name}: {', '.join(mended)} passes now: remove it from tests/support/schemas/corpus_known.py"
