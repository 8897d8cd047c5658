"""What is not as the program declares it: Pulumi's own preview, after a look at every object."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from doctor.observations import Change, NotSeen

SECONDS = 120
"""It reads every object of the deployment; on the twin it takes 4 s."""
ROOT = Path(__file__).parents[1]


def drift(stack: str, environment: Mapping[str, str]) -> tuple[Change, ...] | NotSeen:
    """What the next deployment would change; nothing is changed now."""
    pulumi = shutil.which("pulumi", path=environment.get("PATH"))
    if pulumi is None:
        return NotSeen(why="pulumi is not installed here")
    asked = ("preview", "--refresh", "--json", "--non-interactive", "--stack", stack)
    try:
        done = subprocess.run(
            [pulumi, *asked],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return NotSeen(why=f"pulumi preview did not end in {SECONDS} s")
    if done.returncode != 0:
        return NotSeen(why=f"pulumi preview failed: {_reason(done)}")
    return changes(json.loads(done.stdout))


def changes(preview: Mapping[str, Any]) -> tuple[Change, ...]:
    """Of what `pulumi preview --json` prints."""
    return tuple(
        Change(
            op=str(step["op"]),
            kind=_kind(step["urn"]),
            name=step["urn"].rpartition("::")[2],
            fields=tuple(sorted(step.get("detailedDiff") or step.get("diffReasons") or ())),
        )
        for step in preview.get("steps", ())
        if step["op"] not in ("same", "refresh")
    )


def _kind(urn: str) -> str:
    """Its type without those of its parents, such as ``kubernetes:core/v1:Service``."""
    return urn.split("::")[-2].rpartition("$")[2]


def _reason(done: subprocess.CompletedProcess[str]) -> str:
    """In the JSON where there is any, else on the other stream."""
    told: list[dict[str, Any]] = []
    with suppress(ValueError):
        told = json.loads(done.stdout).get("diagnostics") or []
    errors = [str(one["message"]) for one in told if one["severity"] == "error"]
    words = " ".join(errors) or done.stderr
    return " ".join(words.split())[:200]
