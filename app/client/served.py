"""Which models a service serves, and what a client must know of one to get boxes right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.client.errors import ServiceError
from app.model.profiles import PROFILES, CoordSpace

KNOWN_SECONDS = 10
"""How long it stays known what is served. A change of the model at home takes longer: the old one
leaves for ten seconds before the new one starts (``infra/home_k3s/model_server.py``)."""
_COORD_SPACES: dict[str, CoordSpace] = {
    "qwen25vl": "pixels",
    "qwen2vl": "thousandths",
    "qwen3vl": "thousandths",
    "internvl": "thousandths",
}
"""By a piece of the model's name, in letters and digits; as each model's own cookbook has it."""


@dataclass(frozen=True, slots=True)
class ServedModel:
    """One entry of ``GET /v1/models``, with the numbers of the model behind it."""

    name: str
    """What requests write as ``model``."""
    model: str
    """What it really is, such as ``Qwen/Qwen2.5-VL-7B-Instruct``."""
    min_pixels: int
    max_pixels: int
    coord_space: CoordSpace | None
    """``None`` where the model is not known."""
    max_model_len: int | None
    """Tokens of question and answer together, where the server tells."""
    is_adapter: bool
    """Of another entry, such as a LoRA adapter: used only if it is named."""


def served_models(listing: Any) -> tuple[ServedModel, ...]:
    """The entries of an answer to ``GET /v1/models``; an adapter has the numbers of its base model.

    Raises:
        ValueError: it is no list of models.
    """
    try:
        cards: dict[Any, dict[str, Any]] = {card["id"]: card for card in listing["data"]}
        return tuple(served_model(card, cards.get(card.get("parent"))) for card in cards.values())
    except (KeyError, TypeError, AttributeError):
        raise ValueError("no list of models") from None


def chosen(models: Sequence[ServedModel], name: str | None) -> ServedModel:
    """The one of that name, or the only base model.

    Raises:
        ServiceError: there is none, or several to choose from.
    """
    names = ", ".join(model.name for model in models[:10])
    candidates = [
        model for model in models if model.name == name or (name is None and not model.is_adapter)
    ]
    match candidates:
        case [model]:
            return model
        case []:
            missing = "base model" if name is None else f"model {name}"
            raise ServiceError(f"The service has no {missing}. It has: {names or 'none'}.")
        case _:
            raise ServiceError(
                f"The service has several models: {names}. Choose one: set OPENAI_MODEL, or give "
                "Connection a model."
            )


def served_model(card: dict[str, Any], base: dict[str, Any] | None = None) -> ServedModel:
    """Read vLLM's model card, and that of its base model, if it is an adapter.

    A model that is no profile's is taken to be served with the largest profile's bounds.
    """
    base = base or card
    model = _model(base)
    profile = next((p for p in PROFILES.values() if p.model == model), None)
    bounds = profile or PROFILES["7b"]
    return ServedModel(
        name=str(card["id"]),
        model=_model(card),
        min_pixels=bounds.min_pixels,
        max_pixels=bounds.max_pixels,
        coord_space=profile.coord_space if profile else _coord_space(model),
        max_model_len=base.get("max_model_len"),
        is_adapter=bool(card.get("parent")),
    )


def _model(card: dict[str, Any]) -> str:
    return str(card.get("root") or card["id"])


def _coord_space(model: str) -> CoordSpace | None:
    plain = "".join(letter for letter in model.lower() if letter.isalnum())
    return next((space for part, space in _COORD_SPACES.items() if part in plain), None)
