"""Detections in forms that other programs read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

from app.client.grounding.found import Box, Detection, Point
from app.model.image_tokens import Size


class CocoInfo(TypedDict):
    description: str


class CocoImage(TypedDict):
    id: int
    file_name: str
    width: int
    height: int


class CocoCategory(TypedDict):
    id: int
    name: str


class CocoAnnotation(TypedDict):
    id: int
    image_id: int
    category_id: int
    bbox: list[float]
    """Left, top, width, height; pixels."""
    area: float
    iscrowd: int


class Coco(TypedDict):
    info: CocoInfo
    images: list[CocoImage]
    categories: list[CocoCategory]
    annotations: list[CocoAnnotation]


def as_json(detection: Detection) -> dict[str, Any]:
    """Everything but each item's own piece of the answer; pixels, rounded to hundredths.

    ``score`` is left out where the answer has none.
    """
    return {
        "picture": {"width": detection.picture.width, "height": detection.picture.height},
        "boxes": [
            {"label": b.label, "xyxy": _rounded(b.xyxy), **_scored(b)} for b in detection.boxes
        ],
        "points": [
            {"label": p.label, "xy": _rounded(p.xy), **_scored(p)} for p in detection.points
        ],
        "answer": detection.raw,
        "problems": list(detection.problems),
    }


def of_json(told: Mapping[str, Any]) -> Detection:
    """What :func:`as_json` was given, but for the rounding and each item's ``raw``."""
    return Detection(
        boxes=tuple(Box(b["label"], tuple(b["xyxy"]), "", b.get("score")) for b in told["boxes"]),
        points=tuple(Point(p["label"], tuple(p["xy"]), "", p.get("score")) for p in told["points"]),
        picture=Size(told["picture"]["width"], told["picture"]["height"]),
        raw=told["answer"],
        problems=tuple(told["problems"]),
    )


def as_coco(detections: Mapping[str, Detection]) -> Coco:
    """File names to boxes in COCO's form for object detection; ids count from 1.

    Boxes only: COCO has no place for a point that is no part of a skeleton. The form is
    https://cocodataset.org/#format-data; categories are the labels in alphabetical order.
    """
    labels = sorted({box.label for found in detections.values() for box in found.boxes})
    categories = {label: i for i, label in enumerate(labels, 1)}
    images: list[CocoImage] = []
    annotations: list[CocoAnnotation] = []
    for image_id, (name, found) in enumerate(detections.items(), 1):
        width, height = found.picture
        images.append({"id": image_id, "file_name": name, "width": width, "height": height})
        for box in found.boxes:
            left, top, right, bottom = box.xyxy
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image_id,
                    "category_id": categories[box.label],
                    "bbox": _rounded((left, top, right - left, bottom - top)),
                    "area": round((right - left) * (bottom - top), 2),
                    "iscrowd": 0,
                }
            )
    return {
        "info": {"description": "Boxes that a vision-language model was asked for; no points."},
        "images": images,
        "categories": [{"id": i, "name": label} for label, i in categories.items()],
        "annotations": annotations,
    }


def _scored(mark: Box | Point) -> dict[str, float]:
    return {} if mark.score is None else {"score": mark.score}


def _rounded(numbers: tuple[float, ...]) -> list[float]:
    return [round(number, 2) for number in numbers]
