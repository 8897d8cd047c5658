"""Train the small model from scratch on drawn pictures.

    python -m twin.model.train FOLDER [--steps N] [--onto MODEL [--stage NAME]]

Besides the answers, the image tokens themselves are taught: what leaves the vision tower must tell
which shape a cell shows and how far its box reaches from there, and what leaves the language
model's second layer must tell that box's coordinates. With the answers alone, nothing is learnt in
the same time. ``--onto`` goes on from a model that sees already, in a stage
of ``stages.py``.
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
from torch.nn import functional
from transformers import GenerationConfig, Qwen2_5_VLForConditionalGeneration
from transformers.models.qwen2_5_vl.modeling_qwen2_5_vl import apply_rotary_pos_emb_vision

from app.model.drawn import COLOURS, SHAPES
from app.model.image_tokens import FACTOR
from twin.model.architecture import TEXT_WIDTH, config, processor, tokenizer
from twin.model.lessons import Batch, Teacher
from twin.model.stages import FIRST, ONTO, Stage
from twin.model.words import VOCABULARY_SIZE

BATCH = 32
AUXILIARY_LAYER = 2
NUMBERS = 1000
REACH, SPREAD = 4, 1.2
"""A coordinate next to the right one is nearly right: how far, and how fast that fades, pixels."""


class Tutor(nn.Module):
    """The model with the heads that are needed for teaching only."""

    def __init__(self, model, number_ids) -> None:
        super().__init__()
        # The fused attention's way back takes half of a step's time on a CPU (torch 2.13).
        model.set_attn_implementation("eager")
        self.model = model
        self.register_buffer("number_ids", number_ids, persistent=False)
        self.register_buffer("number_of", torch.full((VOCABULARY_SIZE,), -1), persistent=False)
        self.number_of[number_ids] = torch.arange(NUMBERS)
        self.sight = nn.Linear(TEXT_WIDTH, 1 + len(COLOURS) + len(SHAPES) + 4)
        self.corners = nn.Linear(TEXT_WIDTH, 4 * TEXT_WIDTH)
        self.place = nn.Linear(TEXT_WIDTH, 2)

    def see(self, patches, grid):
        """(B, 4 C, 1176) to (B, C, width): the vision tower, for pictures of one size."""
        visual = self.model.model.visual
        columns, rows = grid
        size, count, _ = patches.shape
        x = functional.linear(patches, visual.patch_embed.proj.weight.flatten(1))
        order = torch.arange(4 * columns * rows).view(2 * rows, 2 * columns)
        order = order.view(rows, 2, columns, 2).permute(0, 2, 1, 3).flatten()
        place = torch.stack([order // (2 * columns), order % (2 * columns)], 1).float()
        angles = (place[:, :, None] * visual.rotary_pos_emb.inv_freq).flatten(1)
        cos, sin = angles.cos().repeat(1, 2), angles.sin().repeat(1, 2)
        for block in visual.blocks:
            attention = block.attn
            heads = attention.qkv(block.norm1(x)).view(size, count, 3, attention.num_heads, -1)
            q, k, v = heads.unbind(2)
            q, k = apply_rotary_pos_emb_vision(q, k, cos, sin)
            q, k, v = (part.transpose(1, 2) for part in (q, k, v))
            near = (q @ k.transpose(2, 3) * q.shape[-1] ** -0.5).softmax(-1)
            seen = near.to(v.dtype) @ v
            x = x + attention.proj(seen.transpose(1, 2).reshape(size, count, -1))
            x = x + block.mlp(block.norm2(x))
        return visual.merger(x).view(size, count // 4, -1)

    def think(self, batch: Batch, seen):
        """The language model; also what leaves its auxiliary layer."""
        language = self.model.model.language_model
        cells = seen.shape[1]
        x = language.embed_tokens(batch.ids)
        i = batch.image_start
        x = torch.cat([x[:, :i], seen, x[:, i + cells :]], dim=1)
        turned = language.rotary_emb(x, batch.positions)
        unseen = torch.where(batch.mask, 0.0, -1e4).to(torch.bfloat16)
        middle = x
        for number, layer in enumerate(language.layers, start=1):
            x = layer(x, attention_mask=unseen, position_embeddings=turned)
            if number == AUXILIARY_LAYER:
                middle = x[:, i : i + cells]
        return language.norm(x), middle

    def sight_loss(self, batch: Batch, seen):
        told = self.sight(seen)
        shows = batch.owner >= 0
        there, colour, shape, reach = told.split([1, len(COLOURS), len(SHAPES), 4], dim=-1)
        columns, rows = batch.grid
        middle = centres(columns, rows)
        goal = (batch.box - middle.repeat(1, 2)) / FACTOR
        return (
            functional.binary_cross_entropy_with_logits(there[..., 0], shows.float())
            + 0.5 * functional.cross_entropy(colour[shows], batch.kind[..., 0][shows])
            + 0.5 * functional.cross_entropy(shape[shows], batch.kind[..., 1][shows])
            + functional.smooth_l1_loss(reach[shows], goal[shows], beta=0.1)
        )

    def place_loss(self, batch: Batch, middle):
        """Where the cells are, and the corners of what they show, as the answers tell them."""
        columns, rows = batch.grid
        where = functional.smooth_l1_loss(
            self.place(middle), (centres(columns, rows) / 100).expand(len(middle), -1, -1), beta=0.1
        )
        shows = batch.owner >= 0
        asked = self.corners(middle[shows]).view(-1, TEXT_WIDTH)
        asked = functional.rms_norm(asked, (TEXT_WIDTH,))
        weights = self.model.lm_head.weight[self.number_ids]
        right = batch.box[shows].long().flatten()
        return where + about(functional.log_softmax(asked @ weights.T, -1), right).mean()

    def answer_loss(self, batch: Batch, thought):
        told = batch.weight > 0
        goal = batch.ids.roll(-1, 1)[told]
        chances = functional.log_softmax(self.model.lm_head(thought[told]), -1)
        value = self.number_of[goal]
        number = value >= 0
        weight = batch.weight[told]
        numbers = about(chances[number][:, self.number_ids], value[number])
        words = functional.nll_loss(chances[~number], goal[~number], reduction="none")
        return (
            (numbers * weight[number]).sum() / weight[number].sum(),
            (words * weight[~number]).mean(),
        )


def centres(columns: int, rows: int):
    """(C, 2) pixels: of each image token's cell."""
    x = (torch.arange(columns) + 0.5) * FACTOR
    y = (torch.arange(rows) + 0.5) * FACTOR
    return torch.stack([x.repeat(rows), y.repeat_interleave(columns)], 1)


def about(log_chances, right):
    """Cross entropy with a narrow bell around the right number."""
    off = torch.arange(-REACH, REACH + 1)
    bell = torch.exp(-0.5 * (off / SPREAD) ** 2)
    near = (right[:, None] + off).clamp(0, NUMBERS - 1)
    return -(log_chances.gather(1, near) * (bell / bell.sum())).sum(1)


def number_ids(tokens):
    """(1000,) token of each number."""
    return torch.tensor([tokens.convert_tokens_to_ids(str(n)) for n in range(NUMBERS)])


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


def losses_of(tutor, batch: Batch, step: int, stage: Stage):
    """By name."""
    losses = {}
    with torch.autocast("cpu", torch.bfloat16), torch.set_grad_enabled(stage.sight):
        seen = tutor.see(batch.patches, batch.grid)
    if stage.sight:
        losses["sight"] = tutor.sight_loss(batch, seen.float())
    if step >= stage.sight_alone:
        with torch.autocast("cpu", torch.bfloat16):
            thought, middle = tutor.think(batch, seen)
        losses["numbers"], losses["words"] = tutor.answer_loss(batch, thought.float())
        if stage.sight:
            losses["place"] = 0.5 * tutor.place_loss(batch, middle.float())
    return losses


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
