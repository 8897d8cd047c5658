"""From an answer's values to the places that they name."""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping, Sequence
from dataclasses import replace

from app.client.grounding import keys, orders, rows, sides
from app.client.grounding.items import Found, Item, Piece, Unreadable, counted, item_of
from app.client.grounding.numbers import (
    is_innermost,
    is_name,
    is_of_lists_in_texts,
    is_of_names,
    is_of_places,
    is_open,
    is_pair,
    items_of,
    name_of,
    numbers,
    score_of,
    with_size,
)
from app.client.grounding.scan import Scanner
from app.client.grounding.values import NUMBER, Array, Number, Object, Pair, Text, Value
from app.client.grounding.words import (
    CENTRES,
    CONTAINERS,
    COORDINATES,
    LABELS,
    NO_PLACES,
    OUTLINES,
    SCORES,
    Kind,
    plain,
)

_BRACKET = re.compile(r"[{\[]")
_BEGINS_A_LIST = re.compile(rf"\[\s*{NUMBER}\s*,")
_GOES_ON_WITH_NUMBERS = re.compile(rf"\s*,\s*{NUMBER}\s*,")
_BREAKS_OFF = "the answer breaks off inside an object"


def places(value: Value, answer: str, name: str = "") -> list[Found]:
    """Each place in a value and in all values inside it, by its position in ``answer``.

    ``name`` is what stands above it, for places that have none of their own.

    An object is read when it is complete, because a name may stand at its end. Of an object that
    the answer's end cuts, only those places are found that their own key names.
    """
    return sorted(_Walk(answer).value(value, name), key=lambda found: found.piece.start)


