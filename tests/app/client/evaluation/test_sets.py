"""Sets in folders: their forms told apart, their questions, and what is wrong with the rest."""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from app.client.errors import ImageError
from app.client.evaluation import plain_pickle
from app.client.evaluation.questions import Question, SetError, sample
from app.client.evaluation.sets import open_set
from app.model.drawn import draw
from app.model.image_tokens import Size

INSTANCES: dict[str, Any] = {
    "info": {"year": 2017},
    "images": [
        {"id": 7, "file_name": "street.jpg", "width": 64, "height": 48, "license": 1},
        {"id": 8, "file_name": "field.jpg", "width": 40, "height": 40},
    ],
    "categories": [{"id": 1, "name": "person"}, {"id": 18, "name": "dog"}],
    "annotations": [
        {"id": 1, "image_id": 7, "category_id": 1, "bbox": [10, 20, 5, 6], "iscrowd": 0},
        {"id": 2, "image_id": 7, "category_id": 1, "bbox": [0, 0, 30, 10], "iscrowd": 1},
        {"id": 3, "image_id": 7, "category_id": 1, "bbox": [1.5, 2, 3, 4], "iscrowd": 0},
        {"id": 4, "image_id": 8, "category_id": 18, "bbox": [4, 4, 8, 8], "iscrowd": 0},
        {"id": 5, "image_id": 8, "category_id": 1, "bbox": [0, 0, 40, 40], "iscrowd": 1},
    ],
}
REFS: list[dict[str, Any]] = [
    {
        "ref_id": 30,
        "ann_id": 4,
        "image_id": 8,
        "category_id": 18,
        "split": "testA",
        "file_name": "COCO_train2014_000000000008_4.jpg",
        "sentences": [
            {"sent_id": 1, "sent": "brown dog", "raw": "Brown dog!", "tokens": ["brown", "dog"]},
            {"sent_id": 2, "sent": "the dog on the left", "raw": "", "tokens": []},
        ],
        "sent_ids": [1, 2],
    },
    {"ref_id": 31, "ann_id": 1, "image_id": 7, "split": "train", "sentences": [{"sent": "man"}]},
]


def pictures(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (64, 48), "red").save(folder / "street.jpg")
    Image.new("RGB", (40, 40), "blue").save(folder / "field.jpg")


@pytest.fixture
def coco(tmp_path: Path) -> Path:
    (tmp_path / "annotations").mkdir()
    (tmp_path / "annotations" / "instances_val2017.json").write_text(json.dumps(INSTANCES))
    pictures(tmp_path / "val2017")
    return tmp_path


def test_a_coco_folder_asks_for_each_category_of_each_picture(coco: Path) -> None:
    opened = open_set(str(coco))
    assert opened.questions == (
        Question(
            "7/1",
            "street.jpg",
            "person",
            ((10, 20, 15, 26), (1.5, 2, 4.5, 6)),
            ((0, 0, 30, 10),),
            {"category": "person"},
        ),
        Question("8/18", "field.jpg", "dog", ((4, 4, 12, 12),), (), {"category": "dog"}),
    )
    assert opened.picture("street.jpg").size == (64, 48)
    assert [q.single for q in opened.questions] == [False, True]


def test_the_annotations_file_may_be_given_itself(coco: Path) -> None:
    file = coco / "annotations" / "instances_val2017.json"
    assert open_set(str(file)).digest == open_set(str(coco)).digest


def test_an_export_of_one_flat_folder_is_coco_too(tmp_path: Path) -> None:
    pictures(tmp_path / "valid")
    (tmp_path / "valid" / "_annotations.coco.json").write_text(json.dumps(INSTANCES))
    assert len(open_set(str(tmp_path)).questions) == 2


@pytest.mark.parametrize("form", ["json", "pickle of Python 2", "pickle of Python 3"])
def test_a_refcoco_folder_asks_each_sentence_but_those_for_training(
    tmp_path: Path, form: str
) -> None:
    pictures(tmp_path / "train2014")
    (tmp_path / "instances.json").write_text(json.dumps(INSTANCES))
    if form == "json":
        (tmp_path / "refs.json").write_text(json.dumps(REFS))
    else:
        protocol = 2 if form.endswith("2") else pickle.HIGHEST_PROTOCOL
        (tmp_path / "refs(unc).p").write_bytes(pickle.dumps(REFS, protocol=protocol))
    opened = open_set(str(tmp_path))
    tags = {"split": "testA", "category": "dog"}
    assert opened.questions == (
        Question("30/0", "field.jpg", "brown dog", ((4, 4, 12, 12),), (), tags),
        Question("30/1", "field.jpg", "the dog on the left", ((4, 4, 12, 12),), (), tags),
    )
    assert "The training split is left out." in opened.notes


