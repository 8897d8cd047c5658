"""A month's bill for a given use, from ``infra/gcp/prices.yaml``. Calculated, not measured."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from infra.gcp.costs import months_use, prices

DAYS = 365 / 12
"""Of a month."""
HOURS_OF_A_DAY = 24
SECRETS = 4
"""Versions that the program keeps: API keys, gateway's key, Caddyfile, auth key."""
IMAGES_GB = 0.1
"""Caddy's and Tailscale's image in the mirror, compressed: an estimate."""
ANSWER_BYTES_PER_TOKEN = 216
"""Of a streamed answer, one event of JSON for each: 43,569 bytes for 200 tokens, 11,114 for 50
(vLLM 0.32.0 with the twin's model)."""
PICTURE_BYTES_PER_PIXEL = 0.5
"""JPEG of the client's quality 90, and a third more in base64. An estimate; one photograph full of
detail had 0.53."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What is asked of the service."""

    region: str = "asia-northeast3"
    requests_per_day: int = 50
    awake_minutes_per_day: float | None = None
    """How long the gateway's instance lives. ``None``: each request comes alone and keeps it for
    the whole idle time, up to the whole day."""
    picture_pixels: int = 1024 * 768
    answer_tokens: int = 300
    seconds_per_request: float = 10
    """How long the GPU works for one."""
    home_hours_per_day: float = HOURS_OF_A_DAY
    kwh_usd: float | None = None
    idle_watts: float | None = None
    """Of the whole machine at home while nobody asks. ``None``: as ``prices.yaml`` has it."""

    @property
    def awake_minutes(self) -> float:
        """A day."""
        if self.awake_minutes_per_day is not None:
            return self.awake_minutes_per_day
        alone = self.requests_per_day * prices().cloud_run.idle_minutes
        return min(alone, HOURS_OF_A_DAY * 60)

    @property
    def egress_gb(self) -> float:
        """A month: each picture leaves Google's network through the tunnel, each answer to the
        client."""
        picture = self.picture_pixels * PICTURE_BYTES_PER_PIXEL
        answer = self.answer_tokens * ANSWER_BYTES_PER_TOKEN
        return self.requests_per_day * DAYS * (picture + answer) / 1e9

    @property
    def kwh(self) -> float:
        """A month: idle while home is on, and the GPU's draw on top while it works."""
        watts = prices().home
        idle = watts.idle_watts if self.idle_watts is None else self.idle_watts
        busy_hours = self.requests_per_day * self.seconds_per_request / 3600
        return DAYS * (idle * self.home_hours_per_day + watts.busy_watts * busy_hours) / 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """US dollars a month, before tax."""

    cloud_run: float
    registry: float
    secrets: float
    egress: float
    electricity: float
    ephemeral_minutes: float
    """Of Tailscale's free plan."""
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
    minutes = use.awake_minutes * DAYS
    starts = min(use.requests_per_day * DAYS, minutes / known.cloud_run.idle_minutes)
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
