"""Property values on the engine's wire, and how two sets of them differ.

The providers here do not accept secrets, so the engine sends plain values and keeps track of what
is secret by itself. During a preview, values not yet known arrive as :data:`UNKNOWN`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, cast

from google.protobuf.json_format import MessageToDict
from google.protobuf.struct_pb2 import Struct

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""``sdk/python/lib/pulumi/runtime/rpc.py``."""

Properties = dict[str, Any]
Change = Literal["add", "delete", "update"]


def from_wire(message: Struct) -> Properties:
    """A struct as plain values; protobuf has floats only, so whole numbers become ``int`` again."""
    return cast("Properties", _whole_numbers(MessageToDict(message)))


def to_wire(values: Mapping[str, Any]) -> Struct:
    message = Struct()
    message.update(values)
    return message


def _whole_numbers(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {k: _whole_numbers(v) for k, v in cast("Properties", value).items()}
    if isinstance(value, list):
        return [_whole_numbers(item) for item in cast("list[Any]", value)]
    return value


def has_unknown(value: Any) -> bool:
    """Whether anything in ``value`` is not known yet."""
    if isinstance(value, dict):
        return any(has_unknown(item) for item in cast("Properties", value).values())
    if isinstance(value, list):
        return any(has_unknown(item) for item in cast("list[Any]", value))
    return value == UNKNOWN


def differences(old: Properties, new: Properties, path: str = "") -> Iterator[tuple[str, Change]]:
    """Paths at which two sets of inputs differ, as the engine shows them: ``a.b[0].c``.

    >>> list(differences({"a": {"b": [1, 2]}, "x": 1}, {"a": {"b": [1, 3]}, "y": 1}))
    [('a.b[1]', 'update'), ('x', 'delete'), ('y', 'add')]
    """
    for key in sorted(old.keys() | new.keys()):
        name = key if key.replace("_", "a").isalnum() else f'["{key}"]'
        here = f"{path}.{name}" if path and not name.startswith("[") else f"{path}{name}"
        if key not in new:
            yield here, "delete"
        elif key not in old:
            yield here, "add"
        else:
            yield from _value_differences(old[key], new[key], here)


def _value_differences(old: Any, new: Any, path: str) -> Iterator[tuple[str, Change]]:
    if isinstance(old, dict) and isinstance(new, dict):
        yield from differences(cast("Properties", old), cast("Properties", new), path)
    elif isinstance(old, list) and isinstance(new, list):
        olds, news = cast("list[Any]", old), cast("list[Any]", new)
        for index, (before, after) in enumerate(zip(olds, news, strict=False)):
            yield from _value_differences(before, after, f"{path}[{index}]")
        for index in range(len(olds), len(news)):
            yield f"{path}[{index}]", "add"
        for index in range(len(news), len(olds)):
            yield f"{path}[{index}]", "delete"
    elif old != new:
        yield path, "update"
