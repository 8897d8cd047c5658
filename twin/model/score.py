"""How often the small model is right, word for word, about pictures it was not taught with.

    python -m twin.model.score MODEL [--pictures N]

In transformers, in vLLM's environment. Its boxes are scored through the whole path, by `hub eval
drawn`.
"""
# pyright: basic, reportMissingImports=false
# ruff: noqa: ANN001, S311, T201

from __future__ import annotations

import argparse
import random
import re
from collections.abc import Generator
from pathlib import Path

import torch
from transformers import AutoProcessor, Qwen2_5_VLForConditionalGeneration

from app.client.grounding.prompts import detection_prompt
from app.model.drawn import COLOURS, SHAPES, Shape, draw
from app.model.image_tokens import Size, smart_resize
from twin.model.checkpoint import TINY
from twin.model.questions import count, describe, plural

SEEDS = 700_000
"""Held out, and others than those of `hub eval drawn`."""
SIZE = Size(640, 480)


def questions(rng: random.Random, shapes: tuple[Shape, ...]) -> Generator[tuple[str, str, str]]:
    """Kind, question, answer; about one picture."""
    shape = rng.choice(SHAPES)
    found = [s for s in shapes if s.shape == shape]
    yield "how many", f"How many {plural(shape)} are there?", count(shape, len(found))
    kinds = [s.shape for s in shapes]
    alone = [s for s in shapes if kinds.count(s.shape) == 1]
    if alone:
        one = rng.choice(alone)
        yield "what colour", f"What colour is the {one.shape}?", f"The {one.shape} is {one.colour}."
    yield "what is in it", "What is in this picture?", describe(shapes)
    names = {f"{colour} {shape}" for colour in COLOURS for shape in SHAPES}
    absent = rng.choice(sorted(names - {s.name for s in shapes}))
    yield "what is not there", detection_prompt(absent), "[]"
    yield "names beside boxes", detection_prompt("shape"), " ".join(sorted(s.name for s in shapes))


def answer(model, processor, image, question: str) -> str:
    content = [{"type": "image"}, {"type": "text", "text": question}]
    text = processor.tokenizer.apply_chat_template(
        [{"role": "user", "content": content}], tokenize=False, add_generation_prompt=True
    )
    given = processor(text=[text], images=[image], return_tensors="pt")
    with torch.no_grad():
        told = model.generate(**given, max_new_tokens=120, do_sample=False)
    said = told[0, given["input_ids"].shape[1] :]
    return processor.tokenizer.decode(said, skip_special_tokens=True)


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("model", type=Path)
    options.add_argument("--pictures", type=int, default=120)
    given = options.parse_args()
    model = Qwen2_5_VLForConditionalGeneration.from_pretrained(given.model, dtype=torch.float32)
    processor = AutoProcessor.from_pretrained(given.model)
    rng = random.Random(0)
    right: dict[str, list[bool]] = {}
    for seed in range(SEEDS, SEEDS + given.pictures):
        scene = draw(seed, SIZE)
        image = scene.image.resize(smart_resize(SIZE, TINY.min_pixels, TINY.max_pixels))
        for kind, question, wanted in questions(rng, scene.objects):
            said = answer(model, processor, image, question)
            if kind == "names beside boxes":
                said = " ".join(sorted(re.findall(r'"label":"([^"]*)"', said)))
            right.setdefault(kind, []).append(said == wanted)
    for kind, each in right.items():
        print(f"{kind}: {sum(each) / len(each):.0%} of {len(each)}")


if __name__ == "__main__":
    main()
