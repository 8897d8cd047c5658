"""containerd's runtime: runc, with the local programs' folders mounted into each container.

containerd calls a copy of this file as it would call runc. The folders and the real runc stand in
the JSON file beside the copy.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path


def with_mounts(config: dict[str, object], folders: list[str]) -> dict[str, object]:
    """A container's configuration with some folders of the machine, which it may only read.

    They come first, so that what the pod itself mounts lies above them.
    """
    mounts = [
        {
            "destination": folder,
            "source": folder,
            "type": "bind",
            "options": ["rbind", "ro", "nosuid"],
        }
        for folder in folders
    ]
    given = config["mounts"]
    assert isinstance(given, list)  # the runtime specification says so
    return {**config, "mounts": [*mounts, *given]}


if __name__ == "__main__":
    known = json.loads(Path(__file__).with_suffix(".json").read_text())
    arguments = sys.argv[1:]
    if "create" in arguments:
        bundle = Path(arguments[arguments.index("--bundle") + 1]) / "config.json"
        bundle.write_text(json.dumps(with_mounts(json.loads(bundle.read_text()), known["folders"])))
    os.execv(known["runc"], [known["runc"], *arguments])  # noqa: S606
