"""Keys of an answer, and what they say about their value."""

from __future__ import annotations

import re
from typing import Literal

Kind = Literal["box", "point", "either"]


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


COORDINATES: dict[str, Kind] = {
    **dict.fromkeys(_words("bbox bbox2d box box2d boundingbox bndbox xyxy rect rectangle"), "box"),
    **dict.fromkeys(_words("边界框 边框 检测框 경계상자 바운딩박스"), "box"),
    **dict.fromkeys(_words("point point2d xy center centre centroid keypoint click"), "point"),
    **dict.fromkeys(_words("startbox endbox"), "point"),
    **dict.fromkeys(
        _words(
            "coordinates coordinate coords coord location position region bounds geometry "
            "坐标 位置 좌표 위치"
        ),
        "either",
    ),
}
"""Keys of one place."""
CONTAINERS: dict[str, Kind] = {
    **dict.fromkeys(_words("boxes bboxes bboxes2d boundingboxes rectangles rects regions"), "box"),
    **dict.fromkeys(_words("points points2d keypoints clicks centers"), "point"),
    **dict.fromkeys(
        _words(
            "objects detections results result items item annotations predictions instances data "
            "output outputs answer answers response found entities elements targets parts "
            "children locations positions object detection annotation prediction instance "
            "arguments parameters"
        ),
        "either",
    ),
}
"""Keys of several places; an empty one says that there is none."""
NO_NAMES = _words("p b li td div span code pre json")
"""Of tags and of code blocks: what stands before a place and names it not."""
LABELS = _words(
    "label name class classname category categoryname labelname objectname object text "
    "textcontent ref phrase type tag title item caption alt description "
    "标签 名称 类别 物体 라벨 레이블 이름"
)
"""Keys of a name, the surest first."""
SCORES = _words("score confidence conf probability prob")
SCORE_LISTS = _words("scores confidences probabilities")
NO_PLACES = frozenset(
    (
        *LABELS,
        *SCORES,
        *SCORE_LISTS,
        *_words("labels names classes categories texts phrases id ids index count number version"),
        *_words("color colour rgb rgba hex size imagesize width height resolution shape range"),
        *_words("area ratio thought thinking think reasoning explanation rationale analysis"),
        *_words("comment note notes step steps"),
    )
)
"""Keys whose numbers are no coordinates."""
OUTLINES = _words("polygon polygons segmentation segment contour outline vertices quad path mask")
"""Keys of more points than a box has."""
CORNERS = (
    ("x1", "y1", "x2", "y2"),
    ("x0", "y0", "x1", "y1"),
    ("xmin", "ymin", "xmax", "ymax"),
    ("minx", "miny", "maxx", "maxy"),
    ("x", "y", "x2", "y2"),
    ("left", "top", "right", "bottom"),
    ("l", "t", "r", "b"),
)
"""Keys of a box's four sides."""
CORNER_AND_SIZE = (
    ("x", "y", "width", "height"),
    ("x", "y", "w", "h"),
    ("left", "top", "width", "height"),
)
CENTRE_AND_SIZE = (
    ("cx", "cy", "w", "h"),
    ("cx", "cy", "width", "height"),
    ("xc", "yc", "w", "h"),
    ("xcenter", "ycenter", "width", "height"),
    ("centerx", "centery", "width", "height"),
)
SETS_OF_SIDES = (*CORNERS, *CORNER_AND_SIZE, *CENTRE_AND_SIZE)
"""Each tells a box, in one of three ways."""
CORNER_AND_SIZE_LISTS = _words("xywh bboxxywh boxxywh ltwh bboxltwh")
CENTRE_AND_SIZE_LISTS = _words("cxcywh bboxcxcywh boxcxcywh")
"""Keys of lists that say themselves that two of their numbers are a width and a height."""
Y_FIRST_LISTS = _words("yxyx boxyxyx bboxyxyx")
"""Keys of lists that say themselves that each corner's y stands before its x."""
ORDERS = _words("format bboxformat boxformat bboxmode boxmode coordinateformat coordformat")
"""Keys of a word for what the numbers of the boxes beside it are, one of the lists' above."""
OF_COCO = _words("categoryid iscrowd")
"""Beside one of these a ``bbox`` has a corner and a size: https://cocodataset.org/#format-data."""
CENTRES = _words("center centre centroid")
SIZES = _words("size dimensions extent")
POINTS = (("x", "y"), ("cx", "cy"))
PAIRS_OF_CORNERS = (
    ("topleft", "bottomright"),
    ("lefttop", "rightbottom"),
    ("upperleft", "lowerright"),
    ("min", "max"),
    ("p1", "p2"),
    ("pt1", "pt2"),
    ("start", "end"),
)


def plain(key: str) -> str:
    """``Bounding_Box``, ``bounding-box`` and ``boundingBox`` are the same key."""
    return re.sub(r"[\W_]+", "", key).casefold()
