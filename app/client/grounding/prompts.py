"""How a model is asked for boxes and points, and the form its answer is held to."""

from __future__ import annotations

from typing import Any

MOST = 50
"""Items in one answer: a model that repeats itself is stopped before the token limit stops it."""
TOKENS = 2048
"""Enough for that many: an item takes about 40 tokens of Qwen's, less of other models'."""
LABEL_LENGTH = 60
LARGEST = 99_999
"""No picture is sent with a longer side; keeps a number from going on for ever."""


def detection_prompt(what: str) -> str:
    """After Qwen2.5-VL's own cookbook for spatial understanding."""
    return f"Locate every {what} in the image and output the bbox coordinates in JSON format."


def pointing_prompt(what: str) -> str:
    """See :func:`detection_prompt`."""
    return f"Point to every {what} in the image and output the point coordinates in JSON format."


def _schema(key: str, numbers: int) -> dict[str, Any]:
    coordinate = {"type": "integer", "minimum": 0, "maximum": LARGEST}
    return {
        "type": "array",
        "maxItems": MOST,
        "items": {
            "type": "object",
            "properties": {
                key: {
                    "type": "array",
                    "items": coordinate,
                    "minItems": numbers,
                    "maxItems": numbers,
                },
                "label": {"type": "string", "maxLength": LABEL_LENGTH},
            },
            "required": [key, "label"],
            "additionalProperties": False,
        },
    }


BOX_SCHEMA = _schema("bbox_2d", 4)
"""``[{"bbox_2d": [x1, y1, x2, y2], "label": "…"}, …]``, what Qwen2.5-VL was trained to write."""
POINT_SCHEMA = _schema("point_2d", 2)
"""``[{"point_2d": [x, y], "label": "…"}, …]``."""
