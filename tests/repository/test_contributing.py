"""What the guide for contributors names is there."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

from twin.providers.protocol import ResourceType

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "CONTRIBUTING.md").read_text()


def named() -> list[tuple[str, str]]:
    """Each name in backticks that stands before a file's path in the same item or row."""
    prose = re.sub(r"```.*?```", "", GUIDE, flags=re.DOTALL)
    found: list[tuple[str, str]] = []
    for item in re.split(r"\n(?=\n|- |\d+\. |\|)", prose):
        names: list[str] = []
        for code in re.findall(r"`([^`]+)`", item):
            if re.fullmatch(r"[\w/]+/\w+\.py", code):
                found += [(name, code) for name in names]
                names = []
            elif name := re.fullmatch(r"(\w+)(?:\(.*\))?", code):
                names.append(name[1])
    return found


def test_each_name_stands_in_the_file_that_follows_it() -> None:
    pairs = named()
    assert ("KNOWN", "twin/providers/__main__.py") in pairs
    assert len(pairs) > 10
    for name, path in pairs:
        assert re.search(rf"\b{name}\b", (ROOT / path).read_text()), f"{name} in {path}"


def test_the_guide_lists_what_a_resource_type_has() -> None:
    methods = {name for name, _ in inspect.getmembers(ResourceType, inspect.isfunction)}
    own = {name for name in methods if not name.startswith("_")}
    assert own
    told = {name for name, path in named() if path.endswith("protocol.py")}
    assert told == own | {"ResourceType"}
