"""vLLM's command line and environment, as values.

No Pulumi and no I/O: the deployment, the twin and the tests all read their arguments here.
"""

from __future__ import annotations

import json

from app.model.image_tokens import MAX_IMAGE_PIXELS
from app.model.profiles import SERVED_NAME, Profile

HTTP_PORT = 8000
DRAIN_SECONDS = 60
PICTURES = 16
"""In one prompt: at 500 tokens each they fill the context. Not more of smaller ones, because a file
of a few kilobytes may unpack to 50 MB (16.8 megapixels) of the model server's memory."""
CACHE = "/cache"
"""Where the pod mounts the volume that keeps weights and compiled kernels."""
NOTHING = "/nothing"
"""Where it mounts an empty one."""
MODULES = "/modules"
"""Where it mounts modules of this project: the image has none."""
MODULE_FILES = {
    "sitecustomize.py": "unreadable.py",
    "hub_refusals.py": "refusals.py",
    "hub_failures.py": "failures.py",
}
"""Their names there, and their files in ``app/model``."""


def serve_args(profile: Profile, revision: str) -> list[str]:
    """Arguments for the official image, whose entrypoint already is ``vllm serve``."""
    return [
        profile.model,
        f"--revision={revision}",
        *([f"--dtype={profile.dtype}"] if profile.dtype else []),
        f"--served-model-name={SERVED_NAME}",
        f"--max-model-len={profile.max_model_len}",
        f"--gpu-memory-utilization={profile.memory_fraction:g}",
        f"--max-num-seqs={profile.max_num_seqs}",
        f"--max-num-batched-tokens={profile.max_num_batched_tokens}",
        # A conversation is sent whole each time: the context bounds what its pictures may take.
        # The default is 999 of each; no video frees the memory its profile would take.
        f"--limit-mm-per-prompt={_json(image=PICTURES, video=0)}",
        # What Qwen2.5 was trained to write: https://docs.vllm.ai/en/latest/features/tool_calling
        "--enable-auto-tool-choice",
        "--tool-call-parser=hermes",
        f"--mm-processor-kwargs={_json(size=_pixels(profile))}",
        "--mm-processor-cache-gb=1",
        # A name that cannot exist: pictures come inside the request, the server fetches none.
        "--allowed-media-domains=media.invalid",
        # An empty folder: with none, a picture's `file:` URL is answered with 500 instead of 400.
        f"--allowed-local-media-path={NOTHING}",
        f"--structured-outputs-config={_json(backend='xgrammar', disable_any_whitespace=True)}",
        f"--shutdown-timeout={DRAIN_SECONDS}",
        "--middleware=hub_refusals.OpenAIErrors",
        "--middleware=hub_failures.FailuresByRequest",
        "--sse-keep-alive-interval=15",
        "--disable-fastapi-docs",
        "--disable-access-log-for-endpoints=/health,/metrics",
        f"--port={HTTP_PORT}",
    ]


def environment() -> dict[str, str]:
    """Environment without secrets; constant, because it is part of the compile cache's key."""
    return {
        "HF_HOME": f"{CACHE}/huggingface",
        "VLLM_CACHE_ROOT": f"{CACHE}/vllm",
        "VLLM_NO_USAGE_STATS": "1",
        "VLLM_HTTP_MAX_REQUEST_BODY_SIZE": str(32 * 2**20),
        "VLLM_MAX_IMAGE_PIXELS": str(MAX_IMAGE_PIXELS),
        "VLLM_MEDIA_URL_ALLOW_REDIRECTS": "0",
        "VLLM_MAX_N_SEQUENCES": "8",
        "VLLM_MAX_COMPLETION_PROMPTS": "8",
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": MODULES,
    }


def _pixels(profile: Profile) -> dict[str, int]:
    return {"shortest_edge": profile.min_pixels, "longest_edge": profile.max_pixels}


def _json(**value: object) -> str:
    return json.dumps(value, separators=(",", ":"))
