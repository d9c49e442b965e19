"""A flame graph of what `perf script` prints: an SVG picture of stacked rectangles.

    perf record -e cpu-clock --call-graph fp -o perf.data dora --perf examples/richards.dora 3000000
    perf script -i perf.data | python tools/flame.py --only dora:: > flame.svg

Each rectangle is a function, as wide as the share of the samples in which it was active; it stands on
the function that called it.  The titles, which browsers show under the pointer, have the numbers.

    main;f;g 3      +---g---+
    main;f 1   ->   +---f-----+        rectangles of 3, 4 and 4 samples
                    +--main---+
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from html import escape
from typing import Final

WIDTH: Final = 900
ROW: Final = 17
MARGIN: Final = 8
LETTER: Final = 6.2
"""width of a letter of the font, about"""
NARROWEST: Final = 0.4
"""what is narrower than this is left out"""

HOST: Final = "the host (Python)"
FRAME: Final = re.compile(r"\s+[0-9a-f]+ (.+) \([^()]*(?:\([^()]*\))?[^()]*\)$")
OFFSET: Final = re.compile(r"\+0x[0-9a-f]+$")

WARM: Final = ("#f6a04d", "#f2b25c", "#ef8f4b", "#f4c26b", "#e9813f", "#f0a766")
COLD: Final = ("#a9bfd0", "#b8c9d6", "#9db5c8")


@dataclass(slots=True)
class Node:
    """A function as called from a certain stack; `count` includes the samples of those it called."""

    name: str
    count: int = 0
    children: dict[str, Node] = field(default_factory=dict)

    def add(self, stack: Iterable[str]) -> None:
        node = self
        node.count += 1
        for name in stack:
            node = node.children.setdefault(name, Node(name))
            node.count += 1

    def depth(self) -> int:
        return 1 + max((child.depth() for child in self.children.values()), default=0)


def read_stacks(lines: Iterable[str]) -> Iterator[list[str]]:
    """The stacks of `perf script`, outermost function first."""
    stack: list[str] | None = None
    for line in lines:
        if line[:1].strip():  # the heading of a sample
            stack = []
        elif not line.strip() and stack is not None:
            yield stack[::-1]
            stack = None
        elif stack is not None:
            match = FRAME.match(line.rstrip())
            if match:
                stack.append(OFFSET.sub("", match[1]))
    if stack:
        yield stack[::-1]


def keep_from(stack: list[str], prefix: str) -> list[str]:
    """The stack from the outermost function of that prefix on; what has none is the host's."""
    for index, name in enumerate(stack):
        if name.startswith(prefix):
            return stack[index:]
    return [HOST]


def tree(stacks: Iterable[list[str]], only: str) -> Node:
    root = Node("all")
    for stack in stacks:
        root.add(keep_from(stack, only) if only else stack)
    return root


def color(name: str, only: str) -> str:
    """The same for the same name, in every picture."""
    shades = WARM if not only or name.startswith(only) else COLD
    return shades[sum(name.encode()) % len(shades)]


def label(name: str, width: float) -> str:
    """As much of the name as fits."""
    letters = int((width - 4) / LETTER)
    if len(name) <= letters:
        return name
    return name[: letters - 1] + "…" if letters > 3 else ""


def rectangles(node: Node, x: float, row: int, scale: float, only: str) -> Iterator[tuple[float, int, Node]]:
    """Left edge, row from below, and function of all rectangles that can be seen."""
    if node.count * scale < NARROWEST:
        return
    yield x, row, node
    for child in sorted(node.children.values(), key=lambda child: child.name):
        yield from rectangles(child, x, row + 1, scale, only)
        x += child.count * scale


def picture(root: Node, only: str = "") -> str:
    """The SVG text."""
    height = root.depth() * ROW + 2 * MARGIN
    scale = (WIDTH - 2 * MARGIN) / max(root.count, 1)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}" font-family="monospace" font-size="10.5">',
        f'<rect width="{WIDTH}" height="{height}" fill="#fffdf8"/>',
    ]
    for x, row, node in rectangles(root, MARGIN, 0, scale, only):
        y = height - MARGIN - (row + 1) * ROW
        parts.append(rectangle(node, x, y, node.count * scale, root.count, only))
    return "\n".join([*parts, "</svg>", ""])


def rectangle(node: Node, x: float, y: float, width: float, total: int, only: str) -> str:
    name = node.name.removeprefix(only)
    title = escape(f"{name}: {node.count} samples, {100 * node.count / total:.1f} %")
    text = escape(label(name, width))
    words = f'<text x="{x + 3:.1f}" y="{y + 12:.0f}">{text}</text>' if text else ""
    return (
        f'<g><title>{title}</title><rect x="{x:.1f}" y="{y}" width="{max(width - 0.4, 0.3):.1f}" '
        f'height="{ROW - 1}" fill="{color(node.name, only)}"/>{words}</g>'
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument(
        "--only", default="", metavar="PREFIX", help="begin stacks at functions of this prefix"
    )
    options = parser.parse_args()
    root = tree(read_stacks(sys.stdin), options.only)
    if not root.count:
        print("flame: no samples on stdin", file=sys.stderr)
        return 1
    sys.stdout.write(picture(root, options.only))
    return 0


if __name__ == "__main__":
    sys.exit(main())
