"""Training batches: drawn pictures with several questions each, as arrays.

A picture's tokens are shared by several conversations that do not see each other. Most of them are
one question; some go on from the one before, and some are about nothing and do not see the picture.
"""
# pyright: basic, reportMissingImports=false
# ruff: noqa: ANN001, S311

from __future__ import annotations

import io
import random
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image

from app.model.drawn import COLOURS, SHAPES, Scene, Shape, draw
from app.model.image_tokens import FACTOR, Size
from twin.model.questions import GREETING, ask
from twin.model.words import LIST_PIECES, PLACE_PIECES

PATCH = 14
MEAN = np.array([0.48145466, 0.4578275, 0.40821073], np.float32)
STD = np.array([0.26862954, 0.26130258, 0.27577711], np.float32)
QUESTIONS = 6
FOLLOWING = 0.25
"""Share of the questions that go on from the one before."""
SEEN_WEIGHT = 5.0
"""Of words that the picture decides: a sentence's, a name beside a box, and whether a list begins,
goes on or ends. They are few beside the numbers of boxes, and an error in one of them is a wrong
answer."""
CHOICE_WEIGHT = 4.0
"""Of a place's first number: it decides which shape is told, the others follow."""
SYSTEM = "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n"
FIRST_SEED = 1_000_000
"""Below it lie the held-out pictures."""
GRIDS = [
    *((9, 6),) * 6,
    *((10, 6),) * 4,
    *((6, 9), (6, 10), (8, 8), (7, 7), (8, 7), (7, 8), (9, 7), (7, 9), (8, 6), (6, 8)),
    *((11, 5), (10, 5), (5, 10), (12, 5), (8, 5), (9, 5)),
]
"""Columns and rows of image tokens; most often those of 4:3 and 16:9."""


@dataclass(frozen=True)
class Batch:
    """``B`` pictures of one grid with ``S`` tokens each, ``C`` image tokens among them."""

    grid: tuple[int, int]
    patches: torch.Tensor
    """(B, 4 C, 1176) float32."""
    ids: torch.Tensor
    """(B, S) int64."""
    image_start: int
    positions: torch.Tensor
    """(3, B, S) int64: time, height, width."""
    mask: torch.Tensor
    """(B, 1, S, S) bool: who may attend to whom."""
    weight: torch.Tensor
    """(B, S) float32: how much the next token counts; 0 where it is not to be predicted."""
    owner: torch.Tensor
    """(B, C) int64: number of the shape that a cell shows, from 0; -1 is none."""
    kind: torch.Tensor
    """(B, C, 2) int64: its colour and its shape."""
    box: torch.Tensor
    """(B, C, 4) float32: its box, pixels."""


def picture_of(rng: random.Random, seed: int, sent: Size) -> tuple[Scene, Image.Image, list[Shape]]:
    """A scene drawn larger, as photographs are, and shrunk as the client does."""
    zoom = rng.uniform(1.7, 3)
    # smart_resize rounds each side for itself, so a picture is stretched a little.
    size = Size(
        round(sent.width * zoom * rng.uniform(1, 1.15)),
        round(sent.height * zoom * rng.uniform(1, 1.15)),
    )
    scene = draw(seed, size)
    small = scene.image.resize(sent, rng.choice((Image.Resampling.LANCZOS, Image.Resampling.BOX)))
    if rng.random() < 0.25:
        file = io.BytesIO()
        small.save(file, "JPEG", quality=rng.randint(75, 95))
        small = Image.open(file).convert("RGB")
    return scene, small, sent_shapes(scene, sent)


def sent_shapes(scene: Scene, sent: Size) -> list[Shape]:
    """The shapes with their boxes in whole pixels of the resized picture."""
    x, y = sent.width / scene.image.width, sent.height / scene.image.height
    return [
        Shape(
            s.colour,
            s.shape,
            (
                round(s.xyxy[0] * x),
                round(s.xyxy[1] * y),
                round(s.xyxy[2] * x),
                round(s.xyxy[3] * y),
            ),
        )
        for s in scene.objects
    ]


def patches_of(image: Image.Image) -> np.ndarray:
    """(4 C, 1176): as Qwen's own processor cuts and orders them."""
    pixels = (np.asarray(image, np.float32) / 255 - MEAN) / STD
    rows, columns = image.height // FACTOR, image.width // FACTOR
    cut = pixels.reshape(rows, 2, PATCH, columns, 2, PATCH, 3).transpose(0, 3, 1, 4, 6, 2, 5)
    twice = np.stack([cut, cut], axis=5)  # a still picture is two frames
    return twice.reshape(rows * columns * 4, -1)


def _owners(scene: Scene, columns: int, rows: int) -> np.ndarray:
    fine = Image.fromarray(scene.owners).resize((columns * 7, rows * 7), Image.Resampling.NEAREST)
    cells = np.asarray(fine).reshape(rows, 7, columns, 7).transpose(0, 2, 1, 3).reshape(-1, 49)
    shares = np.stack([(cells == k + 1).sum(axis=1) for k in range(len(scene.objects))], axis=1)
    return np.where(shares.max(axis=1) >= 8, shares.argmax(axis=1), -1)


@dataclass
class _Talk:
    """Conversations about one picture, as they are laid out in a row of tokens."""

    ids: list[int]
    places: list[int]
    weights: list[float]
    sees: list[list[int]]
    """For each block, the blocks it sees; the picture and what stands before it are block 0."""
    block: list[int]

    def add(
        self,
        question: list[int],
        answer: list[int],
        weights: list[float],
        first: int,
        sees: list[int],
    ) -> int:
        """Put a block behind the others; its tokens' places count from ``first``."""
        number, length = len(self.sees), len(question) + len(answer)
        self.ids += [*question, *answer]
        self.places += range(first, first + length)
        self.weights += [0.0] * (len(question) - 1) + weights + [0.0]
        self.sees.append([*sees, number])
        self.block += [number] * length
        return first + length


