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
MONTH_SECONDS = 730 * 3600


class _Prices(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Tier(_Prices):
    """US dollars."""

    vcpu_second: float
    gib_second: float

    def second(self) -> float:
        """Of one instance's life."""
        return VCPUS * self.vcpu_second + GIB * self.gib_second


class Free(_Prices):
    """A month."""

    vcpu_seconds: int
    gib_seconds: int


class CloudRun(_Prices):
    tier_1: Tier
    tier_2: Tier
    free: Free
    idle_minutes: int
    tier_1_regions: tuple[str, ...]

    def tier(self, region: str) -> Tier:
        return self.tier_1 if region in self.tier_1_regions else self.tier_2


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
    """Of the gateway in one region."""

    start_usd: float
    """One start: a short request, and the idle time after it."""
    free_starts: int
    """A month, for which the free tier pays."""
    always_usd: float
    """A month in which the instance never ends, less the free tier."""
    tailnet_starts: int
    """A month, which Tailscale's free plan allows."""
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


def instance_usd(region: str, seconds: float) -> float:
    """A month in which the instance lives for so long, less the free tier's CPU and memory."""
    run = prices().cloud_run
    tier, free = run.tier(region), run.free
    cpu = VCPUS * tier.vcpu_second * seconds - free.vcpu_seconds * run.tier_1.vcpu_second
    memory = GIB * tier.gib_second * seconds - free.gib_seconds * run.tier_1.gib_second
    return max(0.0, cpu) + max(0.0, memory)


def costs(region: str) -> Costs:
    """Calculated, not measured; data that leaves Google's network is not in it."""
    known = prices()
    run = known.cloud_run
    tier, idle = run.tier(region), run.idle_minutes * 60
    free_cpu_usd = run.free.vcpu_seconds * run.tier_1.vcpu_second
    return Costs(
        start_usd=tier.second() * idle,
        # CPU is what runs out first.
        free_starts=int(free_cpu_usd / (VCPUS * tier.vcpu_second * idle)),
        always_usd=instance_usd(region, MONTH_SECONDS),
        tailnet_starts=known.tailscale.ephemeral_minutes // run.idle_minutes,
        read_on=known.read_on,
    )
