"""The reference of an image with pgBackRest."""

from __future__ import annotations

from infra.local.recovery_image import FOLDER, NAME, archiving_reference


def test_the_build_context_is_in_the_checkout() -> None:
    assert (FOLDER / "Dockerfile").is_file()


def test_each_base_image_has_a_reference_of_its_own() -> None:
    first, second = archiving_reference("timescale/timescaledb:2.29.2-pg17"), archiving_reference("other:1")
    assert first.startswith(f"{NAME}:")
    assert first != second
