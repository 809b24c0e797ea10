"""The picture of the packages and their streets for ARCHITECTURE.md, from the imports alone and the same each time.

`python -m tests.support.import_map > docs/imports.svg` draws it anew.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from schema.export.svg import FONT, n, rect, text, text_width
from tests.support.imports import Edges, Imports, read_imports, without_detours

ROOT = Path(__file__).resolve().parents[2]
SIZE, BOX, GAP, LAYER, PAD, TITLE = 13, 28, 14, 58, 18, 32
MARGIN, BETWEEN = 20, 46
# By package: the colour of its frame, of its title and of its boxes' edges, and its tint.
COLOURS = {"cli": ("#b45309", "#fffbeb"), "infra": ("#4338ca", "#eef2ff"), "backups": ("#047857", "#ecfdf5"),
           "seed": ("#9d174d", "#fdf2f8"), "schema": ("#0369a1", "#f0f9ff")}
ROUNDS = 40
# How many times as hard as a box a bend of a long arrow is drawn to the next.
STRAIGHT = 6
# The arrows that are drawn between packages.
ARROWS: Edges = {"__main__": frozenset({"infra"}), "cli": frozenset({"infra"}),
                 "infra": frozenset({"backups", "seed"}), "backups": frozenset({"schema"}),
                 "seed": frozenset({"schema"}), "schema": frozenset()}


@dataclass
class Node:
    """A street's box, or a bend of a long arrow, which has no label; `x` is its middle."""

    name: str
    layer: int
    label: str = ""
    width: float = 10
    x: float = 0
    above: list[Node] = field(default_factory=list)
    below: list[Node] = field(default_factory=list)


@dataclass
class Panel:
    """One package: its streets in layers, each of which imports only from lower ones."""

    package: str
    layers: list[list[Node]]
    x: float = 0
    y: float = 0
    least: float = 0

    @property
    def width(self) -> float:
        """Frame included, in pixels."""
        return max(self._inside + 2 * PAD, self.least)

    @property
    def _inside(self) -> float:
        return max(node.x + node.width / 2 for layer in self.layers for node in layer)

    @property
    def _left(self) -> float:
        return self.x + (self.width - self._inside) / 2

    @property
    def height(self) -> float:
        """Frame and title included, in pixels."""
        return TITLE + LAYER * (len(self.layers) - 1) + BOX + PAD

    def svg(self) -> Iterator[str]:
        """The frame, the arrows and the boxes."""
        colour, tint = COLOURS[self.package]
        yield rect(self.x, self.y, self.width, self.height, fill=tint, stroke=colour, rx=8, stroke_width=1.2)
        yield text(self.x + PAD, self.y + 22, f"{self.package}/", size=15, fill=colour, bold=True)
        nodes = [node for layer in self.layers for node in layer]
        yield from (self._arrow(node, below) for node in nodes if node.label for below in node.below)
        for node in nodes:
            if node.label:
                left, top = self._left + node.x - node.width / 2, self._top(node)
                yield rect(left, top, node.width, BOX, fill="#ffffff", stroke=colour, rx=5)
                yield text(left + node.width / 2, top + 18.5, node.label, size=SIZE, anchor="middle")

    def _top(self, node: Node) -> float:
        return self.y + TITLE + LAYER * node.layer

    def _arrow(self, start: Node, end: Node) -> str:
        x, y = self._left + start.x, self._top(start) + BOX
        path = f"M{n(x)} {n(y)}"
        while True:
            to, top = self._left + end.x, self._top(end) - (2 if end.label else 0)
            bend = (top - y) / 2
            path += f" C{n(x)} {n(y + bend)} {n(to)} {n(top - bend)} {n(to)} {n(top)}"
            if end.label:
                return f'<path class="arrow" d="{path}"/>'
            path += f" v{BOX}"
            x, y, end = to, top + BOX, end.below[0]


