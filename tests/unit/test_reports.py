"""The output formats of reports, and reading files."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from doralang.text.diagnostics import Diagnostics
from doralang.text.loading import decode_source, load_source
from doralang.text.reports import WIDEST, Format, quote, render
from doralang.text.source import Source, Span


def one(text: str, at: int, end: int, format: Format, *, color: bool = False, help: str | None = None) -> str:
    diagnostics = Diagnostics()
    diagnostics.report("E0401", Source("shop.dora", text), Span(at, end), "expected `int`, found `Str`", help)
    return render([diagnostics], format, color=color)


SHOP = 'var count: int;\nfun f() {\n  count = "three";\n}\n'


def test_human() -> None:
    at = SHOP.index("= ")
    assert one(SHOP, at, at + 1, Format.HUMAN, help="convert with `.parseInt()`") == (
        "error[E0401]: expected `int`, found `Str`\n"
        "  shop.dora:3:9\n"
        "  |\n"
        '3 |   count = "three";\n'
        "  |         ^\n"
        "  help: convert with `.parseInt()`\n"
        "1 error\n"
    )


def test_short() -> None:
    at = SHOP.index("= ")
    assert one(SHOP, at, at + 1, Format.SHORT, help="no") == (
        "shop.dora:3:9: error[E0401]: expected `int`, found `Str`\n1 error\n"
    )


def test_json() -> None:
    at = SHOP.index("= ")
    lines = one(SHOP, at, at + 1, Format.JSON).splitlines()
    assert [json.loads(line) for line in lines] == [
        {
            "code": "E0401",
            "severity": "error",
            "message": "expected `int`, found `Str`",
            "file": "shop.dora",
            "span": {"start": {"line": 3, "column": 9}, "end": {"line": 3, "column": 10}},
            "help": None,
        }
    ]


@pytest.mark.parametrize("text", ["", 'a"b\\c', "\0\n\x7f", "ü€😀"])
def test_json_strings(text: str) -> None:
    assert quote(text).isascii()
    assert json.loads(quote(text)) == text


def test_tabs_are_expanded_under_the_line_too() -> None:
    lines = one("\tx\t= 1;\r\n", 3, 6, Format.HUMAN).splitlines()
    assert lines[1] == "  shop.dora:1:9"
    assert lines[3] == "1 |     x   = 1;"
    assert lines[4] == "  |         ^^^"


def test_control_characters_are_harmless() -> None:
    shown = one("a \x1b[31m \x00 \u202e b", 0, 1, Format.HUMAN)
    assert "\x1b" not in shown
    assert "\0" not in shown
    assert "\u202e" not in shown


def test_of_a_wide_line_only_a_window_is_shown() -> None:
    text = "x" * 500_000 + "#" + "y" * 500_000
    lines = one(text, 500_000, 500_001, Format.HUMAN).splitlines()
    assert lines[1] == "  shop.dora:1:500001"
    assert max(map(len, lines)) < WIDEST + 10
    assert lines[3][lines[4].index("^")] == "#"


def test_a_span_over_lines_is_underlined_on_its_first() -> None:
    lines = one('let s = "a\nb";', 8, 13, Format.HUMAN).splitlines()
    assert lines[4] == "  |         ^^"


def test_at_the_end_of_the_text_there_is_a_mark_still() -> None:
    lines = one("fun f() {\n", 10, 10, Format.HUMAN).splitlines()
    assert lines[1:5] == ["  shop.dora:2:1", "  |", "2 |", "  | ^"]


def test_reports_are_sorted_and_counted_and_warnings_are_not() -> None:
    source, first, second = Source("a", "xyz"), Diagnostics(), Diagnostics()
    for at in (2, 0):
        first.report("E0301", source, Span(at, at + 1), "no")
    first.report("W0801", source, Span(1, 2), "careful")
    second.report("E0301", Source("b", "x"), Span(0, 1), "no")
    assert render([first, second], Format.SHORT).splitlines() == [
        "a:1:1: error[E0301]: no",
        "a:1:2: warning[W0801]: careful",
        "a:1:3: error[E0301]: no",
        "b:1:1: error[E0301]: no",
        "3 errors",
    ]
    only = Diagnostics()
    only.report("W0801", source, Span(1, 2), "careful")
    assert render([only], Format.SHORT) == "a:1:2: warning[W0801]: careful\n"


def test_colour_changes_nothing_but_colour() -> None:
    at = SHOP.index("= ")
    colored = one(SHOP, at, at + 1, Format.HUMAN, color=True)
    assert "\x1b[1;31m" in colored
    for code in ("\x1b[1;31m", "\x1b[1m", "\x1b[0m"):
        colored = colored.replace(code, "")
    assert colored == one(SHOP, at, at + 1, Format.HUMAN)


def loaded(path: str, stdin: bytes = b"") -> tuple[Source | None, list[str]]:
    diagnostics = Diagnostics()
    source = load_source(path, io.BytesIO(stdin), diagnostics)
    return source, render([diagnostics], Format.SHORT).splitlines()[:1]


def test_loading(tmp_path: Path) -> None:
    file = tmp_path / "a.dora"
    file.write_bytes(b"\xef\xbb\xbfab\n")
    source, errors = loaded(str(file))
    assert source is not None
    assert (source.text, source.name, errors) == ("ab\n", str(file), [])
    source, errors = loaded("-", b"fun")
    assert source is not None
    assert (source.text, source.name, errors) == ("fun", "<stdin>", [])


@pytest.mark.parametrize(
    ("name", "reason"),
    [("none.dora", "No such file or directory"), (".", "Is a directory"), ("a\0b", "embedded null byte")],
)
def test_what_cannot_be_read(tmp_path: Path, name: str, reason: str) -> None:
    source, errors = loaded(f"{tmp_path}/{name}")
    assert source is None
    assert ":1:1: error[E0903]: cannot read " in errors[0]
    assert errors[0].endswith(reason)


@pytest.mark.parametrize(
    ("data", "position"),
    [
        (b"\xff", "1:1"),
        (b"a\n\t\xc3\xbc\xc3(", "2:6"),
        (b"\xef\xbb\xbfa\xed\xa0\x80", "1:2"),
        (b"abc\xc3", "1:4"),
    ],
)
def test_bytes_that_are_no_text(data: bytes, position: str) -> None:
    diagnostics = Diagnostics()
    assert decode_source("x", data, diagnostics) is None
    assert [(report.code, str(report.position)) for report in diagnostics.reports] == [("E0108", position)]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("\udcff", id="a byte"),
        pytest.param("a\ud800b", id="the first half of a pair"),
        pytest.param("\udfff\ud800", id="halves in the wrong order"),
        pytest.param("\U0001f600", id="a pair"),
    ],
)
def test_json_has_no_lone_surrogates(text: str) -> None:
    quoted = quote(text)
    assert quoted.isascii()
    assert json.loads(quoted) == "".join("\ufffd" if "\ud800" <= one <= "\udfff" else one for one in text)
    json.loads(quoted).encode()  # which lone surrogates do not survive


def test_a_name_of_a_file_that_is_no_text(tmp_path: Path) -> None:
    diagnostics = Diagnostics()
    load_source(str(tmp_path / "a\udcff.dora"), io.BytesIO(), diagnostics)
    report = json.loads(render([diagnostics], Format.JSON))
    assert report["file"].endswith("a\ufffd.dora")
    report["message"].encode()


def test_a_hundred_reports_are_shown_and_the_others_counted() -> None:
    diagnostics, source = Diagnostics(), Source("a.dora", "x" * 500)
    for at in range(130):
        diagnostics.report("E0301", source, Span(at, at + 1), "unknown name")
        diagnostics.report("W0801", source, Span(at, at + 1), "an exception")
    text = render([diagnostics], Format.SHORT)
    assert (text.count("error["), text.count("warning[")) == (100, 100)
    assert text.endswith("\n30 more warnings\n30 more\n130 errors\n")
    assert render([diagnostics], Format.JSON).count('"E0301"') == 130
