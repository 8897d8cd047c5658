"""Answers as models really write them."""

from __future__ import annotations

import gc
import json
from pathlib import Path
from time import process_time
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.client import Box, Detection, Point
from app.client.grounding.boxes import read
from app.client.grounding.frame import Frame
from app.model.image_tokens import Size
from tests.app.client.grounding.written import FORMS, Named, write

FRAME = Frame(Size(1000, 1000), Size(1000, 1000), "pixels")
ANSWERS = Path(__file__).parent / "answers"
"""Each ``NAME.txt`` is an answer, and ``NAME.json`` what is read from it: boxes and points as a
name, coordinates and a score if there is one, and the problems, word for word.
"""
NAMES = sorted(file.stem for file in ANSWERS.glob("*.txt"))


def found(answer: str) -> Detection:
    return read(answer, FRAME)


def in_short(detection: Detection) -> dict[str, Any]:
    def mark(each: Box | Point) -> list[Any]:
        place = each.xyxy if isinstance(each, Box) else each.xy
        return [each.label, *place, *([] if each.score is None else [each.score])]

    whole = {
        "boxes": [mark(box) for box in detection.boxes],
        "points": [mark(point) for point in detection.points],
        "problems": list(detection.problems),
    }
    return {name: value for name, value in whole.items() if value}


@pytest.mark.parametrize("name", NAMES)
def test_an_answer_of_each_form_is_read(name: str) -> None:
    expected = json.loads((ANSWERS / f"{name}.json").read_text())
    assert in_short(found((ANSWERS / f"{name}.txt").read_text())) == expected


def test_every_answer_has_its_expectation() -> None:
    assert len(NAMES) > 100
    assert sorted(file.stem for file in ANSWERS.glob("*.json")) == NAMES


def test_items_keep_the_answers_order_and_their_own_text() -> None:
    answer = (
        '[{"bbox_2d": [50, 60, 70, 80], "label": "plate"}, '
        '{"bbox_2d": [10, 20, 30, 40], "label": "cup"}]'
    )
    assert [(box.label, box.raw) for box in found(answer).boxes] == [
        ("plate", '{"bbox_2d": [50, 60, 70, 80], "label": "plate"}'),
        ("cup", '{"bbox_2d": [10, 20, 30, 40], "label": "cup"}'),
    ]
    assert found(answer).raw == answer


@pytest.mark.parametrize(
    ("answer", "if_whole", "if_cut", "by_its_looks"),
    [
        ("cup: x1: 10, y1: 20, x2: 30, y2: 400", 1, 0, 1),
        ("cup: x1: 10, y1: 20, x2: 30, y2: 4", 1, 0, 0),  # in order only if a digit is missing
        ("cup: x: 100, y: 20, width: 300, height: 4", 1, 0, 0),
        ("cup: x1: 10, y1: 20, x2: 30, y2: 400\n", 1, 1, 1),
        ("cup, 10, 20, 30, 40", 1, 0, 1),
        ("cup: [10, 20, 30, 40]", 1, 1, 1),
        ("cup: x=10, y=20", 1, 0, 1),
        ('[{"bbox_2d": [10, 20, 30, 40], "label": "cup"},', 1, 1, 1),
    ],
)
def test_a_number_that_ends_the_answer_counts_if_nothing_has_cut_it(
    answer: str, if_whole: int, if_cut: int, by_its_looks: int
) -> None:
    whole, cut = (read(answer, FRAME, whole=told) for told in (True, False))
    assert len(whole.boxes + whole.points) == if_whole
    assert whole.problems == ()
    assert len(cut.boxes + cut.points) == if_cut
    limit = "what may have followed: the answer reached its limit of tokens"
    within = f"the answer may break off inside a number: {answer.removeprefix('cup: ')}"
    assert cut.problems == ((limit,) if if_cut else (within, limit))
    assert len(found(answer).boxes + found(answer).points) == by_its_looks


def test_half_of_a_surrogate_pair_becomes_what_can_be_written_to_a_file() -> None:
    [box] = found(r'[{"bbox_2d": [10, 20, 30, 40], "label": "cup \ud83d"}]').boxes
    assert box.label == "cup \ufffd"


# --- any list of boxes, in any form, damaged at any place, cut at any length ---

LETTERS = st.text("abcdefghz äé컵-", min_size=1, max_size=8).map(str.strip).filter(bool)


def _box(x: int, y: int, width: int, height: int) -> tuple[int, int, int, int]:
    return x, y, x + width, y + height