def test_strings_of_python_2_are_read(tmp_path: Path) -> None:
    # What Python 2 wrote for ['dog', u'\xe9'] and for ['caf\xc3\xa9'], protocol 0.
    (tmp_path / "old.p").write_bytes(b"(lp0\nS'dog'\np1\naV\xe9\np2\naS'caf\\xc3\\xa9'\np3\na.")
    assert plain_pickle.load(tmp_path / "old.p") == ["dog", "é", "café"]


class Evil:
    def __init__(self, target: str) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
        return os.mkdir, (self.target,)


def test_a_pickle_that_would_run_something_is_refused(tmp_path: Path) -> None:
    pictures(tmp_path)
    (tmp_path / "instances.json").write_text(json.dumps(INSTANCES))
    (tmp_path / "refs(unc).p").write_bytes(pickle.dumps([Evil(str(tmp_path / "made"))]))
    with pytest.raises(SetError, match=r"not a pickle of plain data: it asks for posix\.mkdir"):
        open_set(str(tmp_path))
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("data", [b"", b"no pickle", b"\x80\x04N", b"cbuiltins\nset\n."])
def test_a_broken_pickle_is_told_in_words(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "refs.p").write_bytes(data)
    with pytest.raises(ValueError, match=r"refs\.p is not a pickle of plain data"):
        plain_pickle.load(tmp_path / "refs.p")


def test_neither_form_is_told(tmp_path: Path) -> None:
    pictures(tmp_path)
    with pytest.raises(SetError, match=r"neither instances\*\.json or _annotations\.coco\.json"):
        open_set(str(tmp_path))
    with pytest.raises(SetError, match=r"There is no .*nowhere"):
        open_set(str(tmp_path / "nowhere"))


def test_refs_without_instances_are_told(tmp_path: Path) -> None:
    (tmp_path / "refs.json").write_text("[]")
    with pytest.raises(SetError, match=r"refs but no instances\*\.json"):
        open_set(str(tmp_path))


def test_two_sets_in_one_folder_have_to_be_told_apart(coco: Path) -> None:
    second = coco / "annotations" / "instances_train2017.json"
    second.write_text(json.dumps(INSTANCES))
    with pytest.raises(SetError, match=r"more than one set[\s\S]*instances_train2017\.json"):
        open_set(str(coco))
    assert len(open_set(str(second)).questions) == 2


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("no json", "the file: Invalid JSON"),
        ('{"images": [], "annotations": []}', "categories: Field required"),
        (
            json.dumps(
                {**INSTANCES, "annotations": [{**INSTANCES["annotations"][0], "bbox": [1]}]}
            ),
            r"annotations\.0\.bbox",
        ),
        (
            json.dumps(INSTANCES).replace("[10, 20, 5, 6]", "[10, 20, -5, 6]"),
            "bbox.2: Input should be greater than or equal to 0",
        ),
        (
            json.dumps({**INSTANCES, "categories": []}),
            "annotation 1 is of picture 7 and category 1",
        ),
        (json.dumps({**INSTANCES, "annotations": []}), "has no boxes to ask for"),
    ],
)
def test_annotations_of_another_form_are_told(coco: Path, text: str, told: str) -> None:
    (coco / "annotations" / "instances_val2017.json").write_text(text)
    with pytest.raises(SetError, match=told):
        open_set(str(coco))


def test_questions_without_a_picture_are_left_out_and_told(coco: Path) -> None:
    (coco / "val2017" / "field.jpg").unlink()
    opened = open_set(str(coco))
    assert [q.picture for q in opened.questions] == ["street.jpg"]
    assert opened.notes == ("1 of 2 questions left out: no picture here",)
    (coco / "val2017" / "street.jpg").unlink()
    with pytest.raises(SetError, match=r"not their pictures: there is no street\.jpg"):
        open_set(str(coco))


def test_pictures_may_be_linked_from_elsewhere_and_links_may_go_round(
    tmp_path: Path, coco: Path
) -> None:
    elsewhere = tmp_path.parent / f"{tmp_path.name}-elsewhere"
    (coco / "val2017").rename(elsewhere)
    (coco / "val2017").symlink_to(elsewhere)
    (coco / "round").symlink_to(coco)
    assert open_set(str(coco)).picture("field.jpg").size == (40, 40)


def test_no_name_leads_out_of_the_folder(coco: Path) -> None:
    Image.new("RGB", (64, 48)).save(coco.parent / f"{coco.name}.jpg")
    listed = json.dumps(INSTANCES).replace("street.jpg", f"../{coco.name}.jpg")
    (coco / "annotations" / "instances_val2017.json").write_text(listed)
    assert [q.picture for q in open_set(str(coco)).questions] == ["field.jpg"]


