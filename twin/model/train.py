"""Train the small model from scratch on drawn pictures.

    python -m twin.model.train FOLDER [--steps N] [--onto MODEL [--stage NAME]]

What is taught is in ``tutor.py``, what is asked in ``lessons.py``. ``--onto`` goes on from a model
that sees already, in a stage of ``stages.py``.
"""
# pyright: basic, reportMissingImports=false
# ruff: noqa: ANN001, ANN201, T201

from __future__ import annotations

import argparse
import json
import math
import time
from itertools import chain
from pathlib import Path

import torch
from torch import nn
from transformers import GenerationConfig, Qwen2_5_VLForConditionalGeneration

from twin.model.architecture import TEXT_WIDTH, config, processor, tokenizer
from twin.model.lessons import Batch, Teacher
from twin.model.stages import FIRST, ONTO, Stage
from twin.model.tutor import NUMBERS, Tutor, losses_of, number_ids

BATCH = 32


def newborn(tokens):
    """Random weights, but numbers that are close begin as vectors that are close."""
    torch.manual_seed(0)
    model = Qwen2_5_VLForConditionalGeneration(config(tokens.convert_tokens_to_ids))
    turns = torch.logspace(
        math.log10(2 * math.pi / 700), math.log10(2 * math.pi / 8), TEXT_WIDTH // 2
    )
    angles = torch.arange(NUMBERS)[:, None] * turns
    waves = torch.cat([angles.cos(), angles.sin()], 1)
    with torch.no_grad():
        model.model.language_model.embed_tokens.weight[number_ids(tokens)] = 0.03 * waves
        model.lm_head.weight[number_ids(tokens)] = 0.05 * waves
    return model


def save(model, tokens, folder: Path) -> None:
    """What vLLM loads."""
    model.generation_config = GenerationConfig(
        eos_token_id=tokens.convert_tokens_to_ids("<|im_end|>"),
        pad_token_id=tokens.convert_tokens_to_ids("<|endoftext|>"),
    )
    processor(tokens).save_pretrained(folder)
    model.save_pretrained(folder)


def begun_with(onto: Path | None, stage: Stage, tokens):
    """The tutor: of a new model, or of one that sees already."""
    if onto is None:
        return Tutor(newborn(tokens), number_ids(tokens))
    torch.manual_seed(0)
    model = Qwen2_5_VLForConditionalGeneration.from_pretrained(
        onto, attn_implementation="eager"
    ).float()
    model.model.visual.requires_grad_(requires_grad=stage.sight)
    return Tutor(model, number_ids(tokens))


def optimizers_of(tutor, rate: float):
    """Muon for the layers' matrices, AdamW for the rest.

    Muon's step on a matrix turns all its directions alike; scaled to AdamW's length, it has AdamW's
    rate (arXiv 2502.16982). It is not meant for embeddings and heads.
    """
    parts = ("visual.blocks.", "visual.merger.", "language_model.layers.")
    layers, others = [], []
    for name, p in tutor.named_parameters():
        inner = p.ndim == 2 and any(part in name for part in parts)
        (layers if inner else others).append(p)
    groups = [
        {"params": [p for p in others if p.ndim > 1], "weight_decay": 0.02},
        {"params": [p for p in others if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return (
        torch.optim.Muon(layers, lr=rate, weight_decay=0.02, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.98)),
    )


class _Lessons(torch.utils.data.Dataset):
    def __init__(self, teacher: Teacher, steps: range) -> None:
        self._teacher, self._steps = teacher, steps

    def __len__(self) -> int:
        return len(self._steps)

    def __getitem__(self, i: int) -> Batch:
        return self._teacher.batch(self._steps[i])


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("folder", type=Path)
    options.add_argument("--steps", type=int, default=4800)
    options.add_argument("--onto", type=Path, help="a folder with a model to go on from")
    options.add_argument("--stage", choices=ONTO, default="answers", help="what learns on, of it")
    given = options.parse_args()
    stage = ONTO[given.stage] if given.onto else FIRST
    given.folder.mkdir(parents=True, exist_ok=True)
    state_file, curve = given.folder / "training.pt", given.folder / "curve.jsonl"
    tokens = tokenizer()
    tutor = begun_with(given.onto, stage, tokens)
    optimizers = optimizers_of(tutor, stage.rate)
    first = 0
    if state_file.exists():
        state = torch.load(state_file)
        tutor.load_state_dict(state["tutor"])
        for optimizer, told in zip(optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(told)
        first = state["step"]
    lessons = torch.utils.data.DataLoader(
        _Lessons(
            Teacher(tokens, BATCH),
            range(stage.first_lesson + first, stage.first_lesson + given.steps),
        ),
        batch_size=None,
        num_workers=1,
        prefetch_factor=4,
    )
    # Together they make a step three times as fast.
    tutor.see, tutor.think = (torch.compile(p, dynamic=True) for p in (tutor.see, tutor.think))
    begun, sums, count = time.monotonic(), {}, 0
    for step, batch in enumerate(lessons, start=first):
        for group in chain.from_iterable(optimizer.param_groups for optimizer in optimizers):
            group["lr"] = stage.rate_at(step, given.steps)
        losses = losses_of(tutor, batch, step, stage)
        torch.stack([*losses.values()]).sum().backward()
        nn.utils.clip_grad_norm_(tutor.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
        count += 1
        for name, value in losses.items():
            sums[name] = sums.get(name, 0) + value.item()
        if (step + 1) % 50 == 0:
            told = {
                "step": step + 1,
                "seconds": round(time.monotonic() - begun),
                **{name: round(value / count, 4) for name, value in sums.items()},
            }
            print(json.dumps(told), flush=True)
            with curve.open("a") as file:
                file.write(json.dumps(told) + "\n")
            sums, count = {}, 0
        if (step + 1) % 250 == 0 or step + 1 == given.steps:
            partial = state_file.with_suffix(".partial")
            torch.save(
                {
                    "tutor": tutor.state_dict(),
                    "optimizers": [optimizer.state_dict() for optimizer in optimizers],
                    "step": step + 1,
                },
                partial,
            )
            partial.replace(state_file)
    save(tutor.model.to(torch.bfloat16), tokens, given.folder / "model")


if __name__ == "__main__":
    main()