# No side below 2, so that no list of four is a list of shares.
PLACES = st.builds(
    _box, st.integers(2, 400), st.integers(2, 400), st.integers(2, 500), st.integers(2, 500)
)
BOXES = st.lists(
    st.builds(Named, LETTERS, PLACES),
    min_size=1,
    max_size=5,
    # A damaged place that repeats another one is not told.
    unique_by=(lambda box: box.label, lambda box: box.place[:2]),
)
FORM = st.sampled_from(sorted(FORMS))
CHARACTERS = st.sampled_from("{}[]()<>\"'\\,: 0123.-#/x\n|`@!_=*;$%&~^?Anulé")


def boxes_of(detection: Detection, *, but_last: int = 0) -> set[tuple[str, tuple[float, ...]]]:
    boxes = detection.boxes[: len(detection.boxes) - but_last]
    return {(box.label, box.xyxy) for box in boxes}


def places(detection: Detection) -> set[tuple[str, tuple[float, ...]]]:
    return boxes_of(detection) | {(point.label, point.xy) for point in detection.points}


@settings(max_examples=300, deadline=None, derandomize=True)
@given(BOXES, FORM)
def test_every_form_says_the_same(boxes: list[Named], form: str) -> None:
    text, named, _ = write(boxes, FORMS[form])
    detection = found(text)
    in_order = [
        *((box.label, box.xyxy) for box in detection.boxes),
        *((point.label, point.xy) for point in detection.points),
    ]
    assert (in_order, detection.problems) == (named, ())


@settings(max_examples=1500, deadline=None, derandomize=True)
@given(BOXES, FORM, CHARACTERS, st.sampled_from(["lost", "added", "changed"]), st.data())
def test_one_wrong_character_costs_no_other_box(
    boxes: list[Named], form: str, character: str, kind: str, data: st.DataObject
) -> None:
    text, named, spans = write(boxes, FORMS[form])
    at = data.draw(st.integers(0, len(text) - 1))
    added = "" if kind == "lost" else character
    behind = at if kind == "added" else at + 1
    detection = found(text[:at] + added + text[behind:])
    last = 1 if kind == "added" else 0
    whole = {
        each
        for each, (begin, end) in zip(named, spans, strict=True)
        if not begin <= at < end + last
    }
    assert places(detection) >= whole
    # Nothing is invented, and what is not found is told.
    damaged = places(detection) - whole
    assert len(damaged) <= len(boxes) - len(whole)
    assert all(len(place) == FORMS[form].size for _, place in damaged)
    assert len(places(detection)) + len(detection.problems) >= len(boxes)


@settings(max_examples=500, deadline=None, derandomize=True)
@given(BOXES, FORM, st.data())
def test_a_cut_answer_has_the_boxes_before_the_cut_and_no_other(
    boxes: list[Named], form: str, data: st.DataObject
) -> None:
    text, named, spans = write(boxes, FORMS[form])
    cut = data.draw(st.integers(0, len(text)))
    detection = found(text[:cut])
    whole = {each for each, (_, end) in zip(named, spans, strict=True) if end <= cut}
    assert whole <= places(detection) <= set(named)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(BOXES, FORM)
def test_in_a_growing_answer_what_was_found_stays_found(boxes: list[Named], form: str) -> None:
    text = write(boxes, FORMS[form]).text
    before = set[tuple[str, tuple[float, ...]]]()
    for cut in range(len(text) + 1):
        now = places(found(text[:cut]))
        assert now >= before
        before = now


ONLY_ITS_END_TELLS = {"a-thought-without-its-beginning"}
"""That what came before was a thought, and its boxes none."""


PAIRS_IN_A_SENTENCE = {
    "a-name-in-tags-before-corners",
    "a-name-that-is-at-a-place",
    "a-number-before-the-name",
    "a-point-without-its-beginning",
    "form-cv2",
    "style-of-claude",
    "wide-and-high",
}
"""Two bare numbers are a point until two more make it a box."""
FORMS_OF_LINES = (
    "yaml",
    "toml",
    "ini",
    "assignments",
    "a-table",
    "commas-between",
    "spaces-between",
)
NAMED_BEHIND = ("names-in-elements-behind", "names-in-tags", "names-in-words", "text-of-an-element")
IN_LINES = [
    name
    for name in NAMES
    if name.startswith((*FORMS_OF_LINES, *NAMED_BEHIND)) or name.endswith("in-lines")
]
"""Only the next line, or what follows before the next place, tells that one is whole."""


