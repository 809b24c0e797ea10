"""The imports between the packages and their streets (the entries directly in a package).

Typing-only imports and those inside functions count.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

PACKAGES = ("cli", "infra", "backups", "seed", "schema")
Edges = Mapping[str, frozenset[str]]


@dataclass(frozen=True)
class Imports:
    """Modules by their dotted names, and for each the modules of ours that it imports."""

    files: Mapping[str, Path]
    edges: Edges

    def streets(self, package: str) -> dict[str, int]:
        """Return the package's streets with their numbers of modules, by dotted name, without the package's `__init__`.
        """
        names = [street for module in self.files if (street := street_of(module)).startswith(f"{package}.")]
        return {street: names.count(street) for street in sorted(set(names))}

    def between(self, names: Iterable[str]) -> Edges:
        """Return the imports between these streets or packages, without self-imports; `x.y` covers all modules below
        it.
        """
        known = set(names)
        edges: dict[str, set[str]] = {name: set() for name in sorted(known)}
        for module, imported in self.edges.items():
            for other in imported:
                for one, two in ((street_of(module), street_of(other)), (package_of(module), package_of(other))):
                    if one != two and one in known and two in known:
                        edges[one].add(two)
        return {name: frozenset(others) for name, others in edges.items()}

    def is_alias(self, street: str) -> bool:
        """Tell whether the street is one module that only re-exports another's names."""
        if street not in self.files:
            return False
        body = ast.parse(self.files[street].read_text()).body[1:]
        return bool(body) and all(isinstance(node, ast.ImportFrom) and node.names[0].name == "*" for node in body)


def read_imports(root: Path) -> Imports:
    """Read every module of the packages, and `__main__`."""
    paths = [root / "__main__.py", *(path for name in PACKAGES for path in sorted((root / name).rglob("*.py")))]
    files = {_dotted(path.relative_to(root)): path for path in paths}
    return Imports(files, {name: frozenset(_imported(name, path, files)) for name, path in files.items()})


def street_of(module: str) -> str:
    """Return `schema.kinds` for `schema.kinds.index`; a package itself for a package."""
    return ".".join(module.split(".")[:2])


def package_of(module: str) -> str:
    """Return `schema` for `schema.kinds.index`."""
    return module.split(".", maxsplit=1)[0]


def without_detours(edges: Edges) -> Edges:
    """Remove every edge that a longer path implies. Raises ValueError for a circle."""
    below: dict[str, frozenset[str]] = {}

    def reach(name: str, path: tuple[str, ...] = ()) -> frozenset[str]:
        if name in path:
            raise ValueError(f"imports in a circle: {' -> '.join((*path, name))}")
        if name not in below:
            below[name] = frozenset().union(*({other} | reach(other, (*path, name)) for other in edges[name]))
        return below[name]
    for name in edges:
        reach(name)
    return {name: frozenset(other for other in others
                            if not any(other in below[third] for third in others - {other}))
            for name, others in edges.items()}


def _dotted(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def _imported(name: str, path: Path, files: Mapping[str, Path]) -> Iterable[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [one if (one := f"{node.module}.{alias.name}") in files else node.module for alias in node.names]
        yield from (other for other in names if other in files and other != name)