def test_of_pictures_of_one_name_the_folder_decides(coco: Path) -> None:
    Image.new("RGB", (64, 48), "black").save(coco / "street.jpg")
    listed = json.dumps(INSTANCES).replace("street.jpg", "val2017/street.jpg")
    (coco / "annotations" / "instances_val2017.json").write_text(listed)
    assert open_set(str(coco)).picture("val2017/street.jpg").getpixel((5, 5)) == (254, 0, 0)


@pytest.mark.parametrize(
    ("annotated", "top_left_is_red"), [((48, 64), False), ((64, 48), True)], ids=["seen", "stored"]
)
def test_a_turned_picture_is_handed_over_as_it_was_annotated(
    coco: Path, annotated: tuple[int, int], top_left_is_red: bool
) -> None:
    stored = Image.new("RGB", (64, 48), "blue")
    stored.paste("red", (0, 0, 32, 24))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise: what is stored at the top left is seen at the right
    stored.save(coco / "val2017" / "street.jpg", exif=exif)
    listed = json.loads(json.dumps(INSTANCES))
    listed["images"][0].update(width=annotated[0], height=annotated[1])
    (coco / "annotations" / "instances_val2017.json").write_text(json.dumps(listed))
    picture = open_set(str(coco)).picture("street.jpg")
    assert picture.size == annotated
    assert not picture.getexif()
    red, _, blue = picture.getpixel((5, 5))  # type: ignore[misc]
    assert (red > blue) == top_left_is_red


def test_a_picture_of_another_size_than_annotated_is_refused(coco: Path) -> None:
    Image.new("RGB", (48, 64)).save(coco / "val2017" / "street.jpg")
    (coco / "val2017" / "field.jpg").write_bytes(b"no picture")
    opened = open_set(str(coco))
    with pytest.raises(ImageError, match="48x64 pixels, its annotations say 64x48"):
        opened.picture("street.jpg")
    with pytest.raises(ImageError, match="is no picture that can be read"):
        opened.picture("field.jpg")


def test_the_drawn_set_asks_for_one_shape_a_kind_and_a_colour() -> None:
    opened = open_set("drawn", [Size(160, 120), Size(64, 64)])
    assert {q.tags["picture"] for q in opened.questions} == {"160x120", "64x64"}
    seeds = {int(q.picture.split("-")[-1]) for q in opened.questions}
    assert len(seeds) == 60
    assert max(seeds) < 1_000_000  # where training begins
    assert len({q.id for q in opened.questions}) == len(opened.questions)
    assert {q.tags["query"] for q in opened.questions} == {"one shape", "kind", "colour"}
    assert all(q.single for q in opened.questions if q.tags["query"] == "one shape")
    assert any(len(q.boxes) > 1 for q in opened.questions)
    assert opened.picture(opened.questions[0].picture).size == (160, 120)
    assert opened.digest == open_set("drawn", [Size(160, 120), Size(64, 64)]).digest
    assert opened.digest != open_set("drawn", [Size(160, 120)]).digest


def test_the_boxes_of_the_drawn_set_hold_what_is_asked_for() -> None:
    opened = open_set("drawn", [Size(320, 240)])
    colours = {"red": 0, "green": 1, "blue": 2}
    checked = 0
    for question in opened.questions:
        colour = question.what.split()[0]
        if question.tags["query"] == "one shape" and colour in colours:
            left, top, right, bottom = question.boxes[0]
            middle = ((left + right) / 2, top + 0.55 * (bottom - top))
            pixel = opened.picture(question.picture).getpixel((int(middle[0]), int(middle[1])))
            assert isinstance(pixel, tuple)
            checked += max(pixel) == pixel[colours[colour]]
    assert checked >= 10


def test_all_of_a_kind_and_all_of_a_colour_are_right() -> None:
    size = Size(320, 240)
    for question in open_set("drawn", [size]).questions:
        shapes = draw(int(question.picture.split("-")[-1]), size).objects
        colour, *_, kind = ["", *question.what.split()][-2:]
        right = [s for s in shapes if colour in {"", s.colour} and kind in {"shape", s.shape}]
        assert question.boxes == tuple(s.xyxy for s in right)


def test_a_sample_is_the_same_each_time_and_grows() -> None:
    questions = tuple(Question(str(i), "a", "b", ((0, 0, 1, 1),)) for i in range(50))
    assert sample(questions, None) == questions
    assert sample(questions, 99) == questions
    few, more = sample(questions, 5), sample(questions, 10)
    assert (len(few), len(more)) == (5, 10)
    assert {q.id for q in few} < {q.id for q in more}
    assert few == sample(questions, 5)
    assert few != questions[:5]
    assert [int(q.id) for q in more] == sorted(int(q.id) for q in more)
