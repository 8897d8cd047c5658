"""Names of COCO's annotations, which stand in a list of categories beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from app.client.grounding.answers.numbers import items_of, name_of, numbers
from app.client.grounding.answers.tolerant_json.values import Array, Object, Pair, Text, Value
from app.client.grounding.answers.words import plain


def with_names(value: Object) -> Object:
    """With the category's name in each object that has its id.

    ``{"annotations": [{"category_id": 3, "bbox": […]}], "categories": [{"id": 3, "name": "cup"}]}``
    """
    names = {number: name for pair in value.pairs for number, name in _categories(pair)}
    if not names:
        return value
    return replace(
        value, pairs=[replace(pair, value=_named(pair.value, names)) for pair in value.pairs]
    )


def _categories(pair: Pair) -> list[tuple[float, Text]]:
    if plain(pair.key or "") != "categories":
        return []
    objects = [_by_key(item) for item in items_of(pair.value) if isinstance(item, Object)]
    return [
        (number.value, name)
        for each in objects
        if isinstance(name := each.get("name"), Text) and "id" in each
        for number in numbers(each["id"])
    ]


def _named(value: Value, names: Mapping[float, Text]) -> Value:
    if not isinstance(value, Array):
        return value
    return replace(value, items=[_with_its_name(item, names) for item in value.items])


def _with_its_name(item: Value, names: Mapping[float, Text]) -> Value:
    if not isinstance(item, Object) or "categoryid" not in (by_key := _by_key(item)):
        return item
    told = [names[n.value] for n in numbers(by_key["categoryid"]) if n.value in names]
    is_named = name_of(by_key.get("name", item)) is not None
    pairs = [] if is_named else [Pair("category", item.start, name) for name in told]
    return replace(item, pairs=[*item.pairs, *pairs])


def _by_key(item: Object) -> dict[str, Value]:
    return {plain(pair.key or ""): pair.value for pair in item.pairs}
