"""The stages of the small model's training: first, then those onto it, in their order."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Stage:
    """A part of the training."""

    rate: float
    """The optimizer's highest; it warms up to it and falls in a line to nothing."""
    warm_up: int
    decay_share: float
    first_lesson: int
    """Each stage has pictures of its own."""
    sight_alone: int = 0
    """Steps in which the vision tower learns alone, at several times the speed."""
    sight: bool = True
    """Whether the vision tower learns, with the auxiliary losses."""

    def rate_at(self, step: int, steps: int) -> float:
        fall = (steps - step) / (self.decay_share * steps)
        return self.rate * min(1, (step + 1) / self.warm_up, fall)


FIRST = Stage(1.2e-3, warm_up=150, decay_share=0.3, first_lesson=0, sight_alone=1200)
"""A new model."""
ONTO = {
    "answers": Stage(5e-4, warm_up=50, decay_share=0.8, first_lesson=10_000, sight=False),
    "whole": Stage(9e-4, warm_up=150, decay_share=0.9, first_lesson=20_000),
    "longer": Stage(9e-4, warm_up=100, decay_share=0.9, first_lesson=30_000),
    "names": Stage(9e-4, warm_up=100, decay_share=0.9, first_lesson=40_000),
    "surer": Stage(8e-4, warm_up=100, decay_share=0.9, first_lesson=50_000),
    "choosing": Stage(8e-4, warm_up=100, decay_share=0.9, first_lesson=60_000),
}
"""On a model that sees already: its answers alone, or all of it, five times."""
