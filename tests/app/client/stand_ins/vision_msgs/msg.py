"""Stands in for ROS 2: the fields of `vision_msgs` 4, `msg/*.msg`, and the check of their types.

rclpy's messages take keywords only, no field that they do not have, and no value of another type.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from std_msgs.msg import Header  # pyright: ignore[reportMissingImports, reportUnknownVariableType]


class Message:
    def __setattr__(self, name: str, value: Any) -> None:
        known = {each.name for each in fields(self)}  # pyright: ignore[reportArgumentType]
        if name not in known:
            raise AttributeError(f"{type(self).__name__} has no field {name}")
        before = getattr(self, name, None)
        if before is not None and type(value) is not type(before):
            raise TypeError(f"{name} is a {type(before).__name__}, not {type(value).__name__}")
        super().__setattr__(name, value)


@dataclass(kw_only=True)
class Point2D(Message):
    x: float = 0.0
    y: float = 0.0


@dataclass(kw_only=True)
class Pose2D(Message):
    position: Point2D = field(default_factory=Point2D)
    theta: float = 0.0


@dataclass(kw_only=True)
class BoundingBox2D(Message):
    center: Pose2D = field(default_factory=Pose2D)
    size_x: float = 0.0
    size_y: float = 0.0


@dataclass(kw_only=True)
class ObjectHypothesis(Message):
    class_id: str = ""
    score: float = 0.0


@dataclass(kw_only=True)
class ObjectHypothesisWithPose(Message):
    hypothesis: ObjectHypothesis = field(default_factory=ObjectHypothesis)


@dataclass(kw_only=True)
class Detection2D(Message):
    header: Any = field(default_factory=Header)  # pyright: ignore[reportUnknownArgumentType]
    results: list[ObjectHypothesisWithPose] = field(default_factory=list[ObjectHypothesisWithPose])
    bbox: BoundingBox2D = field(default_factory=BoundingBox2D)
    id: str = ""


@dataclass(kw_only=True)
class Detection2DArray(Message):
    header: Any = field(default_factory=Header)  # pyright: ignore[reportUnknownArgumentType]
    detections: list[Detection2D] = field(default_factory=list[Detection2D])
