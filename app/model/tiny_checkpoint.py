"""A Qwen2.5-VL checkpoint small enough for any machine, made without a model hub.

The architecture, processor and chat markers are the real model's, so vLLM serves it unchanged and
counts image tokens as in production. The weights are random: it answers with babble, and whoever
reads an answer of it learns that the path works and nothing about vision.

Runs in vLLM's environment (torch, transformers): ``python -m app.model.tiny_checkpoint FOLDER``.
"""
# torch and transformers live in another environment than the one that is type-checked.
# pyright: basic, reportMissingImports=false
# ruff: noqa: PLC0415, ANN001, ANN202, S106

from __future__ import annotations

import hashlib
import shutil
import sys
from pathlib import Path

NAME = "personal-cloud-hub/tiny-vl"
RECIPE = f"{NAME} 1"
"""Raise the number when anything below changes what is made."""
REVISION = hashlib.sha1(RECIPE.encode(), usedforsecurity=False).hexdigest()
"""Stands where a model hub has a commit: it names the recipe, not the bytes."""

TEXT_WIDTH = 128
SPECIAL_TOKENS = [
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|vision_pad|>",
    "<|image_pad|>",
    "<|video_pad|>",
]
CHAT_TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n"
    "{% if m['content'] is string %}{{ m['content'] }}{% else %}{% for c in m['content'] %}"
    "{% if c['type'] in ('image','image_url') %}<|vision_start|><|image_pad|><|vision_end|>"
    "{% elif 'text' in c %}{{ c['text'] }}{% endif %}{% endfor %}{% endif %}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def hub_folder(cache: Path) -> Path:
    """Where a model hub's client keeps this model at this revision below ``HF_HOME``."""
    return cache / "hub" / f"models--{NAME.replace('/', '--')}" / "snapshots" / REVISION


def seed(checkpoint: Path, hf_home: Path) -> None:
    """Put the checkpoint where vLLM looks for a model that was downloaded before."""
    target = hub_folder(hf_home)
    if not target.is_dir():
        shutil.copytree(checkpoint, target)
    refs = target.parents[1] / "refs"
    refs.mkdir(exist_ok=True)
    (refs / "main").write_text(REVISION)


def make(target: Path) -> None:
    """Write the checkpoint's files; the same bytes for the same torch and transformers."""
    import torch
    from transformers import GenerationConfig, Qwen2_5_VLForConditionalGeneration

    tokenizer = _tokenizer()
    _processor(tokenizer).save_pretrained(target)
    config = _config(tokenizer.convert_tokens_to_ids)
    torch.manual_seed(0)
    model = Qwen2_5_VLForConditionalGeneration(config).to(torch.bfloat16)
    model.generation_config = GenerationConfig(
        eos_token_id=tokenizer.convert_tokens_to_ids("<|im_end|>"),
        pad_token_id=tokenizer.convert_tokens_to_ids("<|endoftext|>"),
    )
    model.save_pretrained(target)


def _tokenizer():
    """One token for each byte: nothing to train, and any text survives."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={c: i for i, c in enumerate(alphabet)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(SPECIAL_TOKENS)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        additional_special_tokens=SPECIAL_TOKENS,
        model_max_length=32768,
        clean_up_tokenization_spaces=False,
    )
    fast.chat_template = CHAT_TEMPLATE
    return fast


def _processor(tokenizer):
    from transformers import Qwen2_5_VLProcessor
    from transformers.models.qwen2_vl.image_processing_qwen2_vl import Qwen2VLImageProcessor
    from transformers.models.qwen2_vl.video_processing_qwen2_vl import Qwen2VLVideoProcessor

    sizes = {
        "min_pixels": 56 * 56,
        "max_pixels": 1280 * 28 * 28,
        "patch_size": 14,
        "merge_size": 2,
        "temporal_patch_size": 2,
    }
    return Qwen2_5_VLProcessor(
        image_processor=Qwen2VLImageProcessor(**sizes),
        tokenizer=tokenizer,
        video_processor=Qwen2VLVideoProcessor(**sizes),
        chat_template=CHAT_TEMPLATE,
    )


def _config(token_id):
    from transformers import Qwen2_5_VLConfig

    config = Qwen2_5_VLConfig(
        text_config={
            "vocab_size": 384,
            "hidden_size": TEXT_WIDTH,
            "intermediate_size": 256,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "max_position_embeddings": 32768,
            "rms_norm_eps": 1e-6,
            "tie_word_embeddings": False,
            "bos_token_id": token_id("<|endoftext|>"),
            "eos_token_id": token_id("<|im_end|>"),
            "pad_token_id": token_id("<|endoftext|>"),
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": 1e6,
                "mrope_section": [4, 6, 6],  # sums to half a head's width
            },
        },
        vision_config={
            "depth": 2,
            "hidden_size": 64,
            "num_heads": 2,
            "intermediate_size": 128,
            "out_hidden_size": TEXT_WIDTH,
            "patch_size": 14,
            "spatial_merge_size": 2,
            "temporal_patch_size": 2,
            "window_size": 112,
            "fullatt_block_indexes": [1],
            "in_channels": 3,
        },
        image_token_id=token_id("<|image_pad|>"),
        video_token_id=token_id("<|video_pad|>"),
        vision_start_token_id=token_id("<|vision_start|>"),
        vision_end_token_id=token_id("<|vision_end|>"),
        tie_word_embeddings=False,
    )
    config.architectures = ["Qwen2_5_VLForConditionalGeneration"]
    return config


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    make(partial)
    partial.rename(folder)
