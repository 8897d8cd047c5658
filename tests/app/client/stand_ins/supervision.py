"""Stands in for `supervision` 0.31, whose installation takes 450 MB: the checks of `Detections`.

After its `validate_detections_fields`: shapes, and as many of each field as there are boxes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass
class Detections:
    """The fields that the guide's program gives."""

    xyxy: NDArray[np.float32]
    mask: None = None
    confidence: NDArray[np.float32] | None = None
    class_id: NDArray[np.int64] | None = None
    tracker_id: None = None
    data: dict[str, Any] = field(default_factory=dict[str, Any])

    def __post_init__(self) -> None:
        number = len(self.xyxy)
        if self.xyxy.shape != (number, 4):
            raise ValueError(f"xyxy must be a 2D np.ndarray with shape ({number}, 4)")
        for name, value in {
            "confidence": self.confidence,
            "class_id": self.class_id,
            **self.data,
        }.items():
            if value is not None and np.shape(value) != (number,):
                raise ValueError(f"{name} must be a 1D np.ndarray with shape ({number},)")

    def __len__(self) -> int:
        return len(self.xyxy)
