"""The map leads somewhere: its picture is of today's imports, and every file and name that pages give exists."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.import_map import draw, make_panel
from tests.support.imports import PACKAGES, Imports, read_imports, without_detours

ROOT = Path(__file__).parents[2]
PAGES = ("ARCHITECTURE.md", "README.md", "CONTRIBUTING.md",
         *sorted(str(page.relative_to(ROOT)) for page in (ROOT / "docs").rglob("*.md")))
# Of these every name in backticks is looked for, too.
MAPS = ("ARCHITECTURE.md", "docs/schema/add-a-kind.md")
PATH = re.compile(r"^[\w.-]+(/[\w.-]+)*/?$")
SUFFIXES = (".py", ".md", ".yaml", ".toml", ".in", ".txt", ".svg", ".sql")
NAME = re.compile(r"^_?[A-Za-z]\w*(\(\))?$")
# What commands make, what is in a backup, what a reader's own program has.
NOT_OURS = (".venv", ".lcdb", "manifest.json", "structure.dump", "verified/", "drills/", "report/", "sent/",
            "Pulumi.recovered.yaml", "Pulumi.mine.local.yaml",
            "config/database.php", "database/schema/pgsql-schema.sql")


@pytest.fixture(scope="module")
def imports() -> Imports:
    return read_imports(ROOT)


def test_the_picture_in_docs_is_of_todays_imports(imports: Imports) -> None:
    assert (ROOT / "docs" / "imports.svg").read_text() == draw(imports), \
        "run `python -m tests.support.import_map > docs/imports.svg`, look at it, and commit it"


@pytest.mark.parametrize("package", PACKAGES)
def test_every_arrow_of_the_picture_leads_down(imports: Imports, package: str) -> None:
    nodes = [node for layer in make_panel(imports, package).layers for node in layer]
    assert all(below.layer == node.layer + 1 for node in nodes for below in node.below)


def test_a_circle_of_streets_is_refused() -> None:
    with pytest.raises(ValueError, match="in a circle: a -> b -> a"):
        without_detours({"a": frozenset({"b"}), "b": frozenset({"a"})})


def test_an_import_that_a_longer_way_implies_has_no_arrow() -> None:
    edges = {"a": frozenset({"b", "c"}), "b": frozenset({"c"}), "c": frozenset[str]()}
    assert without_detours(edges) == {**edges, "a": frozenset({"b"})}


def test_every_street_is_on_the_map(imports: Imports) -> None:
    page = (ROOT / "ARCHITECTURE.md").read_text()
    folders = [street.replace(".", "/") for package in PACKAGES for street in imports.streets(package)
               if imports.files.get(street, Path("x.py")).name == "__init__.py"]
    assert [folder for folder in folders if f"`{folder}/`" not in page] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_path_on_the_page_exists(page: str) -> None:
    assert [path for _, paths, _ in passages(page) for path in paths if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("page", MAPS)
def test_every_name_on_the_map_is_in_a_file_that_its_passage_names(page: str) -> None:
    missing = [(name, text.splitlines()[0]) for text, paths, names in passages(page) for name in names
               if not any(name in defined(path) for path in paths)]
    assert missing == []


def test_the_code_in_add_a_kind_is_the_real_one() -> None:
    quoted = re.findall(r"^```python\n(.*?)^```", (ROOT / "docs/schema/add-a-kind.md").read_text(), re.M | re.S)
    sources = ("schema/model/objects.py", "schema/kinds/statistics.py", "infra/providers/schema.py")
    texts = [f"{(ROOT / source).read_text()}\n" for source in sources]
    assert len(quoted) == len(sources)
    # Whole: what follows is another statement.
    assert [code for code, text in zip(quoted, texts, strict=True) if f"\n{code}\n" not in text] == []


@pytest.mark.parametrize("page", PAGES)
def test_prose_is_wrapped(page: str) -> None:
    plain = re.sub(r"^```.*?^```", "", (ROOT / page).read_text(), flags=re.MULTILINE | re.DOTALL)
    assert [line for line in plain.splitlines() if len(line) > 120 and not line.startswith("|")] == []


def test_a_path_and_a_name_that_do_not_exist_would_be_noticed() -> None:
    [(_, paths, names)] = parse("`ensure()` and `Nothing` in `schema/apply.py`, `schema/nowhere.py` or `apply.py`")
    assert [(ROOT / path).exists() for path in paths] == [True, False, False]
    assert [name in defined("schema/apply.py") for name in names] == [True, False]


def passages(page: str) -> Iterator[tuple[str, list[str], list[str]]]:
    yield from parse((ROOT / page).read_text())


def parse(page: str) -> Iterator[tuple[str, list[str], list[str]]]:
    """Each paragraph, list item and row of a table: its text, the paths and the names in backticks."""
    plain = re.sub(r"^```.*?^```", "", page, flags=re.MULTILINE | re.DOTALL)
    for text in re.split(r"\n(?=\||- |\d+\. |#|\n)", plain):
        words = [word for word in re.findall(r"`([^`]+)`", text) if not word.startswith(NOT_OURS)]
        paths = [word for word in words if PATH.match(word) and ("/" in word or word.endswith(SUFFIXES))]
        names = [word.removesuffix("()") for word in words if NAME.match(word) and word not in paths
                 and (word.endswith("()") or word[0].isupper() or word.startswith("_"))]
        if paths or names:
            yield text, paths, names


@functools.cache
def defined(path: str) -> frozenset[str]:
    """The functions, methods, classes and constants of a module, or of every module in a folder."""
    modules = [ROOT / path] if path.endswith(".py") and (ROOT / path).exists() else [*(ROOT / path).glob("*.py")]
    nodes = [node for module in modules for node in ast.walk(ast.parse(module.read_text()))]
    names = {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)}
    names |= {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return frozenset(names)
