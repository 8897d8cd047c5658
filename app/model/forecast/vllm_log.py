"""What vLLM says about memory while it starts, read from its log.

The texts are those of vLLM 0.32.0 and 0.33.0: ``v1/worker/gpu_worker.py``,
``v1/worker/gpu_model_runner.py``, ``v1/core/kv_cache_utils.py``, ``v1/worker/cpu_worker.py``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

START = "non-default args: "
"""What each start writes first; a log may hold several."""

DIGITS = 2
"""After the point, of each GiB in the log (``format_gib`` in ``vllm/utils/mem_utils.py``)."""


class NoStartError(ValueError):
    """The log does not hold a whole start; the message says what is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """vLLM's own figures, GiB; ``None`` where the log has none, as on a CPU."""

    model: str
    device: Literal["GPU", "CPU"]
    kv_tokens: int
    max_model_len: int
    kv_gib: float
    weights_gib: float | None = None
    """Of the model alone."""
    consumed_gib: float | None = None
    """Of the model and CUDA's libraries."""
    graphs_gib: float | None = None
    """The estimate that vLLM takes off the KV cache, not what the graphs turn out to need."""
    step_gib: float | None = None
    """The largest step's peak. vLLM's "peak activation" has the estimate for graphs in it."""
    card_gib: float | None = None
    budget_gib: float | None = None

    @property
    def libraries_gib(self) -> float | None:
        if self.consumed_gib is None or self.weights_gib is None:
            return None
        return round(self.consumed_gib - self.weights_gib, DIGITS)


def reported(log: str) -> Reported:
    """The figures of the last start in the log.

    Raises:
        NoStartError: vLLM has not come as far as its KV cache, or this is not its log.
    """
    _, begun, last = log.rpartition(START)
    model = re.search(r"'model': '([^']+)'", last)
    if not begun or not model:
        raise NoStartError("it does not say which model was started")
    size = re.search(
        r"(GPU|CPU) KV cache size: ([\d,]+) tokens, "
        r"Maximum concurrency for ([\d,]+) tokens per request",
        last,
    )
    kv = _number(r"Available KV cache memory: ([\d.]+) GiB", last) or _number(
        r"Explicitly set \(([\d.]+)/[\d.]+\) GiB for KV cache", last
    )
    if not size or kv is None:
        raise NoStartError(f"{model[1]} has not come as far as its KV cache, or it failed before")
    graphs = _number(r"Estimated CUDA graph memory: ([\d.]+) GiB total", last)
    peak = _number(r"([\d.]+) GiB for peak activation", last)
    return Reported(
        model=model[1],
        device="GPU" if size[1] == "GPU" else "CPU",
        kv_tokens=_count(size[2]),
        max_model_len=_count(size[3]),
        kv_gib=kv,
        weights_gib=_number(r"Model loading took ([\d.]+) GiB", last),
        consumed_gib=_number(r"Actual usage is ([\d.]+) GiB for consumed memory", last),
        graphs_gib=graphs,
        step_gib=None if peak is None else round(peak - (graphs or 0), DIGITS),
        card_gib=_number(r"Free memory on device \([\d.]+/([\d.]+) GiB\)", last),
        budget_gib=_number(r"GPU memory utilization is \([\d.]+, ([\d.]+) GiB\)", last),
    )


def _number(pattern: str, text: str) -> float | None:
    found = re.search(pattern, text)
    return float(found[1]) if found else None


def _count(text: str) -> int:
    return int(text.replace(",", ""))
