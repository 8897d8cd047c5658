"""A month's bill for a given use, from ``infra/gcp/prices.yaml``. Calculated, not measured."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from app.model.forecast.memory import ANSWER_TOKENS, PICTURE
from infra.config import DEFAULT_REGION, LARGEST_BODY_MB
from infra.gcp.costs import DAYS_PER_MONTH, months_use, prices

HOURS_OF_A_DAY = 24
SECRETS = 4
"""Secret versions with the default settings: API keys, gateway's key, Caddyfile, auth key.
``workloadIdentity`` has no auth key, and ``cloud.fallback`` adds its own key."""
IMAGES_GB = 0.1
"""Caddy's and Tailscale's image in the mirror, compressed: an estimate."""
ANSWER_BYTES_PER_TOKEN = 216
"""A streamed answer has one event of JSON for each token: 43,569 bytes for 200 tokens, 11,114 for
50 (vLLM 0.32.0 with the twin's model)."""
PICTURE_BYTES_PER_PIXEL = 0.5
"""JPEG of the client's quality 90, and a third more in base64. An estimate; one photograph full of
detail had 0.53."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """How much the service is used."""

    region: str = DEFAULT_REGION
    requests_per_day: int = 50
    awake_minutes_per_day: float | None = None
    """How long the gateway's instance lives. ``None``: each request comes alone and keeps it for
    the whole idle time, up to the whole day."""
    picture_pixels: int = PICTURE.width * PICTURE.height
    answer_tokens: int = ANSWER_TOKENS
    seconds_per_request: float = 10
    """How long the GPU works for one."""
    home_hours_per_day: float = HOURS_OF_A_DAY
    kwh_usd: float | None = None
    idle_watts: float | None = None
    """What the whole machine at home draws while nobody asks. ``None``: ``prices.yaml`` has it."""

    @property
    def awake_minutes(self) -> float:
        """Minutes a day in which the gateway's instance runs."""
        if self.awake_minutes_per_day is not None:
            return self.awake_minutes_per_day
        alone = self.requests_per_day * prices().cloud_run.idle_minutes
        return min(alone, HOURS_OF_A_DAY * 60)

    @property
    def egress_gb(self) -> float:
        """GB a month that leave Google's network: pictures to home, answers to clients."""
        picture = self.picture_pixels * PICTURE_BYTES_PER_PIXEL
        answer = self.answer_tokens * ANSWER_BYTES_PER_TOKEN
        return self.requests_per_day * DAYS_PER_MONTH * (picture + answer) / 1e9

    @property
    def kwh(self) -> float:
        """kWh a month: the idle draw while home is on, and the GPU's on top while it works."""
        watts = prices().home
        idle = watts.idle_watts if self.idle_watts is None else self.idle_watts
        busy_hours = self.busy_minutes / 60
        watt_hours = idle * self.home_hours_per_day + watts.busy_watts * busy_hours
        return DAYS_PER_MONTH * watt_hours / 1000

    @property
    def busy_minutes(self) -> float:
        """Minutes a day in which the GPU works."""
        return self.requests_per_day * self.seconds_per_request / 60


def impossible(use: Use) -> str | None:
    """Why nobody can use the service like this; ``None`` where one can."""
    run = prices().cloud_run
    regions = sorted({*run.tier_1_regions, *run.tier_2_regions})
    if use.region not in regions:
        return f"{use.region!r} is no region of Cloud Run; there are: {', '.join(regions)}"
    picture_mb = use.picture_pixels * PICTURE_BYTES_PER_PIXEL / 1e6
    if picture_mb > LARGEST_BODY_MB:
        return (
            f"a picture of {use.picture_pixels:,} pixels has about {picture_mb:,.0f} MB, and a "
            f"request {LARGEST_BODY_MB} at most (`limits.bodyMb`); make it smaller before"
        )
    for minutes, what in (
        (use.home_hours_per_day * 60, "home is on"),
        (use.awake_minutes, "the gateway is awake"),
    ):
        if use.busy_minutes > minutes:
            return (
                f"{use.requests_per_day:,} requests a day keep the GPU busy for "
                f"{use.busy_minutes:,.1f} minutes, and {what} for {minutes:,.0f}"
            )
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """US dollars a month, before tax."""

    cloud_run: float
    registry: float
    secrets: float
    egress: float
    electricity: float
    ephemeral_minutes: float
    """Minutes a month of ephemeral nodes, which Tailscale's free plan limits."""
    free_ephemeral_minutes: int
    read_on: date

    @property
    def cloud(self) -> float:
        return self.cloud_run + self.registry + self.secrets + self.egress

    @property
    def total(self) -> float:
        return self.cloud + self.electricity


def bill(use: Use) -> Bill:
    """Cloud Run, registry, secrets, egress, Tailscale's ephemeral minutes and electricity."""
    known = prices()
    minutes = use.awake_minutes * DAYS_PER_MONTH
    starts = min(use.requests_per_day * DAYS_PER_MONTH, minutes / known.cloud_run.idle_minutes)
    reads = max(0, SECRETS * starts - known.secrets.free_reads)
    versions = max(0, SECRETS - known.secrets.free_versions)
    kwh_usd = known.home.kwh if use.kwh_usd is None else use.kwh_usd
    return Bill(
        cloud_run=months_use(use.region, minutes * 60).usd,
        registry=max(0, IMAGES_GB - known.registry.free_gb) * known.registry.gb_month,
        secrets=versions * known.secrets.version_month + reads * known.secrets.read,
        egress=use.egress_gb * known.egress.gb,
        electricity=use.kwh * kwh_usd,
        ephemeral_minutes=minutes,
        free_ephemeral_minutes=known.tailscale.ephemeral_minutes,
        read_on=known.read_on,
    )
