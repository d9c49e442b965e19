"""A graph as text, and for Graphviz.

    sum(Array<int>)
    b0                                    -> b1
      n0 = Parameter 0                    ref
    b1  from b0, b2                       -> b2, b3
      n3 = Phi n1, n7                     int
      n5 = LoadElement n0, n4, nonnil     int       line 3 of sum

What floats is listed below the blocks.  Both printers show whatever is there: in a broken graph, too.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from doralang.optimizing.graph import FORMS, Graph, Node, Parameter, Phi, floating_nodes

WIDTH: Final = 48
LEAST: Final = 56


def print_graph(graph: Graph) -> str:
    """Blocks with what is fixed in them, then what floats, in the order in which it is needed."""
    lines = [graph.ref.name]
    for block in graph.blocks:
        origin = f"  from {listed(block.predecessors)}" if block.predecessors else ""
        lines.append(
            f"{block}{origin}".ljust(WIDTH) + (f"-> {listed(block.successors)}" * bool(block.successors))
        )
        if block is graph.blocks[0]:
            lines += map(print_node, graph.parameters)
        lines += map(print_node, block.phis)
        lines += map(print_node, block.body)
    floating = floating_nodes(graph)
    if floating:
        lines.append("floating")
        lines += map(print_node, floating)
    return "\n".join(line.rstrip() for line in lines) + "\n"


def listed(things: Iterable[object]) -> str:
    return ", ".join(map(str, things))


def print_node(node: Node) -> str:
    value = f"{node} = " if node.kind is not None else ""
    text = f"  {value}{named(node)}"
    kind = node.kind.value if node.kind is not None else ""
    stand_in = f"replaced by {node.stand_in}" if node.stand_in is not None else ""
    place = listed(f"line {line} of {function.name}" for function, line in node.chain)
    if node.op in (Phi, Parameter):
        place = ""
    return f"{text:<{WIDTH}} {kind:<7} {stand_in or place}"


def named(node: Node) -> str:
    """The operation with its data, as bytecode prints them, and its inputs."""
    flags = getattr(node.op, "flags", ())
    names = FORMS[node.op].data if node.op in FORMS else ("number",) * len(node.data)
    shown = [
        name if name in flags else spelled(value)
        for name, value in zip(names, node.data, strict=False)
        if name not in flags or value
    ]
    return f"{node.op.__name__} {listed([*node.inputs, *shown])}"


def spelled(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "nil", True: "true", False: "false"}[value]
    name = getattr(value, "name", None)
    return name if isinstance(name, str) else repr(value)


# Graphviz.


def print_dot(graph: Graph) -> str:
    """The graph in the language of Graphviz: `dora --engine=opt --emit=dot … | dot -Tsvg`."""
    lines = [f"digraph {quoted(graph.ref.name)} {{", "  node [shape=box, fontname=monospace];"]
    for block in graph.blocks:
        lines.append(f"  subgraph cluster_{block.number} {{ label={quoted(block)};")
        inside = [*graph.parameters] if block is graph.blocks[0] else []
        for node in (*inside, *block.phis, *block.body):
            lines.append(f"    {node} [label={quoted(label(node))}];")
        lines.append(f"    {block} [label={quoted(block)}, shape=point];")
        lines.append("  }")
    for node in floating_nodes(graph):
        lines.append(f"  {node} [label={quoted(label(node))}, shape=ellipse];")
    lines += [f"  {edge};" for edge in edges(graph)]
    return "\n".join([*lines, "}"]) + "\n"


def edges(graph: Graph) -> Iterable[str]:
    for block in graph.blocks:
        for node in (*block.phis, *block.body):
            yield from (f"{one} -> {node}" for one in node.inputs)
        for successor in block.successors:
            yield f"{block} -> {successor} [style=bold]"
    for node in floating_nodes(graph):
        yield from (f"{one} -> {node}" for one in node.inputs)


def label(node: Node) -> str:
    return f"{node}: {named(node)}"


def quoted(text: object) -> str:
    escaped = str(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
