"""Flame graphs: reading what `perf script` prints, and the picture."""

from __future__ import annotations

from xml.etree import ElementTree

from flame import HOST, keep_from, label, picture, read_stacks, tree

SAMPLES = """\
dora  8174  8480.0: 2004008 cpu-clock:
        7f61f8401c00 dora::Handler.run+0x10 (/tmp/perf-8174.map)
        7f61f84018a2 dora::System.schedule+0x92 (/tmp/perf-8174.map)
        7f61f84006aa [unknown] (/tmp/perf-8174.map)

dora  8174  8480.2: 2004008 cpu-clock:
        7f61f84018a2 dora::System.schedule+0x92 (/tmp/perf-8174.map)

dora  8174  8480.4: 2004008 cpu-clock:
        1ab1f7 PyObject_SetAttr+0x7 (/usr/lib/libpython3.so)
        7f6208c61860 dora::Task.Task(Task, int)+0xda (/tmp/perf-8174.map)

dora  8174  8480.6: 2004008 cpu-clock:
        1ab1f7 PyObject_SetAttr+0x7 (/usr/lib/libpython3.so)
"""

SVG = "{http://www.w3.org/2000/svg}"


def test_stacks_are_read_outermost_first() -> None:
    assert list(read_stacks(SAMPLES.splitlines(keepends=True))) == [
        ["[unknown]", "dora::System.schedule", "dora::Handler.run"],
        ["dora::System.schedule"],
        ["dora::Task.Task(Task, int)", "PyObject_SetAttr"],
        ["PyObject_SetAttr"],
    ]


def test_stacks_begin_at_the_outermost_wanted_function() -> None:
    assert keep_from(["x", "dora::f", "y", "dora::g"], "dora::") == ["dora::f", "y", "dora::g"]
    assert keep_from(["x", "y"], "dora::") == [HOST]


def test_functions_count_the_samples_of_those_they_call() -> None:
    root = tree(read_stacks(SAMPLES.splitlines(keepends=True)), "dora::")
    assert root.count == 4
    assert {name: node.count for name, node in root.children.items()} == {
        "dora::System.schedule": 2,
        "dora::Task.Task(Task, int)": 1,
        HOST: 1,
    }
    assert root.children["dora::System.schedule"].children["dora::Handler.run"].count == 1
    assert root.depth() == 3


def test_the_picture() -> None:
    root = tree(read_stacks(SAMPLES.splitlines(keepends=True)), "dora::")
    svg = ElementTree.fromstring(picture(root, "dora::"))
    titles = [title.text for title in svg.iter(f"{SVG}title")]
    assert titles[0] == "all: 4 samples, 100.0 %"
    assert "System.schedule: 2 samples, 50.0 %" in titles
    boxes = {group[0].text: group[1] for group in svg.iter(f"{SVG}g")}
    below = boxes["System.schedule: 2 samples, 50.0 %"]
    above = boxes["Handler.run: 1 samples, 25.0 %"]
    assert float(above.get("y", "")) < float(below.get("y", ""))
    assert abs(2 * float(above.get("width", "")) - float(below.get("width", ""))) < 1


def test_names_with_signs_of_xml() -> None:
    root = tree([["f<T&U>"]], "")
    assert "f&lt;T&amp;U&gt;" in picture(root)
    assert ElementTree.fromstring(picture(root)) is not None


def test_labels_are_cut_to_what_fits() -> None:
    assert label("schedule", 100) == "schedule"
    assert label("schedule", 40) == "sche…"
    assert label("schedule", 12) == ""
