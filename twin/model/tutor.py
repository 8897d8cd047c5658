"""The model as it learns: with heads that are needed for teaching only, and what it is told.

Besides the answers, the image tokens themselves are taught: what leaves the vision tower must tell
which shape a cell shows and how far its box reaches from there, and what leaves the language
model's second layer must tell that box's coordinates. With the answers alone, nothing is learnt in
the same time.
"""
# pyright: basic, reportMissingImports=false
# ruff: noqa: ANN001, ANN201

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional
from transformers.models.qwen2_5_vl.modeling_qwen2_5_vl import apply_rotary_pos_emb_vision

from app.model.drawn import COLOURS, SHAPES
from app.model.image_tokens import FACTOR
from twin.model.architecture import TEXT_WIDTH
from twin.model.lessons import Batch
from twin.model.stages import Stage
from twin.model.words import VOCABULARY_SIZE

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
