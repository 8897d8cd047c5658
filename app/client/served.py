"""Which model is served, and what a client must know of it to get boxes right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.model.profiles import PROFILES, CoordSpace


@dataclass(frozen=True, slots=True)
class ServedModel:
    """One entry of ``GET /v1/models``, with the numbers of the model behind it."""

    name: str
    """What requests write as ``model``."""
    model: str
    """What it really is, such as ``Qwen/Qwen2.5-VL-7B-Instruct``."""
    min_pixels: int
    max_pixels: int
    coord_space: CoordSpace
    max_model_len: int | None
    """Tokens of question and answer together, where the server tells."""


def served_model(card: dict[str, Any]) -> ServedModel:
    """Read vLLM's model card.

    A model that is no profile's is taken to be served with the largest profile's bounds; boxes of
    Qwen3-VL are thousandths, as its own cookbooks have them.
    """
    model = str(card.get("root") or card["id"])
    known = next((p for p in PROFILES.values() if p.model == model), PROFILES["7b"])
    space: CoordSpace = "thousandths" if "qwen3-vl" in model.lower() else known.coord_space
    return ServedModel(
        name=str(card["id"]),
        model=model,
        min_pixels=known.min_pixels,
        max_pixels=known.max_pixels,
        coord_space=space,
        max_model_len=card.get("max_model_len"),
    )
