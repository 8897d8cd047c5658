"""What the gateway costs, from ``prices.yaml`` and the size of its containers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict

from infra.gcp.size import GIB, VCPUS

PRICES = Path(__file__).with_name("prices.yaml")
DAYS_PER_MONTH = 365 / 12
MONTH_SECONDS = DAYS_PER_MONTH * 24 * 3600


class _Prices(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Tier(_Prices):
    """US dollars."""

    vcpu_second: float
    gib_second: float

    def second(self) -> float:
        """The price of one second of an instance."""
        return VCPUS * self.vcpu_second + GIB * self.gib_second


class Free(_Prices):
    """What is free each month."""

    vcpu_seconds: int
    gib_seconds: int


class CloudRun(_Prices):
    tier_1: Tier
    tier_2: Tier
    free: Free
    idle_minutes: int
    tier_1_regions: tuple[str, ...]
    tier_2_regions: tuple[str, ...]

    def tier(self, region: str) -> Tier:
        return self.tier_1 if region in self.tier_1_regions else self.tier_2

    def free_cpu_usd(self) -> float:
        """The sum that the free tier is worth, in every region."""
        return self.free.vcpu_seconds * self.tier_1.vcpu_second

    def free_memory_usd(self) -> float:
        return self.free.gib_seconds * self.tier_1.gib_second


class Tailscale(_Prices):
    ephemeral_minutes: int


class Registry(_Prices):
    gb_month: float
    free_gb: float


class Secrets(_Prices):
    version_month: float
    free_versions: int
    read: float
    free_reads: int


class Egress(_Prices):
    gb: float


class Home(_Prices):
    kwh: float
    idle_watts: float
    busy_watts: float


class Prices(_Prices):
    """``prices.yaml``."""

    read_on: date
    cloud_run: CloudRun
    registry: Registry
    secrets: Secrets
    egress: Egress
    tailscale: Tailscale
    home: Home


@cache
def prices() -> Prices:
    return Prices.model_validate(yaml.safe_load(PRICES.read_text()))


@dataclass(frozen=True, kw_only=True)
class Costs:
    """What the gateway costs in one region."""

    start_usd: float
    """One start: a short request, and the idle time after it."""
    free_starts: int
    """Starts a month that the free tier pays for."""
    always_usd: float
    """A month in which the instance never ends, less the free tier."""
    tailnet_starts: int
    """Starts a month that Tailscale's free plan allows."""
    read_on: date

    def told(self) -> dict[str, str]:
        """For `pulumi preview`, which cuts long lines."""
        return {
            "whileNoInstanceRuns": "$0",
            "oneStart": f"${self.start_usd:.3f}, its idle time included",
            "freeStarts": f"{self.free_starts} a month",
            "awakeAllMonth": f"${self.always_usd:.0f}",
            "tailscaleFreePlan": f"{self.tailnet_starts} starts a month",
            "listPricesOf": str(self.read_on),
        }


@dataclass(frozen=True, kw_only=True)
class MonthsUse:
    """What instances took in one month. 1.0 is the whole of a free tier; more is charged."""

    free_cpu: float
    free_memory: float
    tailnet: float
    """The share of the ephemeral minutes of Tailscale's free plan."""
    usd: float
    """Cloud Run's charge above the free tier."""


def months_use(region: str, seconds: float) -> MonthsUse:
    """What the gateway's instances use in one region, if they run for ``seconds`` in total."""
    known = prices()
    run = known.cloud_run
    tier = run.tier(region)
    cpu, memory = seconds * VCPUS * tier.vcpu_second, seconds * GIB * tier.gib_second
    free_cpu, free_memory = run.free_cpu_usd(), run.free_memory_usd()
    return MonthsUse(
        free_cpu=cpu / free_cpu,
        free_memory=memory / free_memory,
        tailnet=seconds / 60 / known.tailscale.ephemeral_minutes,
        usd=max(0, cpu - free_cpu) + max(0, memory - free_memory),
    )


def costs(region: str) -> Costs:
    """Calculated, not measured; data that leaves Google's network is not in it."""
    known = prices()
    run = known.cloud_run
    tier, idle = run.tier(region), run.idle_minutes * 60
    return Costs(
        start_usd=tier.second() * idle,
        # CPU is what runs out first.
        free_starts=int(run.free_cpu_usd() / (VCPUS * tier.vcpu_second * idle)),
        always_usd=months_use(region, MONTH_SECONDS).usd,
        tailnet_starts=known.tailscale.ephemeral_minutes // run.idle_minutes,
        read_on=known.read_on,
    )
