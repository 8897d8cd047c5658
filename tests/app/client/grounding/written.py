"""A list of boxes or points, written in each of the forms that models use."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple


class Named(NamedTuple):
    """A box or a point, and its name."""

    label: str
    place: tuple[int, ...]


class Written(NamedTuple):
    """An answer, what it says, and where each place stands in it."""

    text: str
    named: list[Named]
    spans: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Form:
    """How a list is written."""

    head: str
    one: Callable[[Named], str]
    between: str
    tail: str
    size: int = 4
    """The numbers of a place: of a box, or of a point."""


def write(boxes: list[Named], form: Form) -> Written:
    named = [Named(box.label, box.place[: form.size]) for box in boxes]
    text = form.head
    spans: list[tuple[int, int]] = []
    for index, each in enumerate(named):
        text += form.between if index else ""
        one = form.one(each)
        spans.append((len(text), len(text) + len(one)))
        text += one
    return Written(text + form.tail, named, tuple(spans))


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _object(box: Named) -> dict[str, object]:
    return {"bbox_2d": list(box.place), "label": box.label}


def _sides(box: Named) -> dict[str, object]:
    return dict(zip(("x1", "y1", "x2", "y2"), box.place, strict=True))


def _qwen2(box: Named) -> str:
    x1, y1, x2, y2 = box.place
    return (
        f"<|object_ref_start|>{box.label}<|object_ref_end|>"
        f"<|box_start|>({x1},{y1}),({x2},{y2})<|box_end|>"
    )


def _molmo(point: Named) -> str:
    x, y = point.place
    return f'<point x="{x}" y="{y}" alt="{point.label}">{point.label}</point>'


def _corners(box: Named) -> str:
    return _json({"label": box.label, "top_left": box.place[:2], "bottom_right": box.place[2:]})


FORMS = {
    "a list": Form("[", lambda b: _json(_object(b)), ", ", "]"),
    "a fence": Form("```json\n[\n", lambda b: f"\t{_json(_object(b))}", ",\n", "\n]\n```"),
    "indented": Form("[\n", lambda b: json.dumps(_object(b), indent=2), ",\n", "\n]"),
    "the name first": Form("[", lambda b: _json({"label": b.label, "bbox_2d": b.place}), ", ", "]"),
    "Python": Form("[", lambda b: repr(_object(b)), ", ", "]"),
    "JSON lines": Form("", lambda b: _json(_object(b)), "\n", ""),
    "four sides": Form("[", lambda b: _json({"label": b.label, **_sides(b)}), ", ", "]"),
    "numbers as texts": Form(
        "[", lambda b: _json({"bbox_2d": [str(n) for n in b.place], "label": b.label}), ", ", "]"
    ),
    "a list in an object": Form(
        '{"objects": [', lambda b: _json({"bbox": b.place, "label": b.label}), ", ", "]}"
    ),
    "an object in an object": Form(
        "[",
        lambda b: _json({"label": b.label, "box": _sides(b), "attributes": {"colour": "red"}}),
        ", ",
        "]",
    ),
    "the name as key": Form("{", lambda b: f"{_json(b.label)}: {list(b.place)}", ", ", "}"),
    "rows": Form("[", lambda b: _json([*b.place, b.label]), ", ", "]"),
    "a score": Form(
        "[", lambda b: _json({"bbox_2d": [*b.place, 0.5], "label": b.label}), ", ", "]"
    ),
    "Qwen2's tokens": Form("", _qwen2, "\n", ""),
    "rows with the name first": Form("[", lambda b: _json([b.label, *b.place]), ", ", "]"),
    "a name and its list": Form("[", lambda b: _json([b.label, list(b.place)]), ", ", "]"),
    "two corners": Form("[", _corners, ", ", "]"),
    "a box in a box, the name behind": Form(
        "[", lambda b: _json({"box": {"bbox_2d": b.place}, "label": b.label}), ", ", "]"
    ),
    "details behind the name": Form(
        "[", lambda b: _json({"label": b.label, "details": {"bbox": b.place}}), ", ", "]"
    ),
    "the name as key of an object": Form(
        "{", lambda b: f"{_json(b.label)}: {_json({'bbox_2d': b.place})}", ", ", "}"
    ),
    "numbers in one text": Form(
        "[", lambda b: _json({"bbox_2d": str(b.place)[1:-1], "label": b.label}), ", ", "]"
    ),
    "another key for the name": Form(
        "[", lambda b: _json({"bbox_2d": b.place, "class_label": b.label}), ", ", "]"
    ),
    "points": Form(
        "[", lambda p: _json({"point_2d": p.place, "label": p.label}), ", ", "]", size=2
    ),
    "x and y": Form(
        "[",
        lambda p: _json({"x": p.place[0], "y": p.place[1], "label": p.label}),
        ", ",
        "]",
        size=2,
    ),
    "Molmo's tags": Form("", _molmo, " ", "", size=2),
    "InternVL's tags": Form(
        "", lambda b: f"<ref>{b.label}</ref><box>[{list(b.place)}]</box>", "\n", ""
    ),
}
