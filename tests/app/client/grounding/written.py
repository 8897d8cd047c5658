"""A list of boxes, written in each of the forms that models use."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple


class Named(NamedTuple):
    """A box and its name."""

    label: str
    xyxy: tuple[int, int, int, int]


class Written(NamedTuple):
    """An answer, and where in it each box stands."""

    text: str
    spans: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Form:
    """How a list is written."""

    head: str
    one: Callable[[Named], str]
    between: str
    tail: str


def write(boxes: list[Named], form: Form) -> Written:
    text = form.head
    spans: list[tuple[int, int]] = []
    for index, box in enumerate(boxes):
        text += form.between if index else ""
        one = form.one(box)
        spans.append((len(text), len(text) + len(one)))
        text += one
    return Written(text + form.tail, tuple(spans))


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _object(box: Named) -> dict[str, object]:
    return {"bbox_2d": list(box.xyxy), "label": box.label}


def _sides(box: Named) -> dict[str, object]:
    return dict(zip(("x1", "y1", "x2", "y2"), box.xyxy, strict=True))


def _qwen2(box: Named) -> str:
    x1, y1, x2, y2 = box.xyxy
    return (
        f"<|object_ref_start|>{box.label}<|object_ref_end|>"
        f"<|box_start|>({x1},{y1}),({x2},{y2})<|box_end|>"
    )


FORMS = {
    "a list": Form("[", lambda b: _json(_object(b)), ", ", "]"),
    "a fence": Form("```json\n[\n", lambda b: f"\t{_json(_object(b))}", ",\n", "\n]\n```"),
    "indented": Form("[\n", lambda b: json.dumps(_object(b), indent=2), ",\n", "\n]"),
    "the name first": Form("[", lambda b: _json({"label": b.label, "bbox_2d": b.xyxy}), ", ", "]"),
    "Python": Form("[", lambda b: repr(_object(b)), ", ", "]"),
    "JSON lines": Form("", lambda b: _json(_object(b)), "\n", ""),
    "four sides": Form("[", lambda b: _json({"label": b.label, **_sides(b)}), ", ", "]"),
    "numbers as texts": Form(
        "[", lambda b: _json({"bbox_2d": [str(n) for n in b.xyxy], "label": b.label}), ", ", "]"
    ),
    "a list in an object": Form(
        '{"objects": [', lambda b: _json({"bbox": b.xyxy, "label": b.label}), ", ", "]}"
    ),
    "an object in an object": Form(
        "[",
        lambda b: _json({"label": b.label, "box": _sides(b), "attributes": {"colour": "red"}}),
        ", ",
        "]",
    ),
    "the name as key": Form("{", lambda b: f"{_json(b.label)}: {list(b.xyxy)}", ", ", "}"),
    "rows": Form("[", lambda b: _json([*b.xyxy, b.label]), ", ", "]"),
    "a score": Form("[", lambda b: _json({"bbox_2d": [*b.xyxy, 0.5], "label": b.label}), ", ", "]"),
    "Qwen2's tokens": Form("", _qwen2, "\n", ""),
    "InternVL's tags": Form(
        "", lambda b: f"<ref>{b.label}</ref><box>[{list(b.xyxy)}]</box>", "\n", ""
    ),
}
