"""Detections as JSON and as COCO, literally."""

from __future__ import annotations

import json

from app.client.grounding.export import as_coco, as_json, of_json
from app.client.grounding.found import Box, Detection, Point
from app.model.image_tokens import Size

TABLE = Detection(
    boxes=(
        Box("plate", (10.004, 20.0, 110.006, 70.5), "a"),
        Box("cup", (0.0, 0.0, 33.333333, 66.666667), "b"),
    ),
    points=(Point("handle", (12.345678, 9.0), "c"),),
    picture=Size(640, 480),
    raw="[…]",
    problems=("the answer breaks off inside an object",),
)
SHELF = Detection((Box("plate", (1.0, 2.0, 4.0, 6.0), "d"),), (), Size(100, 50), "x", ())
NOTHING = Detection((), (), Size(7, 5), "[]", ())


def test_json_has_all_of_it_in_pixels() -> None:
    told = as_json(TABLE)
    assert told == {
        "picture": {"width": 640, "height": 480},
        "boxes": [
            {"label": "plate", "xyxy": [10.0, 20.0, 110.01, 70.5]},
            {"label": "cup", "xyxy": [0.0, 0.0, 33.33, 66.67]},
        ],
        "points": [{"label": "handle", "xy": [12.35, 9.0]}],
        "answer": "[…]",
        "problems": ["the answer breaks off inside an object"],
    }
    assert json.loads(json.dumps(told)) == told


def test_json_is_read_back() -> None:
    assert of_json(json.loads(json.dumps(as_json(TABLE)))) == Detection(
        boxes=(
            Box("plate", (10.0, 20.0, 110.01, 70.5), ""),
            Box("cup", (0.0, 0.0, 33.33, 66.67), ""),
        ),
        points=(Point("handle", (12.35, 9.0), ""),),
        picture=Size(640, 480),
        raw="[…]",
        problems=("the answer breaks off inside an object",),
    )


def test_coco_counts_from_one_and_has_width_and_height() -> None:
    coco = as_coco({"table.jpg": TABLE, "none.jpg": NOTHING, "shelf.jpg": SHELF})
    assert coco["images"] == [
        {"id": 1, "file_name": "table.jpg", "width": 640, "height": 480},
        {"id": 2, "file_name": "none.jpg", "width": 7, "height": 5},
        {"id": 3, "file_name": "shelf.jpg", "width": 100, "height": 50},
    ]
    assert coco["categories"] == [{"id": 1, "name": "cup"}, {"id": 2, "name": "plate"}]
    assert coco["annotations"] == [
        {
            "id": 1,
            "image_id": 1,
            "category_id": 2,
            "bbox": [10.0, 20.0, 100.0, 50.5],
            "area": 5050.1,
            "iscrowd": 0,
        },
        {
            "id": 2,
            "image_id": 1,
            "category_id": 1,
            "bbox": [0.0, 0.0, 33.33, 66.67],
            "area": 2222.22,
            "iscrowd": 0,
        },
        {
            "id": 3,
            "image_id": 3,
            "category_id": 2,
            "bbox": [1.0, 2.0, 3.0, 4.0],
            "area": 12.0,
            "iscrowd": 0,
        },
    ]
    assert json.loads(json.dumps(coco)) == coco


def test_coco_of_nothing_is_whole() -> None:
    coco = as_coco({})
    assert (coco["images"], coco["categories"], coco["annotations"]) == ([], [], [])
