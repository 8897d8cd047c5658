"""Which answered box belongs to which true box."""

from __future__ import annotations

from collections.abc import Sequence

XYXY = tuple[float, float, float, float]
"""Left, top, right, bottom, in pixels of the original picture."""


def area(box: XYXY) -> float:
    """Square pixels; a box turned inside out has none."""
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])


def overlap(a: XYXY, b: XYXY) -> float:
    """Square pixels that both cover."""
    return area((max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])))


def iou(a: XYXY, b: XYXY) -> float:
    """Intersection over union, 0 to 1; 0 for boxes without area."""
    both = overlap(a, b)
    return both / (area(a) + area(b) - both) if both else 0.0


def match(truth: Sequence[XYXY], answered: Sequence[XYXY]) -> dict[int, tuple[int, float]]:
    """For each true box that is found: the answered box, and their IoU. Each is used once.

    Greedy: the best pair first. Its pairs above a threshold are the same whatever the threshold,
    so one matching serves the whole precision and recall curve; the Hungarian method would give
    up a good pair for two poor ones. Above IoU 0.5 they differ only where true boxes overlap.
    """
    pairs = sorted(
        (-found, i, j)
        for i, true in enumerate(truth)
        for j, box in enumerate(answered)
        if (found := iou(true, box)) > 0
    )
    matched: dict[int, tuple[int, float]] = {}
    used: set[int] = set()
    for minus_iou, i, j in pairs:
        if i not in matched and j not in used:
            matched[i] = (j, -minus_iou)
            used.add(j)
    return matched
