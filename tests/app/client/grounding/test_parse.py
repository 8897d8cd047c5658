"""Answers as models really write them."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.client import Detection
from app.client.grounding.boxes import read
from app.client.grounding.parse import Item, items
from app.model.image_tokens import Size

SAME = Size(1000, 1000)


def found(answer: str) -> Detection:
    return read(answer, original=SAME, sent=SAME, coord_space="pixels")


def boxes(answer: str) -> list[tuple[str, tuple[float, ...]]]:
    return [(box.label, box.xyxy) for box in found(answer).boxes]


CUP = ("cup", (10, 20, 30, 40))
PLATE = ("plate", (50, 60, 70, 80))


@pytest.mark.parametrize(
    "answer",
    [
        '[{"bbox_2d": [10, 20, 30, 40], "label": "cup"}]',
        '```json\n[\n\t{"bbox_2d": [10, 20, 30, 40], "label": "cup"}\n]\n```',
        'Here it is:\n```\n{"bbox_2d": [10, 20, 30, 40], "label": "cup"}\n```\nAnything else?',
        "[{'bbox_2d': [10, 20, 30, 40], 'label': 'cup'}]",
        '{"label": "cup", "bbox_2d": [10.0, 20.0, 30.0, 40.0]}',
        '[{"bbox_2d": [[10, 20], [30, 40]], "label": "cup"}]',
        '[{"bbox_2d": [30, 40, 10, 20], "label": "cup"}]',
        '[{"box_2d":[10,20,30,40],"name":"cup"}]',
        '[{"bbox_2d": [10, 20, 30, 40], "label": "cup"}, {"bbox_2d": [50, 60',
        '[{"bbox_2d": [10, 20, 30, 40], "label": "cup"},',
        '{"objects": [{"bbox": [10, 20, 30, 40], "label": "cup"}]}',
    ],
)
def test_a_box_is_read_however_it_is_written(answer: str) -> None:
    assert boxes(answer) == [CUP]


def test_boxes_keep_the_answers_order_and_their_own_text() -> None:
    answer = (
        '[{"bbox_2d": [50, 60, 70, 80], "label": "plate"}, '
        '{"bbox_2d": [10, 20, 30, 40], "label": "cup"}]'
    )
    assert boxes(answer) == [PLATE, CUP]
    assert [box.raw for box in found(answer).boxes] == [
        '{"bbox_2d": [50, 60, 70, 80], "label": "plate"}',
        '{"bbox_2d": [10, 20, 30, 40], "label": "cup"}',
    ]
    assert found(answer).raw == answer


@pytest.mark.parametrize(
    "answer",
    [
        "The cup is at [10, 20, 30, 40].",
        "<|object_ref_start|>cup<|object_ref_end|><|box_start|>(10,20),(30,40)<|box_end|>",
    ],
)
def test_bare_corners_are_a_box_without_a_label(answer: str) -> None:
    assert boxes(answer) == [("", (10, 20, 30, 40))]


@pytest.mark.parametrize(
    ("answer", "places"),
    [
        ('[{"point_2d": [5, 6], "label": "lid"}]', [("lid", (5, 6))]),
        (
            '<points x1="5.5" y1="6" x2="7" y2="8" alt="lids">lid</points>',
            [("lid", (5.5, 6)), ("lid", (7, 8))],
        ),
        ('<point x="5" y="6">lid</point>', [("lid", (5, 6))]),
    ],
)
def test_points_are_read_as_json_and_as_xml(answer: str, places: list[object]) -> None:
    assert [(point.label, point.xy) for point in found(answer).points] == places


@pytest.mark.parametrize(
    "answer", ["", "[]", "```json\n[]\n```", "There is no cup.", "{}", "[1, 2]"]
)
def test_an_answer_without_boxes_has_none_and_no_problem(answer: str) -> None:
    assert (found(answer).boxes, found(answer).points, found(answer).problems) == ((), (), ())


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ('[{"bbox_2d": [10, 20', "the answer breaks off inside an object"),
        (
            '[{"bbox_2d": [10, 20, 30], "label": "a"}]',
            '3 numbers are neither a box nor a point: {"bbox_2d": [10, 20, 30], "label": "a"}',
        ),
        (
            '[{"bbox_2d": [9, 2, 9, 4]}]',
            'a box with nothing in it, or outside the picture: {"bbox_2d": [9, 2, 9, 4]}',
        ),
        (
            '[{"bbox_2d": [1e999, 20, 10, 40], "label": "a"}]',
            'not a place in the picture: {"bbox_2d": [1e999, 20, 10, 40], "label": "a"}',
        ),
    ],
)
def test_what_is_left_out_is_told(answer: str, problem: str) -> None:
    assert (found(answer).boxes, found(answer).problems) == ((), (problem,))


def test_a_model_that_repeats_itself_is_heard_once() -> None:
    one = '{"bbox_2d": [10, 20, 30, 40], "label": "cup"}'
    looped = found("[" + ", ".join([one] * 40) + ', {"bbox_2d": [10')
    assert [box.label for box in looped.boxes] == ["cup"]
    assert "said again, word for word: 39 items" in looped.problems


LABELS = st.text(st.characters(blacklist_categories=["Cs"]), max_size=12)
ITEMS = st.lists(
    st.tuples(st.integers(0, 400), st.integers(0, 400), st.integers(1, 500), LABELS),
    max_size=6,
)


@settings(max_examples=200)
@given(ITEMS, st.data())
def test_a_growing_answer_finds_first_what_the_whole_finds(
    told_items: list[tuple[int, int, int, str]], data: st.DataObject
) -> None:
    told = [{"bbox_2d": [x, y, x + s, y + s], "label": label} for x, y, s, label in told_items]
    answer = json.dumps(told, ensure_ascii=False)
    whole = boxes(answer)
    assert {label for label, _ in whole} == {label for *_, label in told_items}
    cut = data.draw(st.integers(0, len(answer)))
    part = boxes(answer[:cut])
    assert part == whole[: len(part)]


@settings(max_examples=300)
@given(st.text(alphabet="{}[]()<>\"'\\,: 0123456789.-eboxpint_2dlab\n/=", max_size=120))
def test_no_text_is_too_strange_to_be_read(answer: str) -> None:
    whole = found(answer)
    for box in whole.boxes:
        x1, y1, x2, y2 = box.xyxy
        assert 0 <= x1 < x2 <= 1000
        assert 0 <= y1 < y2 <= 1000


def test_a_long_answer_of_nothing_but_brackets_takes_no_long_time() -> None:
    assert found("{[(<point " * 5_000).boxes == ()
    assert found("{" * 50_000).boxes == ()
    assert found('{"a": "' * 5_000).boxes == ()


@pytest.mark.parametrize(
    ("written", "label"),
    [
        (r"cup \ud83d\ude00", "cup 😀"),
        (r"cup \ud83d", "cup \ufffd"),
        (r"cup 1\/2", "cup 1/2"),
        (r"\ube68\uac04 \ucef5", "빨간 컵"),
    ],
)
def test_escaped_letters_become_what_can_be_written_to_a_file(written: str, label: str) -> None:
    [box] = found(f'[{{"bbox_2d": [10, 20, 30, 40], "label": "{written}"}}]').boxes
    assert box.label == label
    assert box.label.encode().decode() == label


PIECES = [
    *"{}[]()\"'\\,: <>",
    '{"bbox_2d": [1, 2, 3, 4], "label": "a"}',
    '<point x="5" y="6">',
    "</point>",
    '<points x1="1" y1="2" alt="a">',
    "</points>",
    "(1,2),(3,4)",
    "[1, 2, 3, 4]",
    "lid",
]


@settings(max_examples=500)
@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
@example('<points x1="1" y1="2" alt="a">{"bbox_2d": [1, 2, 3, 4], "label": "a"}</points>')
def test_however_strange_an_answer_what_was_found_stays_found(answer: str) -> None:
    whole = [item for item in items(answer) if isinstance(item, Item)]
    for cut in range(len(answer)):
        part = [item for item in items(answer[:cut]) if isinstance(item, Item)]
        assert part == whole[: len(part)]
