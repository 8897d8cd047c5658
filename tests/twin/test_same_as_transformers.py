"""What we compute ourselves is what transformers computes: in vLLM's environment, which has it."""

from __future__ import annotations

import subprocess

import pytest

from tests.twin.conftest import ROOT
from twin.paths import cache_dir
from twin.toolchain import vllm

pytestmark = pytest.mark.slow

SAME_LOGITS = """
import torch
from app.model.drawn import draw
from app.model.image_tokens import Size
from twin.model.architecture import processor, tokenizer
from twin.model.lessons import Batch, patches_of
from twin.model.train import newborn
from twin.model.tutor import Tutor, number_ids

tokens = tokenizer()
tutor = Tutor(newborn(tokens), number_ids(tokens))
image = draw(5, Size(252, 168)).image
content = [{"type": "image"}, {"type": "text", "text": "Find the red square."}]
text = tokens.apply_chat_template(
    [{"role": "user", "content": content}], tokenize=False, add_generation_prompt=True
)
given = processor(tokens)(text=[text], images=[image], return_tensors="pt")
assert torch.allclose(given["pixel_values"], torch.from_numpy(patches_of(image)), atol=1e-5)

ids, cells, columns, rows = given["input_ids"], 54, 9, 6
start = (ids[0] == tutor.model.config.image_token_id).nonzero()[0].item()
positions = torch.zeros(3, 1, ids.shape[1], dtype=torch.long)
positions[:, 0, :start] = torch.arange(start)
positions[0, 0, start : start + cells] = start
positions[1, 0, start : start + cells] = start + torch.arange(rows).repeat_interleave(columns)
positions[2, 0, start : start + cells] = start + torch.arange(columns).repeat(rows)
positions[:, 0, start + cells :] = start + columns + torch.arange(ids.shape[1] - start - cells)
mask = torch.ones(ids.shape[1], ids.shape[1]).tril().bool()[None, None]
seen = given["pixel_values"][None]
batch = Batch((columns, rows), seen, ids, start, positions, mask, *[None] * 4)
with torch.no_grad():
    theirs = tutor.model(**given).logits
    thought, _ = tutor.think(batch, tutor.see(batch.patches, batch.grid))
    ours = tutor.model.lm_head(thought)
print("difference", (ours - theirs).abs().max().item(), "of", theirs.abs().max().item())
assert torch.allclose(ours, theirs, atol=1e-4)
"""


SAME_SIZES = """
import random
from transformers.models.qwen2_vl.image_processing_qwen2_vl import smart_resize as theirs
from app.model.image_tokens import Size, smart_resize
from app.model.profiles import PROFILES

rng, compared = random.Random(0), 0
bounds = {(p.min_pixels, p.max_pixels) for p in PROFILES.values()}
while compared < 20_000:
    width, height = (round(2 ** rng.uniform(0, 14)) for _ in range(2))
    if max(width, height) > 200 * min(width, height):
        continue
    for least, most in bounds:
        height_width = theirs(height, width, factor=28, min_pixels=least, max_pixels=most)
        ours = smart_resize(Size(width, height), least, most)
        assert (ours.height, ours.width) == tuple(height_width), (width, height, least, most)
    compared += 1
print("compared", compared)
"""


def run(script: str) -> None:
    done = subprocess.run(
        [vllm.python(cache_dir()), "-c", script],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_pictures_are_resized_as_the_server_would_over_thousands_of_sizes(
    tools: None,
) -> None:
    run(SAME_SIZES)


def test_what_is_trained_computes_what_transformers_computes(tools: None) -> None:
    run(SAME_LOGITS)
