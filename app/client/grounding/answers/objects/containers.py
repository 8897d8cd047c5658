"""Several places under one key, and the lists of names and scores beside them."""

from __future__ import annotations

from collections.abc import Generator

from app.client.grounding.answers.items import Found, Unreadable, scored
from app.client.grounding.answers.numbers import is_name, is_of_places, is_open
from app.client.grounding.answers.objects import key_names, keys, rows
from app.client.grounding.answers.objects.arrays import Walk
from app.client.grounding.answers.tolerant_json.values import Array, Pair
from app.client.grounding.answers.words import CONTAINERS, plain


def places(
    pairs: keys.Pairs, pair: Pair, name: str, walk: Walk, *, name_may_follow: bool
) -> Generator[Found]:
    """``{"boxes": [[…], […]], "labels": ["a", "b"]}``, or a list of objects.

    ``pairs`` are the whole object's, ``name`` is its own or stands above it. Where the answer ends
    in it, another ``name_may_follow``.
    """
    value = pair.value
    if (
        not isinstance(value, Array)
        or not is_of_places(value)
        or any(map(is_name, value.items))
        or rows.are_named_lists(value)
    ):
        yield from walk.value(value, name)
        return
    groups = rows.each_place(value)
    if name_may_follow:
        for group in groups:
            if not is_open(group):
                yield Unreadable("the answer breaks off before a name", walk.piece(group))
        return
    labels = key_names.names(pairs) or [name]
    if len(labels) == 1:
        labels *= len(groups)
    if len(labels) != len(groups):
        yield rows.unpaired(groups, labels, walk.piece(value))
        labels = [name] * len(groups)
    scores, kind = key_names.scores(pairs, len(groups)), CONTAINERS[plain(pair.key or "")]
    for group, label, score in zip(groups, labels, scores, strict=True):
        if is_open(group):
            continue  # its numbers are not whole
        for found in walk.groups(group, label, kind, walk.piece(group)):
            yield scored(found, score)
