"""Stands in for ROS 2, which no package index has: the fields of `std_msgs/msg/Header.msg`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(kw_only=True)
class Header:
    frame_id: str = ""
