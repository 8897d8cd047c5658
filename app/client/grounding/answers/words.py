"""Keys of an answer, and what they say about their value."""

from __future__ import annotations

import re
from typing import Literal
from unicodedata import normalize

from app.client.grounding.answers.side_names import side_or_corner

Kind = Literal["box", "point", "either"]


def _letters(key: str) -> str:
    return re.sub(r"[\W_]+", "", normalize("NFKC", key)).casefold()


def _words(text: str) -> tuple[str, ...]:
    return tuple(map(_letters, text.split()))


COORDINATES: dict[str, Kind] = {
    **dict.fromkeys(
        _words(
            "bbox bbox2d box box2d boundingbox boundingbox2d bndbox boundingrect "
            "boundingrectangle bboxcoords bboxcoordinates boxcoords boxcoordinates xyxy bboxxyxy "
            "rect rectangle roi aabb shapeattributes caja caixa boîte rahmen riquadro kutu "
            "ramka рамка المربع الصندوق مربع صندوق "
            "边界框 边框 检测框 邊界框 バウンディングボックス 경계상자 바운딩박스"
        ),
        "box",
    ),
    **dict.fromkeys(_words("point point2d xy center centre centroid keypoint click"), "point"),
    **dict.fromkeys(_words("startbox endbox"), "point"),
    **dict.fromkeys(
        _words(
            "coordinates coordinate coords coord location position region bounds geometry where "
            "koordinaten coordenadas coordonnées coordinata koordinatlar współrzędne tọađộ "
            "координаты 坐标 座標 位置 좌표 위치 الإحداثيات إحداثيات الموقع مختصات निर्देशांक พิกัด"
        ),
        "either",
    ),
}
"""Keys of one place."""
CONTAINERS: dict[str, Kind] = {
    **dict.fromkeys(
        _words("boxes bboxes bboxes2d boxesxyxy boundingboxes rectangles rects regions"), "box"
    ),
    **dict.fromkeys(_words("points points2d pointcoords keypoints clicks centers"), "point"),
    **dict.fromkeys(
        _words(
            "objects detections results result items item annotations predictions instances data "
            "output outputs answer answers response found entities elements targets parts "
            "children locations positions object detection annotation prediction instance "
            "arguments parameters members contains"
        ),
        "either",
    ),
}
"""Keys of several places; an empty one says that there is none."""
NO_NAMES = _words("p b li td div span code pre json action")
"""Of tags, of code blocks and of lines: what stands before a place and names it not."""
IN_PERCENTS = _words("rectanglelabels keypointlabels ellipselabels polygonlabels")
"""Beside one of these all is in percents: https://labelstud.io/guide/export.html."""
LABELS = (
    *_words(
        "label name class classname category categoryname labelname objectname object text "
        "textcontent ref phrase type tag title item caption alt description "
        "etiqueta nombre nome rótulo étiquette nom bezeichnung etichetta etiket isim nazwa "
        "etykieta tên nhãn метка название имя الاسم التسمية اسم برچسب नाम लेबल ชื่อ "
        "标签 名称 类别 物体 標籤 名稱 ラベル 名前 라벨 레이블 이름"
    ),
    *IN_PERCENTS,
)
"""Keys of a name, the surest first."""
UNITS = _words("unit units")
"""Keys of a word for what the numbers beside it count."""
LISTS_OF_NAMES = _words("labels names classes detectionclasses categories texts phrases tags")
WRAPPERS = _words(
    "details detail info information attributes regionattributes properties extra extras meta "
    "metadata"
)
"""Keys of an object that says more of the thing around it, also its name or its place."""
SCORES = _words("score confidence conf probability prob")
SCORE_LISTS = _words("scores confidences probabilities probs")
"""The last words of a key of several scores, as in ``confidence_scores``."""
THOUGHTS = _words("thought thoughts thinking think reasoning analysis scratchpad reflection")
"""Keys of what a model thought before it answered."""
_NO_PLACES = frozenset(
    (
        *LABELS,
        *SCORES,
        *LISTS_OF_NAMES,
        *_words("id index count number version"),
        *_words("hex width height shape area explanation rationale"),
        *_words("comment note notes step steps"),
    )
)
_NO_PLACES_AT_THE_END = frozenset(
    (
        *SCORES,
        *SCORE_LISTS,
        *_words("threshold thresholds grid"),
        *_words("logits id ids indices counts quantities size sizes dimensions resolution ratio"),
        *_words("range ranges color colour rgb rgba hsv year years date time"),
    )
)
"""Such as ``aspect_ratio`` and ``class_ids``."""
_WORD_OF_A_KEY = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[^\W\d_a-zA-Z]+")
OUTLINES = _words(
    "polygon polygons segmentation segment contour outline vertices normalizedvertices quad "
    "quadbox corners boundingpoly boundingpolygon obb rotatedbox rotatedbbox rbox orientedbox "
    "orientedbbox path mask allpointsx allpointsy exterior"
)
"""Keys of more points than a box has."""
CORNERS = (
    ("x1", "y1", "x2", "y2"),
    ("x0", "y0", "x1", "y1"),
    ("x", "y", "x2", "y2"),
    ("left", "top", "right", "bottom"),
    ("l", "t", "r", "b"),
)
"""Keys of a box's four sides, as :func:`plain` has them; so are all below."""
CORNER_AND_SIZE = (
    ("x", "y", "width", "height"),
    ("x1", "y1", "width", "height"),
    ("left", "top", "width", "height"),
)
CENTRE_AND_SIZE = (("cx", "cy", "width", "height"),)
SETS_OF_SIDES = (*CORNERS, *CORNER_AND_SIZE, *CENTRE_AND_SIZE)
"""Each tells a box, in one of three ways."""
CORNER_AND_SIZE_LISTS = _words("xywh bboxxywh boxxywh ltwh bboxltwh tlwh cocobbox bboxcoco")
CENTRE_AND_SIZE_LISTS = _words("cxcywh bboxcxcywh boxcxcywh cxcywhn xywhn yolo yolobbox bboxyolo")
"""Keys of lists that say themselves that two of their numbers are a width and a height."""
CORNER_LISTS = _words("xyxy bboxxyxy boxxyxy xyxyn ltrb tlbr bbox2d")
"""Keys of lists of two corners, x first: they say so, or are Qwen's."""
OF_GOOGLE = _words("box2d ox2d bx2d bo2d")
"""The key of Gemini and Gemma, also with a letter lost: their lists have y first.

https://ai.google.dev/gemini-api/docs/image-understanding
"""
Y_FIRST_LISTS = (*_words("yxyx boxyxyx bboxyxyx detectionboxes"), *OF_GOOGLE)
"""Keys of lists in which each corner's y stands before its x: they say so, or are Google's.

``detection_boxes`` is of TensorFlow's object detection API.
"""
ORDERS = _words("format bboxformat boxformat bboxmode boxmode coordinateformat coordformat")
"""Keys of a word for what the numbers of the boxes beside it are, one of the lists' above."""
OF_COCO = _words("categoryid iscrowd predictediou stabilityscore")
"""Beside one of these a ``bbox`` has a corner and a size: https://cocodataset.org/#format-data.

The last two are of Segment Anything's masks.
"""
GEOMETRIES = _words("polygon multipolygon linestring multilinestring")
"""Of more points than a box has, as GeoJSON calls them under ``type`` (RFC 7946)."""
SHAPES = frozenset((*COORDINATES, *GEOMETRIES, *_words("circle ellipse polyline")))
"""What a place may be, beside the name that it has."""
KINDS_OF_SHAPES = _words("rectangle rect polygon polyline circle ellipse")
"""Under ``type``: points beside one of these are its corners."""
OF_GEOJSON = (*GEOMETRIES, *_words("point multipoint feature featurecollection"))
"""Under ``type`` no names; a feature's name is among its ``properties``."""
CENTRES = _words("center centre centroid")
FIRST_CORNERS = _words("topleft origin")
POSITIONS = _words("position location")
"""Beside a size they may be a corner or the centre."""
SIZES = _words("size dimensions extent")
POINTS = (("x", "y"), ("cx", "cy"))
OF_A_TABLE = (("col", "row"), ("column", "row"))
"""A point where nothing else is; beside a place, the cell that something is in."""
ALL_CORNERS = _words("topleft topright bottomright bottomleft")
NUMBERED_CORNERS = _words("p1 p2 pt1 pt2 startpoint endpoint corner1 corner2")
PAIRS_OF_CORNERS = (
    ("topleft", "bottomright"),
    ("bottomleft", "topright"),
    ("min", "max"),
    ("p1", "p2"),
    ("pt1", "pt2"),
    ("start", "end"),
    ("startpoint", "endpoint"),
    ("from", "to"),
    ("corner1", "corner2"),
)


def last_word(key: str) -> str:
    """``scores`` of ``confidence_scores`` and of ``confidenceScores``."""
    words = _WORD_OF_A_KEY.findall(key)
    return words[-1].casefold() if words else ""


def is_no_place(key: str) -> bool:
    """Whether the numbers under it are no coordinates."""
    is_of_the_picture = re.fullmatch(
        r"(?i)(?:image|picture|canvas|screen)\W?_?(?:bounds|size|shape)", key
    )
    return (
        _letters(key) in _NO_PLACES  # a thing may be called h
        or last_word(key) in _NO_PLACES_AT_THE_END
        or is_of_the_picture is not None
    )


def may_name(key: str) -> bool:
    """Whether a text under it can be a name, if it is no word for one."""
    word = plain(key)
    return word in LISTS_OF_NAMES or not (
        is_no_place(key) or word in COORDINATES or word in ORDERS or word in THOUGHTS
    )


def plain(key: str) -> str:
    """One spelling of a key, and of a side's or a corner's name.

    ``Bounding_Box``, ``bounding-box`` and ``boundingBox`` are the same key; ``x_min``, ``top-left
    x`` and ``startX`` are the same side.
    """
    letters = _letters(key)
    return side_or_corner(letters) or letters