def draw(imports: Imports) -> str:
    """The picture as SVG text. Raises ValueError where streets or packages import each other in a circle."""
    panels = {package: make_panel(imports, package) for package in COLOURS}
    packages = without_detours(imports.between(["__main__", *COLOURS]))
    if packages != ARROWS:
        raise ValueError(f"packages: found imports {packages}, required {ARROWS}; draw them in `_surroundings`")
    width, height = _place(panels)
    body = [part for panel in panels.values() for part in panel.svg()]
    body += _surroundings(panels)
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{n(width)}" height="{n(height)}" '
        f'viewBox="0 0 {n(width)} {n(height)}" font-family="{FONT}">',
        "<title>The packages and their streets; arrows lead from who imports to what is imported</title>",
        '<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0.6 L10 5 L0 9.4 z" fill="#64748b"/></marker></defs>',
        "<style>.arrow { fill: none; stroke: #64748b; stroke-width: 1.3; marker-end: url(#tip) } "
        ".wide { stroke-width: 2.6 }</style>",
        rect(0, 0, width, height, fill="#ffffff"), *body, "</svg>"]) + "\n"


def make_panel(imports: Imports, package: str) -> Panel:
    """The package's streets in layers, few arrows crossing; modules that only hand on another's names are left out."""
    streets = {name: count for name, count in imports.streets(package).items() if not imports.is_alias(name)}
    edges = without_detours(imports.between(streets))
    heights: dict[str, int] = {}

    def height(name: str) -> int:
        if name not in heights:
            heights[name] = 1 + max((height(other) for other in edges[name]), default=-1)
        return heights[name]
    top = max(height(name) for name in streets)
    nodes = {name: _box(imports, name, count, top - height(name)) for name, count in streets.items()}
    layers = [[node for node in nodes.values() if node.layer == number] for number in range(top + 1)]
    for name, others in edges.items():
        for other in sorted(others):
            _join(nodes[name], nodes[other], layers)
    _order(layers)
    _spread(layers)
    return Panel(package, layers)


def _box(imports: Imports, street: str, modules: int, layer: int) -> Node:
    name = street.partition(".")[2]
    is_folder = imports.files.get(street, Path()).name == "__init__.py" or modules > 1
    label = f"{name}/" if is_folder else f"{name}.py"
    return Node(street, layer, label, text_width(label, SIZE) + 18)


def _join(start: Node, end: Node, layers: Sequence[list[Node]]) -> None:
    before = start
    for layer in range(start.layer + 1, end.layer):
        bend = Node(f"{start.name} {end.name}", layer)
        layers[layer].append(bend)
        _link(before, bend)
        before = bend
    _link(before, end)


def _link(above: Node, below: Node) -> None:
    above.below.append(below)
    below.above.append(above)


def _order(layers: Sequence[list[Node]]) -> None:
    """Order each layer by the middle of its neighbours, downwards and upwards in turn."""
    for turn in range(ROUNDS):
        down = turn % 2 == 0
        for layer in layers[1:] if down else reversed(layers[:-1]):
            places = {id(node): place for others in layers for place, node in enumerate(others)}
            middles = {id(node): _middle([places[id(other)] for other in (node.above if down else node.below)],
                                         places[id(node)]) for node in layer}
            layer.sort(key=lambda node: middles[id(node)])


def _spread(layers: Sequence[list[Node]]) -> None:
    """Give each node its place across, near its neighbours and clear of those beside it."""
    for layer in layers:
        _clear(layer, [0.0 for _ in layer])
    for turn in range(2 * ROUNDS):
        for layer in layers if turn % 2 == 0 else reversed(layers):
            _clear(layer, [_middle([other.x for other in _pulling(node)], node.x) for node in layer])
    left = min(node.x - node.width / 2 for layer in layers for node in layer)
    for layer in layers:
        for node in layer:
            node.x = round(node.x - left, 1)


