"""What an object's keys say of its name and its score."""

from __future__ import annotations

from collections.abc import Sequence

from app.client.grounding.answers.numbers import (
    is_name,
    is_of_names,
    items_of,
    name_of,
    numbers,
    score_of,
)
from app.client.grounding.answers.objects.keys import (
    MAX_NUMBERS,
    Pairs,
    is_a_shape,
    is_of_geojson,
    text_under,
)
from app.client.grounding.answers.tolerant_json.values import Array, Object, Pair
from app.client.grounding.answers.words import (
    CONTAINERS,
    COORDINATES,
    LABELS,
    LISTS_OF_NAMES,
    SCORE_LISTS,
    SCORES,
    SHAPES,
    WRAPPERS,
    last_word,
    may_name,
    plain,
)


def names(pairs: Pairs) -> list[str]:
    """Of a list of names beside a list of places."""
    lists = [p.value for key, p in pairs if key not in COORDINATES and is_of_names(p.value)]
    return [name_of(each) or "" for each in lists[0].items] if lists else []


def scores(pairs: Pairs, count: int) -> Sequence[float | None]:
    """Of a list of as many scores beside a list of places."""
    words = (*SCORES, *SCORE_LISTS)
    rated = [items_of(p.value) for _, p in pairs if last_word(p.key or "") in words]
    if rated and len(rated[0]) == count:
        return [score_of(each) for each in rated[0]]
    return [None] * count


def score(pairs: Pairs) -> float | None:
    rated = (
        score_of(p.value)
        for _, p in (*pairs, *_only_kind(pairs))
        if last_word(p.key or "") in SCORES
    )
    return next((each for each in rated if each is not None), None)


def own_name(pairs: Pairs, above: str = "") -> str | None:
    """The name that an object gives itself; ``None`` without one.

    Below a name, ``"type": "rect"`` and VIA's ``"name": "rect"`` say what kind of place it is.
    """
    named = WRAPPERS if is_of_geojson(pairs) else (*LABELS, *WRAPPERS)
    has_lists = bool(_lists_of_names(pairs))
    for wanted in named:
        for key, pair in pairs:
            is_a_kind = key in ("type", "name") and text_under(pair) in SHAPES
            if key != wanted or (is_a_kind and (above or has_lists)):
                continue
            name = None
            if isinstance(pair.value, Object):
                name = own_name([(plain(each.key or ""), each) for each in pair.value.pairs])
            elif key not in WRAPPERS:
                name = name_of(pair.value)
            if name is not None:
                return name
    kind = _only_kind(pairs)
    return own_name(kind) if kind else None


def _only_kind(pairs: Pairs) -> Pairs:
    """Of ``"categories": [{"categoryName": "cup", "score": 0.9}]`` beside a place: MediaPipe's."""
    if COORDINATES.keys().isdisjoint(key for key, _ in pairs):
        return ()
    for key, pair in pairs:
        match pair.value:
            case Array(items=[Object() as kind], closed=True) if key in LISTS_OF_NAMES:
                return [(plain(each.key or ""), each) for each in kind.pairs]
            case _:
                pass
    return ()


def only_name(pairs: Pairs) -> str:
    """What stands alone beside a place, under a key that is not known; it names the place.

    So do the names in a list, if there is only one place.
    """
    lists = _lists_of_names(pairs)
    texts = [
        pair.value
        for key, pair in pairs
        if is_name(pair.value)
        and may_name(pair.key or "")
        and not (lists and key == "type" and text_under(pair) in SHAPES)
    ]
    is_shape = is_a_shape(pairs)
    if not texts and not any(_is_of_several(key, pair, is_shape=is_shape) for key, pair in pairs):
        texts = lists
    return name_of(texts[0]) or "" if len(texts) == 1 else ""


def _lists_of_names(pairs: Pairs) -> list[Array]:
    return [p.value for key, p in pairs if key in LISTS_OF_NAMES and is_of_names(p.value)]


def _is_of_several(key: str, pair: Pair, *, is_shape: bool) -> bool:
    if key in COORDINATES:
        return len(numbers(pair.value)) > MAX_NUMBERS
    return key in CONTAINERS and not (is_shape and CONTAINERS[key] == "point")
