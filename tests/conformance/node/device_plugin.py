"""The device plugin's image: reads its file as the twin's does, and announces to a real kubelet."""

from __future__ import annotations

import os
from pathlib import Path

from twin.node.device_plugin import GPUS, replicas

if __name__ == "__main__":
    slices = GPUS * replicas(Path(os.environ["CONFIG_FILE"]).read_text())
    program = os.environ["DEVICE_PLUGIN"]
    os.execv(program, [program, str(slices)])  # noqa: S606
