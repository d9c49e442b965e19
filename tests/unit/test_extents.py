"""What tools need of the tree: extents, comments, and what names mean, over all our own Dora files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from doralang.checker.checker import MainRule, check_program
from doralang.checker.library import prelude
from doralang.checker.program import Class, Field, Function, Local
from doralang.checker.scopes import NameRecorder
from doralang.syntax import tree
from doralang.syntax.cursor import Cursor
from doralang.syntax.dump import dump
from doralang.syntax.expressions import full_expression
from doralang.syntax.lexer import lex
from doralang.syntax.parser import parse_file
from doralang.syntax.statements import block
from doralang.syntax.tokens import END, NAME
from doralang.text.diagnostics import Diagnostics
from doralang.text.source import Source

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("**/*.dora"))
FILES = [*EXAMPLES, *sorted((ROOT / "src").glob("**/*.dora"))]


def parsed(source: Source) -> tree.File:
    diagnostics = Diagnostics()
    file = parse_file(source, diagnostics)
    assert not diagnostics.reports
    return file


def nodes(node: tree.Node) -> Iterator[tree.Node]:
    waiting = [node]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += tree.children(node)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_extents_contain_the_span_and_the_extents_of_the_children(path: Path) -> None:
    source = Source(path.name, path.read_text())
    file = parsed(source)
    starts, ends = set(file.tokens.starts), set(file.tokens.ends)
    for node in nodes(file):
        start, end = node.extent
        assert start <= node.span.start and node.span.end <= end, dump(node, source)
        if not isinstance(node, tree.File):
            assert start in starts or isinstance(node, tree.NamedType), dump(node, source)
            assert end in ends or source.text[end - 1] == ">", dump(node, source)
        for child in tree.children(node):
            assert start <= child.extent.start and child.extent.end <= end, dump(node, source)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_text_of_an_expression_is_that_expression(path: Path) -> None:
    source = Source(path.name, path.read_text())
    for node in nodes(parsed(source)):
        text = source.text[slice(*node.extent)]
        if not isinstance(node, tree.Expression) or isinstance(node, tree.Super) or text.endswith(";"):
            continue  # a jump with its `;` is a statement
        diagnostics = Diagnostics()
        cursor = Cursor(lex(Source("part", text), diagnostics), diagnostics, block)
        again = full_expression(cursor)
        assert not diagnostics.reports and cursor.kind is END, text
        assert dump(again) == dump(node), text


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_tokens_and_comments_are_the_whole_text(path: Path) -> None:
    """What is left when both are taken away is white space."""
    source = Source(path.name, path.read_text())
    tokens = lex(source, Diagnostics())
    comments = tokens.comments()
    left = list(source.text)
    for start, end in [
        *zip(tokens.starts, tokens.ends, strict=True),
        *(comment.span for comment in comments),
    ]:
        left[start:end] = " " * (end - start)
    assert not "".join(left).strip()
    for comment in comments:
        assert comment.span.end <= tokens.starts[comment.token]
        assert comment.token == 0 or tokens.ends[comment.token - 1] <= comment.span.start


def test_comments_of_both_sorts_are_kept_with_the_token_behind_them() -> None:
    source = Source("x", 'f /* a\n b */ ( // "c" /* d\n "// no" ) /**/ // e')
    tokens = lex(source, Diagnostics())
    found = [(one.token, source.text[slice(*one.span)]) for one in tokens.comments()]
    assert found == [(1, "/* a\n b */"), (2, '// "c" /* d'), (4, "/**/"), (4, "// e")]


def recorded(source: Source) -> tuple[tree.File, dict[int, object]]:
    file, recorder, diagnostics = parsed(source), NameRecorder(), Diagnostics()
    check_program(source, file, diagnostics, prelude(), main=MainRule.OPTIONAL, recorder=recorder)
    assert not diagnostics.errors
    assert recorder.meanings.keys() <= {source}
    return file, dict(recorder.meanings.get(source, {}))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_the_recorder_knows_every_name(path: Path) -> None:
    source = Source(path.name, path.read_text())
    file, meanings = recorded(source)
    tokens = file.tokens
    annotated = {at + 1 for at, kind in enumerate(tokens.kinds) if kind == "@"}
    names = {
        tokens.starts[at]: tokens.text(at)
        for at, kind in enumerate(tokens.kinds)
        if kind is NAME and at not in annotated
    }
    keywords = {one.span.start for one in nodes(file) if isinstance(one, tree.Match)}
    for one in nodes(file):
        if isinstance(one, tree.Function) and one.conditions:
            keywords.add(tokens.starts[tokens.starts.index(one.conditions[0].span.start) - 1])  # `where`
    assert not {text for start, text in names.items() if start not in meanings and start not in keywords}
    for start, meaning in meanings.items():
        text = names.get(start) or tokens.text(tokens.starts.index(start))  # elements of tuples have numbers
        assert text == getattr(meaning, "name", None), text


def test_names_mean_what_is_nearest() -> None:
    text = """class P(let x: int) { fun x() -> int { return self.x; } }
fun f(x: int) -> int { if x > 0 { let x = P(x); return x.x() + x.x; } return x; }"""
    source = Source("x", text)
    _, meanings = recorded(source)
    starts = [at for at in range(len(text)) if text[at] == "x" and not text[at - 1].isalpha()]
    shown = [type(meanings[at]).__name__ for at in starts]
    local = Local.__name__
    assert shown == [
        *(local, Function.__name__, Field.__name__, local),
        *(local, local, local, local, Function.__name__, local, Field.__name__, local),
    ]
    declared = [at for at in starts if isinstance(meanings[at], Local)]
    inner = meanings[declared[3]]
    assert isinstance(inner, Local) and inner.span.start == declared[3]
    assert meanings[declared[4]] is meanings[declared[1]] and meanings[declared[5]] is inner
    assert isinstance(meanings[text.index("P(x)")], Class)
