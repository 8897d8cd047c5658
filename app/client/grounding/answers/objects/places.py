"""From an answer's values to the places that they name."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import replace

from app.client.grounding.answers.items import (
    Found,
    Piece,
    Unreadable,
    counted,
    in_a_form,
    item_of,
    labelled,
    scored,
)
from app.client.grounding.answers.numbers import (
    is_name,
    is_of_lists_in_texts,
    is_of_places,
    is_open,
    is_pair,
    is_pair_in_brackets,
    items_of,
    numbers,
)
from app.client.grounding.answers.objects import (
    arrays,
    coco,
    containers,
    cut,
    key_names,
    keys,
    orders,
    percents,
    rows,
    sides,
)
from app.client.grounding.answers.stated import is_of_qwen
from app.client.grounding.answers.tolerant_json.values import (
    Array,
    Number,
    Object,
    Pair,
    Text,
    Value,
)
from app.client.grounding.answers.words import (
    CONTAINERS,
    COORDINATES,
    LABELS,
    OUTLINES,
    THOUGHTS,
    WRAPPERS,
    Kind,
    is_no_place,
    plain,
)

_DIGIT = re.compile(r"\d")
_OF_A_PLACE = (2, *range(4, 13))
"""As many numbers may be coordinates."""
_OF_UNKNOWN_ORDER = "box_2d beside bbox_2d, so that its order is not known"


Read = Callable[[str], Sequence[Found]]
"""What is found in a text that is no JSON."""


def places(value: Value, answer: str, read: Read, name: str = "") -> list[Found]:
    """Each place in a value and in all values inside it, by its position in ``answer``.

    ``name`` is what stands above it, for places that have none of their own. ``read`` is for texts
    in it, such as ``{"answer": "<box>(10,20),(30,40)</box>"}``.

    An object is read when it is complete, because a name may stand at its end. Of an object that
    the answer's end cuts, only those places are found that their own key names.
    """
    return sorted(_Walk(answer, read).value(value, name), key=lambda found: found.piece.start)


class _Walk:
    """Through one value; ``answer`` is the text that the positions count in."""

    def __init__(self, answer: str, read: Read) -> None:
        self.answer, self.read = answer, read

    def value(self, value: Value, name: str) -> Generator[Found]:
        """Where nothing is known but a name that stands above it."""
        match value:
            case Object():
                yield from self._object(value, name)
            case Array():
                yield from arrays.places(value, name, self)
            case Text():
                yield from self._inside_text(value, name)
            case _:
                pass

    def _inside_text(self, text: Text, name: str) -> Generator[Found]:
        """JSON that was written as a text once more, or an answer in another form."""
        for found in self.read(text.value) if _DIGIT.search(text.value) else ():
            yield labelled(replace(found, piece=self.piece(text)), name)

    def _object(self, value: Object, name: str) -> Generator[Found]:
        found = self._inside_object(value, name)
        yield from found if value.closed else cut.unfinished(value, found)

    def _inside_object(self, value: Object, name: str) -> Generator[Found]:
        """Its own places, those that its keys name, and those of the values inside it."""
        if any(map(orders.is_of_google, value.pairs)) and is_of_qwen(self.answer):
            yield Unreadable(_OF_UNKNOWN_ORDER, self.piece(value))
            others = [pair for pair in value.pairs if not orders.is_of_google(pair)]
            value = replace(value, pairs=others)
        value = coco.with_names(value)
        things, value = keys.several_things(orders.in_corners(percents.in_shares(value)))
        pairs = [(plain(pair.key or ""), pair) for pair in value.pairs]
        by_key = {key: pair.value for key, pair in pairs}
        own_name = key_names.own_name(pairs, name)
        label = name if own_name is None else own_name
        for thing in things:
            yield from self._object(thing, label)
        if things and not value.pairs:
            return
        if value.closed and not name and own_name is None:
            label = key_names.only_name(pairs)
        piece = self.piece(value)
        found = list(self._own(value, pairs, by_key, label))
        score = key_names.score(pairs)
        for item in found if value.closed else cut.own_places(value, found, piece):
            yield scored(item, score)
        if not found:
            yield from sides.without_keys(value, piece)
        yield from self._under_keys(value, pairs, own_name, name, has_places=bool(found))

    def _under_keys(
        self, value: Object, pairs: keys.Pairs, own: str | None, name: str, *, has_places: bool
    ) -> Generator[Found]:
        """Places in values whose keys are no words for a place.

        Beside a place, or a list of things, such a key is the name of nothing.
        """
        parts = keys.parts_of_a_place({key: pair.value for key, pair in pairs})
        read = {*COORDINATES, *parts, *THOUGHTS}
        others = [(key, pair) for key, pair in pairs if key not in read]
        label = (key_names.only_name(pairs) if own is None else own) or name
        damaged = {id(pair) for pair in keys.damaged_parts(pairs)}
        has_places = has_places or any(
            key in CONTAINERS and is_of_places(pair.value) for key, pair in others
        )
        is_outline, is_shape = keys.is_an_outline(pairs), keys.is_a_shape(pairs)
        its_place = None if own is None or has_places else keys.only_structure(others)
        for key, pair in others:
            if id(pair) in damaged:
                piece = Piece(self.answer[pair.start : pair.value.end], pair.start)
                yield Unreadable(f"{counted(2)} under {pair.key!r}", piece)
            elif pair is its_place:  # if it stays the only one, its key says nothing
                only = replace(pair, key=own if value.closed else "")
                yield from self._under_a_name(only, only.key, name, has_own=False)
            elif (is_shape and CONTAINERS.get(key) == "point") or (
                is_outline and key in CONTAINERS and is_of_places(pair.value)
            ):
                yield _outline(label, self.piece(pair.value))
            elif key in CONTAINERS and key not in LABELS:
                more = not value.closed and not own
                yield from containers.places(pairs, pair, own or name, self, name_may_follow=more)
                has_places = has_places or isinstance(pair.value, Array)
            elif key in OUTLINES and numbers(pair.value):
                yield _outline(label, self.piece(pair.value))
            elif not is_no_place(pair.key or ""):
                yield from self._under_a_name(pair, own, name, has_own=has_places)
            elif isinstance(pair.value, Object) or any(
                isinstance(item, Object) for item in items_of(pair.value)
            ):
                yield from self.value(pair.value, "")

    def _own(
        self, value: Object, pairs: keys.Pairs, by_key: Mapping[str, Value], label: str
    ) -> Generator[Found]:
        """Places under keys that say that they are places."""
        piece = self.piece(value)
        sized = keys.with_sizes(by_key)
        labels = key_names.names(pairs)
        is_an_outline = keys.is_an_outline(pairs)
        has_own = any(key in COORDINATES and numbers(pair.value) for key, pair in pairs)
        for key, pair in pairs:
            if key in COORDINATES and is_an_outline:
                yield _outline(label, piece)
            elif key in COORDINATES and isinstance(pair.value, Object) and is_open(pair.value):
                yield from self._object(pair.value, label)
            elif key in COORDINATES and keys.says_no_place(key, pair.value, has_place=has_own):
                continue
            elif key in COORDINATES and not is_open(pair.value) and key not in sized:
                items = items_of(pair.value)
                if len(items) == len(labels) > 1:
                    for item, own in zip(items, labels, strict=True):
                        yield from self.groups(item, own, COORDINATES[key], self.piece(item))
                else:
                    yield from self.groups(pair.value, label, COORDINATES[key], piece)
        yield from sides.told_by(pairs, by_key, label, piece, has_own=has_own)

    def groups(self, value: Value, label: str, kind: Kind, piece: Piece) -> Generator[Found]:
        """One place or several, all with one name."""
        if isinstance(value, Object) and value.pairs:
            found = list(self._object(value, label))
            if not found and kind != "either":
                found.append(Unreadable("no numbers where a place should be", piece))
            yield from found
            return
        if is_name(value) and (kind == "either" or _DIGIT.search(value.value)):
            yield from self._in_words(value, label, kind, piece)
            return
        inner = [item for item in items_of(value) if isinstance(item, (Array, Object))]
        if isinstance(value, Array) and not inner and is_of_lists_in_texts(value):
            inner = list(value.items)
        if not inner or not isinstance(value, Array):
            yield rows.under_a_key(value, label, kind, piece)
        elif kind == "box" and [len(numbers(item)) for item in value.items] == [2, 2]:
            yield item_of(label, numbers(value), kind, piece)
        else:
            mixed = any(isinstance(item, Number) for item in value.items)
            if mixed:
                yield Unreadable("numbers beside a place", piece)
            for item in inner:
                if not (mixed and is_pair(item)):
                    own = self.piece(item) if len(inner) > 1 else piece
                    yield from self.groups(item, label, kind, own)

    def _in_words(self, text: Text, label: str, kind: Kind, piece: Piece) -> Generator[Found]:
        """``"bbox": "from (10, 20) to (30, 40)"``; ``"position": "on the left"`` is no place."""
        found = [in_a_form(each) for each in self._inside_text(text, label)]
        if not found and kind != "either":
            found.append(Unreadable("numbers that could not be read", piece))
        yield from found

    def _under_a_name(
        self, pair: Pair, own: str | None, above: str, *, has_own: bool
    ) -> Generator[Found]:
        """A key that is no word for a place names it: ``{"cup": [10, 20, 30, 40]}``."""
        value, key = pair.value, pair.key
        label = above if own is None else own
        if key is None:
            yield from self.value(value, label)
            return
        if plain(key) in (*WRAPPERS, *OUTLINES) or (label and key.isdecimal()):
            key = label
        is_text = isinstance(value, Text) and (
            len(numbers(value)) > 2 or is_pair_in_brackets(value)
        )
        if not is_text and not (isinstance(value, Array) and is_of_places(value)):
            yield from self.value(value, "" if isinstance(value, Text) else key)
            return
        if is_open(value):
            for item in items_of(value):
                if isinstance(item, Array) and item.closed:
                    yield from self.groups(item, key, "either", self.piece(item))
            return
        flat = not any(isinstance(item, Array) for item in items_of(value))
        piece = Piece(self.answer[pair.start : value.end], pair.start)
        is_of_pairs = len(items_of(value)) > 1 and all(map(is_pair, items_of(value)))
        if own is not None and is_of_pairs and not flat:  # an outline, corners, or points
            yield Unreadable("pairs of numbers under a key that is not known", piece)
        elif not (has_own and flat):
            yield from self.groups(value, key, "either", piece)
        elif len(numbers(value)) in _OF_A_PLACE:
            # An attribute of a thing that has its place, or a part of it: nothing tells which.
            yield Unreadable(f"{counted(len(numbers(value)))} under {pair.key!r}", piece)

    def piece(self, value: Value) -> Piece:
        return Piece(self.answer[value.start : value.end], value.start)


def _outline(label: str, piece: Piece) -> Unreadable:
    which = f"the outline of {label!r}" if label else "an outline"
    return Unreadable(f"{which} is no box", piece)
