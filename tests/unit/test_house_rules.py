"""What CONTRIBUTING says of files, functions and names, held against the packages."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from pulumi.dynamic import Resource, ResourceProvider

import infra.program.schema  # noqa: F401 - declares the resources
from tests.support.imports import PACKAGES

ROOT = Path(__file__).parents[2]
FILES = [ROOT / "__main__.py", *(path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py")))]
LINES, FUNCTION_LINES, ENTRIES = 300, 40, 16
# One step after the other, for which no part would be a concept of its own.
LONG = {"backups/physical/point_in_time.py recover": 60, "cli/commands/backup/restore.py restore": 60,
        "backups/drill/comparison.py compare": 50, "seed/generate/readings/measurements.py _values": 45,
        "backups/logical/backup.py run_logical": 45}
# Many and alike: one file for each kind of object or part of one, one for each query, schema or figure.
WIDE = {"schema/kinds", "schema/catalog/sql", "tests/database/kinds", "tests/corpus", "bench/results",
        # its streets, and beside them the three names that files of declarations import
        "schema"}
# Type tokens of resources, and the classes of their providers: every state file holds both.
FROZEN = {
    "access:Password": "access.PasswordProvider", "access:DatabaseSettings": "access.DatabaseSettingsProvider",
    "access:DatabaseOwner": "embedded.DatabaseOwnerProvider", "backup:RunnerBuild": "backup.RunnerBuildProvider",
    "docker:BaseImage": "docker.BaseImageProvider", "embedded:EmbeddedServer": "embedded.EmbeddedServerProvider",
    "schema:Table": "schema.TableProvider", "schema:ContinuousAggregate": "schema.ContinuousAggregateProvider",
    "schema:View": "schema.ViewProvider", "schema:Function": "schema.FunctionProvider",
    "schema:Enum": "schema.EnumProvider", "schema:Job": "schema.JobProvider", "seed:Seed": "schema.SeedProvider",
    "schema:Extension": "schema.ExtensionProvider", "schema:Schema": "schema.SchemaProvider",
    "schema:Collation": "schema.CollationProvider",
    "schema:Sequence": "schema.SequenceProvider", "schema:Domain": "schema.DomainProvider",
    "schema:CompositeType": "schema.CompositeTypeProvider",
    "storage:Certificate": "storage.CertificateProvider", "storage:Gateway": "storage.GatewayProvider",
    "storage:GatewayBuild": "storage.GatewayBuildProvider", "storage:Bucket": "storage.BucketProvider"}
SAY_NOTHING = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}


@pytest.mark.parametrize("package", PACKAGES)
def test_files_are_short(package: str) -> None:
    lengths = {name(path): len(path.read_text().splitlines()) for path in (ROOT / package).rglob("*.py")}
    assert {path: lines for path, lines in lengths.items() if lines > LINES} == {}


def test_functions_are_short() -> None:
    lengths = {f"{name(path)} {node.name}": (node.end_lineno or 0) - node.lineno + 1
               for path in FILES for node in ast.walk(ast.parse(path.read_text()))
               if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    assert {function: lines for function, lines in lengths.items() if lines > LONG.get(function, FUNCTION_LINES)} == {}


def test_folders_are_narrow() -> None:
    tracked = [path for package in (*PACKAGES, "tests", "bench") for path in (ROOT / package).rglob("*")
               if path.name not in ("__init__.py", "__pycache__") and path.suffix != ".pyc"]
    widths = Counter(name(path.parent) for path in tracked)
    assert {folder: width for folder, width in widths.items() if width > ENTRIES and folder not in WIDE} == {}


def test_names_of_modules_say_what_is_inside() -> None:
    assert [name(path) for path in FILES if path.stem in SAY_NOTHING or path.parent.name in SAY_NOTHING] == []


def test_tokens_that_state_files_hold_are_registered() -> None:
    tokens = {cls._resource_type_name for cls in _subclasses(Resource)}
    assert {f"dynamic/{token}" for token in FROZEN} - tokens == set()


@pytest.mark.parametrize("provider", sorted(set(FROZEN.values())))
def test_providers_that_state_files_hold_are_where_they_look(provider: str) -> None:
    module, _, cls = provider.partition(".")
    assert issubclass(getattr(import_module(f"infra.providers.{module}"), cls), ResourceProvider)


def _subclasses(cls: type[Resource]) -> Iterator[type[Resource]]:
    for subclass in cls.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()
