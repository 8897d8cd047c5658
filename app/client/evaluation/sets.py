"""Which form a set is in, told from what is in its folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from app.client.evaluation import coco, drawn, refcoco
from app.client.evaluation.folder import Pictures, files
from app.client.evaluation.questions import GroundingSet, SetError
from app.model.image_tokens import Size


def open_set(given: str, sizes: Sequence[Size] = drawn.SIZES) -> GroundingSet:
    """The built-in ``drawn``; or a folder; or the one file of it to use, where there are several.

    Raises:
        SetError: there is nothing, or nothing of a known form, or more than one set.
    """
    if given == "drawn":
        return drawn.grounding_set(sizes)
    path = Path(given)
    if not path.exists():
        raise SetError(f"There is no {given}. The built-in set is called drawn.")
    if path.is_dir():
        root = path
    else:
        root = path.parent.parent if path.parent.name == "annotations" else path.parent
    found = files(root)
    refs = [f for f in found if f.name.startswith("refs") and f.suffix in {".p", ".json"}]
    instances = [f for f in found if _is_coco(f.name)]
    pictures = Pictures(root, found)
    name = path.resolve().name
    if path in refs or (path.is_dir() and refs):
        chosen = path if path in refs else _only(refs, given)
        return refcoco.grounding_set(name, chosen, _only(instances, given), pictures)
    if path.is_dir() and not instances:
        raise SetError(
            f"{given} is no grounding set: it has neither instances*.json or "
            "_annotations.coco.json (COCO) nor, beside one, refs*.json or refs*.p (RefCOCO)."
        )
    return coco.grounding_set(name, _only(instances, given) if path.is_dir() else path, pictures)


def _is_coco(name: str) -> bool:
    return name == "_annotations.coco.json" or (
        name.startswith("instances") and name.endswith(".json")
    )


def _only(candidates: Sequence[Path], given: str) -> Path:
    if not candidates:
        raise SetError(f"{given} has refs but no instances*.json, which has their boxes.")
    if len(candidates) > 1:
        names = "\n  ".join(map(str, candidates))
        raise SetError(f"{given} has more than one set; give the file to use:\n  {names}")
    return candidates[0]
