"""The list of API keys in a stack's file, changed as a person would: no other line moves.

`pulumi config rm --path` would do it, too, but moves the comments behind the list's items to other
items, and `pulumi config set` writes the whole file anew (3.259).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import yaml

from twin.errors import TwinError

PLACE = ("config", "personal-cloud-hub:settings", "apiKeys")


def api_keys(text: str) -> list[str]:
    """What the list in this stack file names.

    Raises:
        TwinError: the file is no YAML, or has no such list.
    """
    return [str(item.value) for item in _list(text).value]


def with_api_keys(text: str, keys: Sequence[str]) -> str:
    """The same file with these keys.

    Those that stay are in the same order; each new one has a key that stood there before it.
    """
    before = api_keys(text)
    for predecessor, key in pairwise(keys):
        if key not in before:
            text = _inserted(text, key, predecessor)
    for key in before:
        if key not in keys:
            text = _removed(text, key)
    return text


def _list(text: str) -> yaml.SequenceNode:
    try:
        node: Any = yaml.compose(text, yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise TwinError(f"The stack's file is no YAML: {error}") from error
    for step in PLACE:
        entries: list[Any] = node.value if isinstance(node, yaml.MappingNode) else []
        node = next((value for key, value in entries if key.value == step), None)
    if not isinstance(node, yaml.SequenceNode):
        raise TwinError(
            f"The stack's file has no list of API keys ({' / '.join(PLACE)}); "
            "Pulumi.dev.yaml has one to copy"
        )
    return node


def _inserted(text: str, key: str, predecessor: str) -> str:
    node = _list(text)
    item = next(one for one in node.value if one.value == predecessor)
    # `true` and `no` are names, too.
    spelt = key if yaml.safe_load(key) == key else f'"{key}"'
    if node.flow_style:
        end = item.end_mark.index
        return f"{text[:end]}, {spelt}{text[end:]}"
    start, end = _line(text, item)
    dash = text[start : item.start_mark.index]
    return f"{text[:end]}\n{dash}{spelt}{text[end:]}"


def _removed(text: str, key: str) -> str:
    node = _list(text)
    items: list[Any] = node.value
    place = next(i for i, item in enumerate(items) if item.value == key)
    if not node.flow_style:
        start, end = _line(text, items[place])
        return text[:start] + text[end + 1 :]
    if place + 1 < len(items):
        start, end = items[place].start_mark.index, items[place + 1].start_mark.index
    else:
        start, end = items[place - 1].end_mark.index, items[place].end_mark.index
    return text[:start] + text[end:]


def _line(text: str, item: Any) -> tuple[int, int]:
    """Where the item's line begins, and where its line break is."""
    end = text.find("\n", item.end_mark.index)
    return text.rfind("\n", 0, item.start_mark.index) + 1, len(text) if end < 0 else end
