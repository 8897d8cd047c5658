"""What happens to one request, in order, for whoever wants to watch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.model.image_tokens import Size


@dataclass(frozen=True, slots=True)
class PictureReady:
    """The picture was resized and encoded."""

    original: Size
    sent: Size
    bytes: int
    media_type: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Sent:
    """The request is on its way."""

    bytes: int
    """Of its body."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """No answer had begun, so the same request is sent again after a while."""

    seconds: float
    reason: str
    attempt: int
    """From 1: which try failed."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The response's headers are here."""

    seconds: float
    """Since the request was sent, as all times below."""
    request_id: str | None
    hops: Mapping[str, float] = field(default_factory=dict[str, float])
    """Seconds that each hop says it took (``Server-Timing``)."""


@dataclass(frozen=True, slots=True)
class FirstToken:
    """The answer begins."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Finished:
    """The answer is whole."""

    seconds: float
    prompt_tokens: int | None
    completion_tokens: int | None
    tokens_per_second: float | None
    """Completion tokens after the first one, over the time since it."""
    finish_reason: str | None
    """``stop``, or ``length`` when the token limit cut it."""

    @property
    def cut(self) -> bool:
        """Whether the token limit ended the answer, and not the model."""
        return self.finish_reason == "length"


Event = PictureReady | Sent | Waiting | Accepted | FirstToken | Finished