def _pulling(node: Node) -> list[Node]:
    """The node's neighbours; the bends of a long arrow count several times, so that it is drawn straight."""
    return [other for other in (*node.above, *node.below)
            for _ in range(1 if node.label or other.label else STRAIGHT)]


def _clear(layer: Sequence[Node], wanted: Sequence[float]) -> None:
    """Set the nodes of a row as near to where they are wanted as their widths allow: those that touch move together."""
    offsets = [0.0]
    for before, node in pairwise(layer):
        offsets.append(offsets[-1] + (before.width + node.width) / 2 + GAP)
    groups: list[tuple[float, int]] = []  # the sum of what its nodes want of the group's beginning, and their number
    for x, offset in zip(wanted, offsets, strict=True):
        total, count = x - offset, 1
        while groups and groups[-1][0] / groups[-1][1] > total / count:
            earlier, more = groups.pop()
            total, count = total + earlier, count + more
        groups.append((total, count))
    starts = [total / count for total, count in groups for _ in range(count)]
    for node, start, offset in zip(layer, starts, offsets, strict=True):
        node.x = start + offset


def _middle(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _place(panels: Mapping[str, Panel]) -> tuple[float, float]:
    """To the left who drives; to the right what it does to a database, and below what that is; the picture's size."""
    cli, infra, backups, seed, schema = (panels[name] for name in COLOURS)
    cli.x, cli.y = MARGIN, MARGIN + BOX + GAP
    infra.x, infra.y = MARGIN, cli.y + cli.height + BETWEEN
    infra.least = cli.width + 2 * MARGIN
    backups.x, backups.y = infra.x + infra.width + BETWEEN + GAP, MARGIN + GAP
    seed.x, seed.y = backups.x + backups.width + GAP, backups.y
    schema.x, schema.y = backups.x - GAP, backups.y + max(backups.height, seed.height) + GAP + BETWEEN
    right = max(seed.x + seed.width + GAP, schema.x + schema.width)
    return right + MARGIN, max(infra.y + infra.height, schema.y + schema.height) + MARGIN


def _frame(panels: Mapping[str, Panel]) -> tuple[float, float, float, float]:
    """The frame round the two packages that know nothing of each other: its corner, its width and its height."""
    backups, seed = panels["backups"], panels["seed"]
    return (backups.x - GAP, backups.y - GAP, seed.x + seed.width - backups.x + 2 * GAP,
            max(backups.height, seed.height) + 2 * GAP)


def _surroundings(panels: Mapping[str, Panel]) -> Iterator[str]:
    """The frame, `__main__` and the arrows between packages."""
    cli, infra, schema = panels["cli"], panels["infra"], panels["schema"]
    x, y, width, height = _frame(panels)
    yield (f'<rect x="{n(x)}" y="{n(y)}" width="{n(width)}" height="{n(height)}" rx="10" fill="none" '
           'stroke="#94a3b8" stroke-dasharray="6 4"/>')
    main = text_width("__main__.py", SIZE) + 24
    yield rect(MARGIN, MARGIN, main, BOX, fill="#f8fafc", stroke="#475569", rx=5)
    yield text(MARGIN + main / 2, MARGIN + 18.5, "__main__.py", size=SIZE, anchor="middle", bold=True)
    right = cli.x + cli.width + MARGIN
    level = (infra.y + min(infra.y + infra.height, y + height)) / 2
    for path in (f"M{n(MARGIN + main)} {n(MARGIN + BOX / 2)} H{n(right)} V{n(infra.y - 2)}",
                 f"M{n(cli.x + cli.width / 2)} {n(cli.y + cli.height)} V{n(infra.y - 2)}",
                 f"M{n(infra.x + infra.width)} {n(level)} H{n(x - 2)}",
                 f"M{n(x + width / 2)} {n(y + height)} V{n(schema.y - 2)}"):
        yield f'<path class="arrow wide" d="{path}"/>'


if __name__ == "__main__":
    sys.stdout.write(draw(read_imports(ROOT)))
