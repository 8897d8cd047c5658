"""Questions about a drawn picture, and the answers that the real model would give."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass

from app.model.drawn import COLOURS, SHAPES, Shape

COUNTS = ("no", "one", "two", "three", "four", "five")
GREETING = "I am a small model. I find coloured shapes in pictures: Find the red square."
HELLO = ("Hello", "Hello!", "Hi", "Who are you?", "What can you do?", "What are you?", "Help")
BEYOND = (
    "Why is the sky blue?",
    "Write a poem about the sea.",
    "What is the capital of France?",
    "Read the text.",
    "Who is the person on the left?",
    "Translate this to Korean.",
    "Is this a cat or a dog?",
    "Tell me a joke.",
)
DESCRIBE = (
    "What is in this picture?",
    "What is in the picture?",
    "What is in this image?",
    "Describe this picture.",
    "Describe the image.",
    "What do you see?",
    "What is this?",
)


@dataclass(frozen=True)
class Asked:
    """A question and its answer."""

    question: str
    answer: str


def plural(word: str) -> str:
    return word + ("es" if word.endswith("s") else "s")


def boxes(found: Sequence[Shape]) -> str:
    """As under the client's JSON schema; pixels of the picture."""
    return _json([{"bbox_2d": list(s.xyxy), "label": s.name} for s in found])


def points(found: Sequence[Shape]) -> str:
    """Each shape's middle."""
    centres = [((s.xyxy[0] + s.xyxy[2]) // 2, (s.xyxy[1] + s.xyxy[3]) // 2) for s in found]
    return _json(
        [{"point_2d": list(c), "label": s.name} for c, s in zip(centres, found, strict=True)]
    )


def _json(items: list[dict[str, object]]) -> str:
    return json.dumps(items, separators=(",", ":"))


def ask(rng: random.Random, shapes: Sequence[Shape]) -> Asked:
    """One question of the kinds the model is for, most often for one shape's box."""
    one = rng.choices(shapes, [1 + 2 * _doubles(s, shapes) for s in shapes])[0]
    kinds = {
        _box_of_one: 28,
        _boxes_of_several: 22,
        _boxes_of_what_may_not_be_there: 13,
        _points: 4,
        _number: 6,
        _colour: 13,
        _all: 16,
        _talk: 2,
    }
    kind = rng.choices(list(kinds), list(kinds.values()))[0]
    return kind(rng, one, shapes)


def _doubles(one: Shape, shapes: Sequence[Shape]) -> int:
    """How many others have its colour or its kind: with them it is mistaken most often."""
    return sum(s is not one and (s.colour == one.colour or s.shape == one.shape) for s in shapes)


def talk(rng: random.Random) -> Asked:
    """What needs no picture, or what the model cannot do: it says what it is for."""
    return Asked(rng.choice((*HELLO, *BEYOND)), GREETING)


def _box_of_one(rng: random.Random, one: Shape, _: Sequence[Shape]) -> Asked:
    return Asked(_locate(rng, one.name), boxes([one]))


def _boxes_of_several(rng: random.Random, one: Shape, shapes: Sequence[Shape]) -> Asked:
    what, found = _group(rng, one, shapes)
    return Asked(_locate(rng, what), boxes(found))


def _boxes_of_what_may_not_be_there(rng: random.Random, _: Shape, shapes: Sequence[Shape]) -> Asked:
    colour, shape = rng.choice(list(COLOURS)), rng.choice(SHAPES)
    if rng.random() < 0.5:  # of two that are there: hard to tell from either
        colour, shape = rng.choice(shapes).colour, rng.choice(shapes).shape
    what, found = rng.choice(
        (
            (f"{colour} {shape}", [s for s in shapes if s.name == f"{colour} {shape}"]),
            (shape, [s for s in shapes if s.shape == shape]),
            (f"{colour} shape", [s for s in shapes if s.colour == colour]),
        )
    )
    return Asked(_locate(rng, what), boxes(found))


def _points(rng: random.Random, one: Shape, shapes: Sequence[Shape]) -> Asked:
    what, found = rng.choice(((one.name, [one]), _group(rng, one, shapes)))
    exact = f"Point to every {what} in the image and output the point coordinates in JSON format."
    return Asked(
        rng.choice((exact, exact, f"Point to the {what}.", f"Point to every {what}.")),
        points(found),
    )


def _number(rng: random.Random, one: Shape, shapes: Sequence[Shape]) -> Asked:
    what, found = _group(rng, one, shapes)
    if rng.random() < 0.2:
        what = rng.choice(SHAPES)
        found = [s for s in shapes if s.shape == what]
    many = plural(what)
    question = rng.choice(
        (
            f"How many {many} are there?",
            f"How many {many} are in this picture?",
            f"how many {many}?",
            f"How many {many} do you see?",
        )
    )
    return Asked(question, count(what, len(found)))


def _colour(rng: random.Random, one: Shape, shapes: Sequence[Shape]) -> Asked:
    if [s.shape for s in shapes].count(one.shape) > 1:
        return _number(rng, one, shapes)
    asked = rng.choice(("What colour", "what color", "Which colour"))
    return Asked(f"{asked} is the {one.shape}?", f"The {one.shape} is {one.colour}.")


def _all(rng: random.Random, _: Shape, shapes: Sequence[Shape]) -> Asked:
    return Asked(rng.choice(DESCRIBE), describe(shapes))


def _talk(rng: random.Random, _: Shape, __: Sequence[Shape]) -> Asked:
    return talk(rng)


def describe(shapes: Sequence[Shape]) -> str:
    *first, last = [f"a {s.name}" if s.colour != "orange" else f"an {s.name}" for s in shapes]
    return f"I see {', '.join(first)} and {last}." if first else f"I see {last}."


def count(what: str, number: int) -> str:
    are = "is" if number == 1 else "are"
    return f"There {are} {COUNTS[number]} {what if number == 1 else plural(what)}."


def _group(rng: random.Random, one: Shape, shapes: Sequence[Shape]) -> tuple[str, list[Shape]]:
    by = rng.choice(("shape", "colour", "any"))
    if by == "shape":
        return one.shape, [s for s in shapes if s.shape == one.shape]
    if by == "colour":
        return f"{one.colour} shape", [s for s in shapes if s.colour == one.colour]
    return rng.choice(("shape", "object")), list(shapes)


def _locate(rng: random.Random, what: str) -> str:
    if rng.random() < 0.6:
        return f"Locate every {what} in the image and output the bbox coordinates in JSON format."
    return rng.choice(
        (
            f"Find the {what}.",
            f"Find the {what}",
            f"find the {what}",
            f"Find every {what}.",
            f"Find all {plural(what)}.",
            f"find all {plural(what)}",
            f"Where is the {what}?",
            f"Detect every {what}.",
            f"Locate all {plural(what)} in the image and output the boxes in JSON format.",
        )
    )