@pytest.mark.parametrize("name", IN_LINES)
def test_in_lines_what_was_found_stays_found_once_the_next_was_found(name: str) -> None:
    answer = (ANSWERS / f"{name}.txt").read_text()
    last = boxes_of(found(answer))
    for cut in range(len(answer) + 1):
        assert boxes_of(found(answer[:cut]), but_last=1) <= last, answer[:cut]


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in NAMES
        if "prose" not in name and name not in {*ONLY_ITS_END_TELLS, *IN_LINES}
    ],
)
def test_in_each_answer_of_the_corpus_what_was_found_stays_found(name: str) -> None:
    answer = (ANSWERS / f"{name}.txt").read_text()
    read_places = boxes_of if name in PAIRS_IN_A_SENTENCE else places
    before = set[tuple[str, tuple[float, ...]]]()
    # Each letter; of the longest answer, which goes round in a loop, every fourth.
    for cut in range(0, len(answer) + 1, 1 + len(answer) // 500):
        now = read_places(found(answer[:cut]))
        assert now >= before, answer[:cut]
        before = now


PIECES = [
    *"{}[]()\"'\\,: <>#/",
    '{"bbox_2d": [1, 2, 3, 4], "label": "a"}',
    '"bbox_2d": [1, 2, 3, 4]',
    '<point x="5" y="6">',
    "</point>",
    '<points x1="1" y1="2" alt="a">',
    "</points>",
    "<box>",
    "<ref>",
    "<think>",
    "</think>",
    "(1,2),(3,4)",
    "[1, 2, 3, 4]",
    "```",
    "null",
    "1e999",
    "\n",
    "- box: [1, 2, 3, 4]\n",
    "  label: a\n",
    "- x1: 1\n  y1: 2\n  x2: 3\n  y2: 4\n",
    "label,x1,y1,x2,y2\n",
    "a,1,2,3,4\n",
    "|x1|y1|x2|y2|\n",
    "|1|2|3|4|\n",
    "|||||\n",
    '<a x1="1" y1="2" x2="3" y2="4">',
    "<name>a</name>",
    "<x1>1</x1><y1>2</y1><x2>3</x2><y2>4</y2>",
    "\uff0c",
    "Box(x1=1, y1=2, x2=3, y2=4)",
    "f(a=",
    "np.array([1, 2, 3, 4])",
    "a 1 2 3 4\n",
    "[a]\nx1 = 1\ny1 = 2\nx2 = 3\ny2 = 4\n",
    "(1, 2)",
    "(1, 2), 3x4",
    "x=1, y=2",
    "x 1-2, y 3-4",
    '{"x1": [1, 2], "y1": [1, 2], "x2": [3, 4], "y2": [3, 4]}',
    "**a**\n",
    "# a\n",
    "Label: a, ",
    "centre ",
    '<box label="a">',
    "&quot;",
    "{&quot;",
    '{"a": "',
    '"a": "[1, 2, 3, 4]", ',
    "[THINK]",
    "- **x1**: 1\n- **y1**: 2\n- **x2**: 3\n- **y2**: 4\n",
    "a:\n  - 1\n  - 2\n",
    "|a|point|\n|b|[1, 2]|\n",
    "[x, y, w, h] ",
    "the image size is ",
    "(1%, 2%)",
    '{"x_range": [1, 3], "y_range": [2, 4]}',
    '{"unit": "percent", "box": [1, 2, 3, 4], "label": "a"}',
    '<parameter name="x1">1</parameter>',
    '{"a", 1, 2, 3, 4}',
    "x1 y1 x2 y2 name\n1 2 3 4 a\n",
    "| a | top-left | bottom-right |\n| b | (1, 2) | (3, 4) |\n",
    '("a", (1, 2), [(1, 2, 3, 4)])',
    "<|point_start|>(1,2)<|point_end|>",
    "<tr><td>a</td><td>1 2 3 4</td></tr>",
    "<li>",
    " (a), ",
    "top-left (1, 2)",
    "[1,2][3,4]",
    "a: 1, 2, 3, 4\n",
    "A { x: 1, y: 2 }",
    '{"box_2d": [1, 2, 3, 4]}',
    '{"categories": [{"id": 1, "name": "a"}], "b": [{"category_id": 1, "bbox": [1, 2, 3, 4]}]}',
    '{"type": "rect", "tags": ["a"], "points": [[1, 2], [3, 4]]}',
    '<a b="1 2 3 4">a</a>',
]


@settings(max_examples=1000, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
@example("|||||")
@example("a,,,,")
@example('<points x1="1" y1="2" alt="a">{"bbox_2d": [1, 2, 3, 4], "label": "a"}</points>')
def test_no_answer_is_too_strange_to_be_read(answer: str) -> None:
    for box in found(answer).boxes:
        x1, y1, x2, y2 = box.xyxy
        assert 0 <= x1 < x2 <= 1000
        assert 0 <= y1 < y2 <= 1000


@pytest.mark.parametrize(
    "piece",
    [
        *("{[(<point ", "{", "[", '"', "'", "[1,", '["a",', '{"a": "', '{"a" ', "<think>", "<box>"),
        *("{ # ", "/*", '"\\"', "a\n", '{"bbox_2d":[1,2,3,4],"label":"a\\""},'),
        *(
            "a: b\n",
            "a:\n",
            "a: b\n!\n",
            "- 1\n",
            "box:\n",
            "- box: [1, 2, 3, 4]\n",
            "box: [1,\n",
            "a,1,2,3,4\n",
        ),
        *(
            "|x1|y1|x2|y2|\n",
            "|1|2|3|4|\n",
            "x1 1 ",
            "x1=1,",
            "<xmin>1</xmin>",
            '<a x1="1" ',
            "<a>",
        ),
        *("top-left (1,2) ", "1\uff0c", "<name>a</name>"),
        *("f(a=", "f(x=1,", "a 1 2 3 4\n", "[a]\n", "a = 1\n", "(1, 2) ", "x 1-2, ", "a[", "1 2 "),
        *("**a**\n", "# a\n", "Label: a, ", "<box a>", "<name>a</name><box>", "- x1: 1\n"),
        *('{"a": "', '"a": "1", ', "(1%, 2%) ", "<loc1>", "x1 | 1 |\n", "<td>1</td>"),
        *("[x, y, w, h] [1, 2, 3, 4] ", "image size ", "[THINK]", "**x1**: 1\n", "|a|point|\n"),
        *('{"a": "(1, 2)"}', '("a", (1, 2), [', '{"xs": [1], "ys": [2], '),
        *("np.array(", "{&quot;a", "coords='1,2,3,4' ", "a.", "<a ", "|1"),
        *('<point x="1" y="', "the bounding box for the cup is ", "`**Cup** — bbox: "),
        *("1", "1a", "x1=", '<parameter name="a">1</parameter>', "10% left "),
        *('{"a", 1, 2, ', '{"a", {1, ', "[`a`, ", "\u30101", "> a\n", "f(x: 1,", '"a" to f(1, '),
        *("detected a with score 0.9 at ", "x1 y1 x2 y2\n", "a: 1 # b\n", "1? 2, ", "left 1 "),
        *("<arg_key>a</arg_key><arg_value>1", '{"a_pct": [', '"\u300ca\u300d: ', "[1} "),
        *('["cup", x, 228', '{"box": ', '"start_point": [1,2], ', "369,390,387,421 "),
        *("<tr><td>1</td>", "<tr><td>", "<li>a", "$1, ", '"rgb": [1, 2], ', "a\n[1, 2, 3, 4]\n"),
        *("[1, 2, 3, 4] (a) ", "the a at [1, 2, 3, 4] ", "**a** at [1, 2, 3, 4] ", "[1,2][3,4]"),
        *("**a**\n```\n[1, 2, 3, 4]\n", "top-left (1, 2) to x (3, 4) ", "Rect { x: 1, ", "A=1\n"),
        *('"categories": [{"id": 1, "name": "a"}], ', '{"box_2d": [1, 2, 3, 4]}\n'),
        *('"size": [1, 2], ', '"type": "rect", ', '<a b="bbox 1 2 3 4">c</a>', '"points": [1], '),
        *(
            "[1, 2, 3, 4\n- a: ",
            "a: 1, 2, 3, 4\n",
            "(1, 2) | ",
            "x=1, y=2, h=3 ",
            "<a0123> ",
            "\n  1\n",
        ),
    ],
)
def test_the_time_grows_no_faster_than_the_answer(piece: str) -> None:
    """Ten times the answer takes 5 to 15 times; the square would be 100."""

    def seconds(length: int) -> float:
        answer = piece * (length // len(piece))
        begun = process_time()
        found(answer)
        return process_time() - begun

    gc.disable()  # it would collect the garbage of all other tests
    try:
        short, long = min(seconds(4_000) for _ in range(3)), seconds(40_000)
    finally:
        gc.enable()
    assert long < 40 * short + 0.1