class Teacher:
    """Makes batch ``n``; the same one every time."""

    def __init__(self, tokens, size: int) -> None:
        self._tokens, self._size = tokens, size
        self._pad = tokens.convert_tokens_to_ids("<|endoftext|>")
        self._seen_in_lists = {tokens.convert_tokens_to_ids(piece) for piece in LIST_PIECES}
        self._before_places = {tokens.convert_tokens_to_ids(piece) for piece in PLACE_PIECES}
        self._seen_in_lists |= {
            token
            for word in (*COLOURS, *SHAPES)
            for text in (word, f" {word}")
            for token in self._encode(text)
        }

    def _encode(self, text: str) -> list[int]:
        return self._tokens.encode(text, add_special_tokens=False)

    def _weights(self, said: str, answer: list[int]) -> list[float]:
        if said.startswith("["):
            return [self._weight(*pair) for pair in zip([None, *answer], answer, strict=False)]
        return [1.0 if said == GREETING else SEEN_WEIGHT] * len(answer)

    def _weight(self, before: int | None, token: int) -> float:
        if before in self._before_places:
            return CHOICE_WEIGHT
        return SEEN_WEIGHT if token in self._seen_in_lists else 1.0

    def _conversations(self, rng, shared: list[int], after: int, shapes: list[Shape]) -> _Talk:
        talk_ = _Talk(list(shared), [], [0.0] * len(shared), [[0]], [0] * len(shared))
        end = after
        for number in range(QUESTIONS):
            asked = ask(rng, shapes)
            answer = self._encode(f"{asked.answer}<|im_end|>")
            weights = self._weights(asked.answer, answer)
            if asked.answer == GREETING and rng.random() < 0.5:
                alone = f"<|im_start|>user\n{asked.question}<|im_end|>\n<|im_start|>assistant\n"
                talk_.add(self._encode(alone), answer, weights, 0, [])
                continue
            question = f"{asked.question}<|im_end|>\n<|im_start|>assistant\n"
            if number and rng.random() < FOLLOWING and talk_.sees[-1][0] == 0:
                question = f"\n<|im_start|>user\n{question}"
                end = talk_.add(self._encode(question), answer, weights, end, talk_.sees[-1])
            else:
                end = talk_.add(self._encode(question), answer, weights, after, [0])
        return talk_

    def batch(self, n: int) -> Batch:
        rng = random.Random(n)
        columns, rows = rng.choice(GRIDS)
        sent = Size(columns * FACTOR, rows * FACTOR)
        cells = columns * rows
        system = rng.random() < 0.15
        head = self._encode(f"{SYSTEM if system else ''}<|im_start|>user\n<|vision_start|>")
        image = [self._tokens.convert_tokens_to_ids("<|image_pad|>")] * cells
        shared = [*head, *image, *self._encode("<|vision_end|>")]
        start, after = len(head), len(head) + max(columns, rows)
        samples, patches, owners, kinds, boxes = [], [], [], [], []
        for i in range(self._size):
            seed = FIRST_SEED + n * self._size + i
            scene, small, shapes = picture_of(rng, seed, sent)
            samples.append(self._conversations(rng, shared, after + 1, shapes))
            patches.append(patches_of(small))
            owner = _owners(scene, columns, rows)
            owners.append(owner)
            table = np.array(
                [(list(COLOURS).index(s.colour), SHAPES.index(s.shape), *s.xyxy) for s in shapes]
            )[np.maximum(owner, 0)]
            kinds.append(table[:, :2])
            boxes.append(table[:, 2:])
        longest = -(-max(len(s.ids) for s in samples) // 16) * 16
        size = len(samples)
        ids = np.full((size, longest), self._pad)
        positions = np.zeros((3, size, longest), np.int64)
        mask = np.zeros((size, longest, longest), bool)
        weight = np.zeros((size, longest), np.float32)
        positions[:, :, :start] = np.arange(start)
        positions[0, :, start : start + cells] = start
        positions[1, :, start : start + cells] = start + np.repeat(np.arange(rows), columns)
        positions[2, :, start : start + cells] = start + np.tile(np.arange(columns), rows)
        positions[:, :, start + cells] = after
        for i, sample in enumerate(samples):
            length = len(sample.ids)
            ids[i, :length] = sample.ids
            positions[:, i, len(shared) : length] = sample.places
            weight[i, :length] = sample.weights
            sees = np.zeros((len(sample.sees), len(sample.sees)), bool)
            for number, seen in enumerate(sample.sees):
                sees[number, seen] = True
            block = np.array(sample.block)
            mask[i, :length, :length] = sees[block][:, block]
        mask &= np.tril(np.ones((longest, longest), bool))
        mask |= np.eye(longest, dtype=bool)  # padding sees itself: a row of nothing is no number
        return Batch(
            (columns, rows),
            torch.from_numpy(np.stack(patches)),
            torch.from_numpy(ids),
            start,
            torch.from_numpy(positions),
            torch.from_numpy(mask[:, None]),
            torch.from_numpy(weight),
            torch.from_numpy(np.stack(owners)),
            torch.from_numpy(np.stack(kinds)),
            torch.from_numpy(np.stack(boxes).astype(np.float32)),
        )
