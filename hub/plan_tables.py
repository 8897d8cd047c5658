"""What `hub plan` shows, for a person and for a program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.table import Table

from app.model.forecast.memory import CPU_BLOCK_TOKENS, forecast, kv_tokens
from app.model.forecast.plan import Plan, rows
from app.model.forecast.vllm_log import Reported
from app.model.profiles import GIB, Profile
from infra.bill import SECRETS, Bill, Use
from infra.gcp.costs import DAYS_PER_MONTH

COMPARED = {
    "budget_gib": "vLLM's share",
    "weights_gib": "weights",
    "libraries_gib": "CUDA libraries",
    "step_gib": "largest step",
    "graphs_gib": "CUDA graphs",
    "kv_gib": "KV cache",
}
"""Figures that both the forecast and vLLM's log have."""


def plans(shown: Sequence[Plan]) -> Table:
    """One column for each profile."""
    table = Table("forecast", box=None, header_style="bold")
    for one in shown:
        table.add_column(one.name)
    columns = [rows(one) for one in shown]
    titles = dict.fromkeys(title for column in columns for title in column)
    for title in titles:
        table.add_row(title, *(column.get(title, "-") for column in columns))
    return table


def predictions(profile: Profile, log: Reported) -> dict[str, tuple[float | None, float]]:
    """By title: what the forecast said, and what vLLM reported. On a CPU only the KV cache is
    comparable, in the size that it was given."""
    of_gpu = forecast(profile, log.card_gib) if log.card_gib else None
    compared: dict[str, tuple[float | None, float]] = {}
    for name, title in COMPARED.items():
        measured: float | None = getattr(log, name)
        if measured is not None:
            compared[f"{title}, GiB"] = (getattr(of_gpu, name) if of_gpu else None, measured)
    tokens = (
        of_gpu.kv_tokens
        if of_gpu
        else kv_tokens(profile, log.kv_gib * GIB, CPU_BLOCK_TOKENS)
        if log.device == "CPU"
        else None
    )
    return compared | {"KV cache, tokens": (tokens, log.kv_tokens)}


def comparison(profile: Profile, log: Reported) -> Table:
    """The forecast beside vLLM's own figures, which replace it in what follows."""
    table = Table(f"{profile.model} on {log.device}", box=None, header_style="bold")
    for title in ("forecast", "vLLM's log"):
        table.add_column(title, justify="right")
    for title, (ours, theirs) in predictions(profile, log).items():
        table.add_row(title, "-" if ours is None else _figure(ours), _figure(theirs))
    return table


def month(use: Use, cost: Bill) -> Table:
    """A month's bill."""
    table = Table("a month", box=None, header_style="bold")
    table.add_column("US dollars", justify="right")
    table.add_column("for")
    awake = use.awake_minutes * DAYS_PER_MONTH
    free = cost.free_ephemeral_minutes
    over = f", {awake - free:,.0f} over" if awake > free else ""
    for what, usd, why in (
        ("Cloud Run", cost.cloud_run, f"{awake / 60:,.0f} h awake in {use.region}"),
        ("registry", cost.registry, "two images"),
        ("secrets", cost.secrets, f"{SECRETS} versions, with an auth key"),
        ("egress", cost.egress, f"{use.egress_gb:.2f} GB to home and to clients"),
        ("electricity", cost.electricity, f"{use.kwh:,.0f} kWh at home"),
        ("together", cost.total, f"list prices of {cost.read_on}"),
    ):
        table.add_row(what, f"{usd:.2f}", why)
    table.add_row("Tailscale", "", f"{awake:,.0f} of {free:,} free ephemeral minutes{over}")
    return table


def as_data(shown: Sequence[Plan], use: Use, cost: Bill, log: Reported | None) -> dict[str, Any]:
    """Everything that the tables are made of; GiB, tokens, seconds, dollars."""
    return {
        "profiles": [
            {
                "profile": one.name,
                "fits": one.fits,
                "memory": asdict(one.memory) | {"reported": sorted(one.memory.reported)},
                "request_tokens": one.request.tokens(one.profile),
                "at_once": one.at_once,
                "users": one.users,
                "speed": asdict(one.speed) if one.speed else None,
            }
            for one in shown
        ],
        "month": asdict(cost)
        | {
            "total": cost.total,
            "egress_gb": use.egress_gb,
            "kwh": use.kwh,
            "read_on": cost.read_on.isoformat(),
        },
        "vllm_log": asdict(log) if log else None,
    }


def _figure(number: float) -> str:
    return f"{number:,}" if isinstance(number, int) else f"{number:.2f}"
