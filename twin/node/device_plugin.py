"""NVIDIA's device plugin, for a machine without NVIDIA's device.

Promises: reads CONFIG_FILE as the real one does, refuses what it refuses, announces
``nvidia.com/gpu`` once for each replica of one GPU, withdraws it at the end.
Leaves out: the GPU, MIG, MPS, renaming, health of devices, and ``failRequestsGreaterThanOne``
when it is false (the node refuses whatever asks for more than one). It announces by a file in the
folder that stands for the kubelet's, locked while it runs, not over the kubelet's socket.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any, cast

import yaml

from twin.whole_file import write_whole

RESOURCE = "nvidia.com/gpu"
GPUS = 1


class PluginConfigError(Exception):
    """The configuration file is not what the plugin reads."""


def replicas(text: str) -> int:
    """How many times one GPU is announced.

    Raises:
        PluginConfigError: says what is wrong with the file.
    """
    try:
        loaded: Any = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise PluginConfigError(f"the configuration is not YAML: {error}") from error
    config = cast("dict[str, Any]", loaded) if isinstance(loaded, dict) else {}
    if config.get("version") != "v1":
        raise PluginConfigError("the configuration's version must be v1")
    sharing: dict[str, Any] = config.get("sharing") or {}
    slicing: dict[str, Any] = sharing.get("timeSlicing") or {}
    resources: list[dict[str, Any]] = slicing.get("resources") or []
    for resource in resources:
        if resource.get("name") == RESOURCE:
            count = resource.get("replicas")
            if not isinstance(count, int) or count < 2:
                raise PluginConfigError(f"replicas of {RESOURCE} must be 2 or more, not {count}")
            return count
    return 1


def main() -> None:
    announcement = Path(os.environ["DEVICE_PLUGINS"]) / "nvidia.json"
    try:
        count = GPUS * replicas(Path(os.environ["CONFIG_FILE"]).read_text())
    except (OSError, PluginConfigError) as error:
        sys.exit(f"device plugin: {error}")
    stopped = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopped.set()

    # Before the announcement: whoever has seen it may stop the plugin at once.
    signal.signal(signal.SIGTERM, stop)
    write_whole(announcement, json.dumps({"resource": RESOURCE, "count": count}))
    with announcement.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        print(f"announced {RESOURCE}: {count}", flush=True)
        stopped.wait()
        announcement.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