class _Walk:
    """Through one value; ``answer`` is the text that the positions count in."""

    def __init__(self, answer: str) -> None:
        self.answer = answer

    def value(self, value: Value, name: str) -> Generator[Found]:
        """Where nothing is known but a name that stands above it."""
        match value:
            case Object():
                yield from self._object(value, name)
            case Array():
                yield from self._array(value, name)
            case Text():
                yield from self._inside_text(value, name)
            case _:
                pass

    def _inside_text(self, text: Text, name: str) -> Generator[Found]:
        """JSON that was written as a text once more."""
        scanner, at = Scanner(text.value), 0
        while opening := _BRACKET.search(text.value, at):
            value, at = scanner.scan(opening.start())
            for found in _Walk(text.value).value(value, name):
                yield replace(found, piece=self._piece(text))

    def _array(self, array: Array, name: str) -> Generator[Found]:
        """A list: of objects, of rows, or the bare numbers of one place."""
        own = [item for item in array.items if isinstance(item, Number)]
        texts = [i for i in array.items if is_name(i) and not _BEGINS_A_LIST.search(i.value)]
        lists = [item for item in array.items if isinstance(item, Array)]
        nested = [item for item in array.items if isinstance(item, (Array, Object))]
        others = [item for item in array.items if not isinstance(item, Number)]
        if any(_GOES_ON_WITH_NUMBERS.match(text.value) for text in texts):
            yield Unreadable("a stray quote among numbers", self._piece(array))
        elif not nested and len(own) in (2, 4, 5) and rows.are_a_name(others):
            yield rows.row(array, own, others, self._piece(array))
        elif not nested and is_of_places(array):
            if found := rows.only_numbers(array, name, self._piece(array)):
                yield found
        elif texts and len(texts) == len(lists) == len(nested) and rows.is_no_place(own):
            score = own[0].value if own and len(lists) == 1 else None
            for found in self._named_lists(array, texts, lists):
                yield replace(found, score=score) if isinstance(found, Item) and own else found
        elif lists and len(texts) < 2 and all(map(is_pair, lists)):
            yield rows.corners(array, lists, texts, self._piece(array))
        else:
            yield from self._items(array, own, lists, name)

    def _items(
        self, array: Array, own: Sequence[Number], lists: Sequence[Array], name: str
    ) -> Generator[Found]:
        """Of a list with lists or objects in it."""
        if len(lists) == 2 == len(array.items) and is_of_names(lists[0]) and numbers(lists[1]):
            yield from self._beside_names(array, *lists)
            return
        if own:
            yield Unreadable(f"{counted(len(own))} beside other places", self._piece(array))
        for item in array.items:
            if not (own and isinstance(item, Array) and len(numbers(item)) < 4):
                yield from self.value(item, name)

    def _named_lists(
        self, array: Array, texts: Sequence[Text], lists: Sequence[Array]
    ) -> Generator[Found]:
        """``["cup", [10, 20, 30, 40]]``, also with the name behind, also several."""
        for text, group in zip(texts, lists, strict=True):
            if array.closed or (text.start < group.start and group.closed):
                yield from self._groups(group, text.value, "either", self._piece(array))
            else:
                yield Unreadable("the answer breaks off before a name", self._piece(group))

    def _beside_names(self, array: Array, names: Array, boxes: Array) -> Generator[Found]:
        """``[["cup", "plate"], [[10, 20, 30, 40], [50, 60, 70, 80]]]``."""
        groups = rows.each_place(boxes)
        labels = [name_of(each) or "" for each in names.items]
        if not array.closed:
            yield Unreadable("the answer breaks off inside a list of names", self._piece(array))
            return
        if len(groups) != len(labels):
            yield rows.unpaired(groups, labels, self._piece(boxes))
            labels = [""] * len(groups)
        for group, label in zip(groups, labels, strict=True):
            yield from self._groups(group, label, "either", self._piece(group))

    def _object(self, value: Object, name: str) -> Generator[Found]:
        """Its own places, those that its keys name, and those of the values inside it."""
        things, value = keys.numbered(orders.in_corners(value))
        for thing in things:
            yield from self._object(thing, name)
        if things and not value.pairs:
            return
        pairs = [(plain(pair.key or ""), pair) for pair in value.pairs]
        by_key = {key: pair.value for key, pair in pairs}
        own_name = keys.own_name(pairs)
        found = list(self._own(value, pairs, by_key, name if own_name is None else own_name))
        score = next((score_of(pair.value) for key, pair in pairs if key in SCORES), None)
        for item in found if value.closed else self._cut(value, found):
            scored = isinstance(item, Item) and item.score is None
            yield replace(item, score=score) if scored else item
        yield from self._without_a_key(value, has_own=bool(found))
        parts = (*keys.pair_of_corners(by_key), *keys.columns(by_key))
        for key, pair in pairs:
            if key in COORDINATES or key in orders.LISTS_OF_OTHER_KINDS or key in parts:
                continue
            if key in CONTAINERS and key not in LABELS:
                yield from self._container(value, pairs, key, pair, own_name or name)
            elif key in OUTLINES and numbers(pair.value):
                yield Unreadable("an outline is no box", self._piece(pair.value))
            elif key not in NO_PLACES:
                yield from self._under_a_name(pair, own_name, name, has_own=bool(found))
            elif isinstance(pair.value, Object) or any(
                isinstance(item, Object) for item in items_of(pair.value)
            ):
                yield from self.value(pair.value, "")

    def _cut(self, value: Object, found: Sequence[Found]) -> Generator[Found]:
        """Of an object that the answer's end cuts: a name may still follow, so it is told."""
        piece = self._piece(value)
        for item in found:
            is_inner = item.piece.text.startswith("{") and item.piece != piece
            yield item if is_inner else Unreadable(_BREAKS_OFF, item.piece)
        inside_a_value = bool(value.pairs) and is_open(value.pairs[-1].value)
        if is_innermost(value) and (inside_a_value or not found):
            yield Unreadable(_BREAKS_OFF, piece, quoted=False)

    def _own(
        self, value: Object, pairs: keys.Pairs, by_key: Mapping[str, Value], label: str
    ) -> Generator[Found]:
        """Places under keys that say that they are places."""
        piece = self._piece(value)
        sized = keys.centre_and_size(by_key)
        labels = keys.labels(pairs)
        for key, pair in pairs:
            if key in COORDINATES and not is_open(pair.value) and not (sized and key in CENTRES):
                items = items_of(pair.value)
                if len(items) == len(labels) > 1:
                    for item, own in zip(items, labels, strict=True):
                        yield from self._groups(item, own, COORDINATES[key], self._piece(item))
                else:
                    yield from self._groups(pair.value, label, COORDINATES[key], piece)
            elif key in orders.LISTS_OF_OTHER_KINDS and not is_open(pair.value):
                yield item_of(label, orders.corners_of_list(key, numbers(pair.value)), "box", piece)
        if sized:
            yield item_of(label, with_size(sized, at_centre=True), "box", piece)
        elif corners := keys.pair_of_corners(by_key):
            group = [number for key in corners for number in numbers(by_key[key])]
            yield item_of(label, group, "box", piece)
        elif columns := keys.columns(by_key):
            yield from sides.in_columns(pairs, columns, label, piece)
        else:
            yield from sides.under_keys(by_key, label, piece)

    def _groups(self, value: Value, label: str, kind: Kind, piece: Piece) -> Generator[Found]:
        """One place or several, all with one name."""
        if isinstance(value, Object) and value.pairs:
            found = list(self._object(value, label))
            if not found and kind != "either":
                found.append(Unreadable("no numbers where a place should be", piece))
            yield from found
            return
        if is_name(value) and kind == "either":
            return  # "position": "on the left"
        inner = [item for item in items_of(value) if isinstance(item, (Array, Object))]
        if isinstance(value, Array) and not inner and is_of_lists_in_texts(value):
            inner = list(value.items)
        if not inner or not isinstance(value, Array):
            yield rows.under_a_key(value, label, kind, piece)
        elif kind == "box" and len(inner) == len(value.items) == 2 and all(map(is_pair, inner)):
            yield item_of(label, numbers(value), kind, piece)
        else:
            mixed = any(isinstance(item, Number) for item in value.items)
            if mixed:
                yield Unreadable("numbers beside a place", piece)
            for item in inner:
                if not (mixed and is_pair(item)):
                    own = self._piece(item) if len(inner) > 1 else piece
                    yield from self._groups(item, label, kind, own)

    def _container(
        self, owner: Object, pairs: keys.Pairs, key: str, pair: Pair, name: str
    ) -> Generator[Found]:
        """``{"boxes": [[…], […]], "labels": ["a", "b"]}``, or a list of objects."""
        value = pair.value
        if (
            not isinstance(value, Array)
            or not is_of_places(value)
            or any(map(is_name, value.items))
        ):
            yield from self.value(value, name)
            return
        groups = rows.each_place(value)
        if not owner.closed and not name:
            for group in groups:
                if not is_open(group):
                    yield Unreadable("the answer breaks off before a name", self._piece(group))
            return
        labels = keys.names(pairs) or [name]
        if len(labels) == 1:
            labels *= len(groups)
        if len(labels) != len(groups):
            yield rows.unpaired(groups, labels, self._piece(value))
            labels = [name] * len(groups)
        scores = keys.scores(pairs, len(groups))
        for group, label, score in zip(groups, labels, scores, strict=True):
            if is_open(group):
                continue  # its numbers are not whole
            for found in self._groups(group, label, CONTAINERS[key], self._piece(group)):
                scored = isinstance(found, Item) and found.score is None
                yield replace(found, score=score) if scored else found

    def _under_a_name(
        self, pair: Pair, own: str | None, above: str, *, has_own: bool
    ) -> Generator[Found]:
        """A key that is no word for a place names it: ``{"cup": [10, 20, 30, 40]}``."""
        value, key = pair.value, pair.key
        if key is None:
            yield from self.value(value, above if own is None else own)
            return
        is_text = isinstance(value, Text) and len(numbers(value)) > 2
        if not is_text and not (isinstance(value, Array) and is_of_places(value)):
            yield from self.value(value, "" if isinstance(value, Text) else key)
            return
        if is_open(value):
            for item in items_of(value):
                if isinstance(item, Array) and item.closed:
                    yield from self._groups(item, key, "either", self._piece(item))
            return
        flat = not any(isinstance(item, Array) for item in items_of(value))
        piece = Piece(self.answer[pair.start : value.end], pair.start)
        if not (has_own and flat):
            yield from self._groups(value, key if own is None or has_own else own, "either", piece)
        elif len(numbers(value)) in (2, 4, 5):
            # An attribute of a thing that has its place, or a part of it: nothing tells which.
            yield Unreadable(f"{counted(len(numbers(value)))} under {key!r}", piece)

    def _without_a_key(self, value: Object, *, has_own: bool) -> Generator[Found]:
        strays = [
            number
            for pair in value.pairs
            if pair.key is None and (isinstance(pair.value, Number) or is_pair(pair.value))
            for number in numbers(pair.value)
        ]
        if len(strays) > 1 and not has_own:
            yield Unreadable(f"{counted(len(strays))} without a key", self._piece(value))

    def _piece(self, value: Value) -> Piece:
        return Piece(self.answer[value.start : value.end], value.start)
