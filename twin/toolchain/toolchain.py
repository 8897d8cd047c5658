"""Where a twin's programs are; written down at its start, so that looking at it builds nothing."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from twin.errors import TwinError
from twin.paths import TwinPaths
from twin.whole_file import write_whole

KEY = "tools"


@dataclass(frozen=True)
class Toolchain:
    """Where the programs are."""

    path: str
    """PATH for every part: the programs' folders first, then the caller's own."""
    vllm_python: Path

    @classmethod
    def of_running_twin(cls, paths: TwinPaths) -> Self:
        """What the twin in this state folder was started with; the caller's PATH comes after it.

        Raises:
            TwinError: an older version started it, or the programs are gone.
        """
        kept = json.loads((paths.root / "twin.json").read_text()).get(KEY)
        if kept is None:
            raise TwinError(
                "This twin was started by an earlier version of `hub`; `hub up` takes it over"
            )
        if shutil.which("pulumi", path=kept["path"]) is None:
            first = kept["path"].partition(os.pathsep)[0]
            raise TwinError(f"The twin's tools are gone from {first}; `hub up` makes them again")
        path = dict.fromkeys([*kept["path"].split(os.pathsep), *_callers()])
        return cls(os.pathsep.join(path), Path(kept["vllm_python"]))

    def keep(self, paths: TwinPaths) -> None:
        """Write it beside the twin's settings."""
        file = paths.root / "twin.json"
        kept = json.loads(file.read_text())
        kept[KEY] = {"path": self.path, "vllm_python": str(self.vllm_python)}
        write_whole(file, json.dumps(kept))


def _callers() -> list[str]:
    return [folder for folder in os.environ["PATH"].split(os.pathsep) if folder]
