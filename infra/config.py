"""Every setting of a stack, as frozen models.

Secrets stay out of these models; a Pydantic field would hold the plain text. Without Pulumi, whose
import takes a quarter of a second: commands read settings, too.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel

from app.model.forecast.plan import refusal
from app.model.profiles import PROFILES, RTX_3090_GIB, ProfileName
from infra import key_names

SETTINGS_KEY = "settings"
"""The key in the stack's file under which all settings stand."""
LARGEST_BODY_MB = 31
"""Cloud Run takes 32 MiB over HTTP/1."""
DEFAULT_REGION = "asia-northeast3"
TRAEFIK_TIMEOUT_SECONDS = 330
"""Longer than Cloud Run's longest here, so that the outer hop always gives up first."""
SOCKS_DIAL_SECONDS = 5
"""tailscaled gives up a dial through its SOCKS port after this time (net/socks5, 1.102.3)."""


def _with_a_version(image: str) -> str:
    name, _, digest = image.partition("@")
    tag = name.rpartition("/")[2].partition(":")[2]
    if tag == "latest" or not (tag or digest):
        raise ValueError(
            f"{image} does not say which version; write a tag such as name:1.2.3 (never latest) "
            "or a digest, name@sha256:..."
        )
    return image


Image = Annotated[str, AfterValidator(_with_a_version)]


class _Section(BaseModel):
    # extra="forbid": a misspelled key is an error, not a setting silently ignored.
    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        populate_by_name=True,
        use_attribute_docstrings=True,
    )


class Budget(_Section):
    """An alert by e-mail; without it there is none. It stops nothing."""

    billing_account: Annotated[str, Field(pattern=r"^[0-9A-F]{6}(-[0-9A-F]{6}){2}$")]
    """Its id, as `gcloud billing accounts list` shows it."""
    usd_per_month: Annotated[int, Field(ge=1)] = 10
    """Mails come at half of it, at 90 % and at the whole sum. The account must be in dollars."""


class Fallback(_Section):
    """Another OpenAI-compatible service that takes questions, with their pictures, while home is
    off. Its key is a secret: `pulumi config set --secret personal-cloud-hub:fallbackKey`."""

    url: Annotated[str, Field(pattern=r"^https://[\w.:-]+(/[\w./-]*)?$")]
    """Its base URL as a client would write it, such as `https://api.example.com/v1`."""
    model: Annotated[str, Field(pattern=r"^[\w./:@-]+$")]
    """The model's name there; it must read pictures."""


class Cloud(_Section):
    """Google's side."""

    project: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{4,28}[a-z0-9]$")]
    """Google Cloud project id."""
    region: Annotated[str, Field(pattern=r"^[a-z]+-[a-z]+\d+$")] = DEFAULT_REGION
    """Google Cloud region of the gateway."""
    timeout_seconds: Annotated[int, Field(ge=30, le=300)] = 300
    """How long a request may take, the start of an instance included."""
    hold_seconds: Annotated[int, Field(ge=1, le=60)] = 6
    """How long a request is held while home has not answered yet; tries every 5 s within it.
    None is held once home counts as off, after 5 to 10 s. Above 8, a home that falls silent is
    given up that much later."""
    concurrency: Annotated[int, Field(ge=1, le=1000)] = 50
    """Requests one instance serves at once; with one instance, all there are."""
    # renovate: datasource=docker depName=library/caddy
    caddy_image: Image = "library/caddy:2.11.7"
    """On Docker Hub, read through the project's own Artifact Registry repository."""
    # renovate: datasource=docker depName=tailscale/tailscale
    tailscale_image: Image = "tailscale/tailscale:v1.102.3"
    """The official image, from the same repository."""
    allowed_origins: tuple[Annotated[str, Field(pattern=r"^https?://[^/\s]+$")], ...] = ()
    """Web pages that may ask from a browser, such as `https://robots.example`. Their users can read
    the key."""
    fallback: Fallback | None = None
    budget: Budget | None = None

    @model_validator(mode="after")
    def _held_requests_end_in_time(self) -> Self:
        longest = self.timeout_seconds - SOCKS_DIAL_SECONDS
        if self.hold_seconds > longest:
            raise ValueError(
                f"holdSeconds {self.hold_seconds} is too long: a held request ends up to "
                f"{SOCKS_DIAL_SECONDS} s after it, which must be within timeoutSeconds "
                f"{self.timeout_seconds}; write {longest} or less"
            )
        return self


class Tailnet(_Section):
    """The tunnel between the two."""

    join_with: Literal["authKey", "workloadIdentity"] = "authKey"
    """``workloadIdentity`` stores no key at all; Tailscale's own control server only."""
    control_url: Annotated[str, Field(pattern=r"^https?://[^/]+$")] | None = None
    """A control server other than Tailscale's, for example headscale."""
    key_days: Annotated[int, Field(ge=1, le=90)] = 90
    """How long the auth key is valid; 90 days is Tailscale's limit. `pulumi up` renews it when
    30 are left, or half of a shorter life."""
    mtu: Annotated[int, Field(ge=576, le=1280)] = 1024
    """Inside the tunnel, bytes; lower it where large requests hang and small ones do not."""

    @model_validator(mode="after")
    def _identity_needs_tailscale(self) -> Self:
        if self.join_with == "workloadIdentity" and self.control_url is not None:
            raise ValueError(
                "joinWith: workloadIdentity works with Tailscale's own control server only; "
                "remove controlUrl or write joinWith: authKey"
            )
        return self


class Wake(_Section):
    """A question that arrives while home sleeps switches it on: another device of the tailnet, in
    home's LAN, sends the packet. `hub home waker` sets that device up and prints these lines."""

    through: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+\.\d+$")]
    """That device's tailnet address, `100.x.y.z`; the tailnet's policy has to let the gateway reach
    it (`hub policy --waker ADDRESS`)."""
    seconds: Annotated[int, Field(ge=1, le=600)] = 90
    """From the packet until home answers the gateway, if only that its model is still loading. The
    gateway does not wait that long: it refuses the question with this as `Retry-After`, and the
    client asks again."""


class Home(_Section):
    """The machine with the GPU."""

    host: Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$")] = "home"
    """Its name in the tailnet."""
    kube_context: str | None = None
    """Context in the kubeconfig; the current one if not set."""
    gpu_memory_gib: Annotated[float, Field(gt=0, le=200)] = RTX_3090_GIB
    """What CUDA reports for an RTX 3090 (``torch.cuda.mem_get_info``), which is less than the 24.0
    that ``nvidia-smi`` shows."""
    gpu_slices: Annotated[int, Field(ge=2, le=48)] = 10
    """How many pods may share the GPU's time. Its memory is not divided."""
    line_mbits: Annotated[int, Field(ge=5, le=100_000)] = 100
    """How fast home downloads, Mbit/s: deadlines leave time for the image and the weights."""
    tailnet_only: bool = False
    """Close this machine's ports 80 and 443 to all but the tailnet, for other Ingresses, too."""
    traefik_values: dict[str, Any] = Field(default_factory=dict[str, Any])
    """Your own values for K3s' Traefik chart; this program adds its own and wins over yours."""
    wake: Wake | None = None
    take_over: bool = False
    """Replace what somebody else has made at home under a name of this program's, such as the
    HelmChartConfig `traefik`."""


class Model(_Section):
    """What is served."""

    profile: ProfileName = "7b"
    """A model with the flags and the memory it needs (`app/model/profiles.py`)."""
    revision: Annotated[str, Field(pattern=r"^([\w.-]+/[\w.-]+@)?[0-9a-f]{40}$")] | None = None
    """Another commit than the profile's own: `REPOSITORY@COMMIT`, 40 hex digits."""
    # renovate: datasource=docker depName=vllm/vllm-openai
    image: Image = "vllm/vllm-openai:v0.33.0"
    """Use 0.24.0 or later: in earlier versions a request can stop the server (CVE-2026-55514,
    CVE-2026-55574, CVE-2026-54234)."""
    even_if_too_large: bool = False
    """Deploy although the forecast says that the model does not fit; vLLM decides at its start."""

    @model_validator(mode="after")
    def _the_revision_is_of_this_model(self) -> Self:
        model = PROFILES[self.profile].model
        write = (
            f"write revision: {model}@COMMIT, with a commit from "
            f"https://huggingface.co/{model}/commits/main"
        )
        if self.revision is None:
            return self
        repository, at, commit = self.revision.rpartition("@")
        if at:
            if repository != model:
                raise ValueError(
                    f"revision is a commit of {repository}, and profile {self.profile} is "
                    f"{model}; remove revision, or {write}"
                )
        elif commit != PROFILES[self.profile].revision:
            owner = next((p.model for p in PROFILES.values() if p.revision == commit), None)
            of = f"is a commit of {owner}" if owner else "does not say which repository it is of"
            raise ValueError(
                f"revision {of}, and profile {self.profile} is {model}; remove revision, or {write}"
            )
        return self

    @property
    def commit(self) -> str:
        """What is served of the profile's repository, 40 hex digits."""
        return (self.revision or PROFILES[self.profile].revision).rpartition("@")[2]


class Limits(_Section):
    """What one client may do, with all its keys together."""

    requests_per_minute: Annotated[int, Field(ge=1)] = 120
    """On average; above it the next one gets 429."""
    burst: Annotated[int, Field(ge=1)] = 40
    """Requests that may come at once before the average counts."""
    in_flight: Annotated[int, Field(ge=1)] = 40
    """Requests of one key at once, those that wait at the model server included; the next one gets
    429."""
    body_mb: Annotated[int, Field(ge=1, le=LARGEST_BODY_MB)] = 20
    """Largest request, MB; Cloud Run itself refuses more than 32 MiB."""


class Settings(_Section):
    """Everything ``personal-cloud-hub:settings`` may say."""

    api_keys: Annotated[tuple[str, ...], Field(min_length=1)]
    """A name for each client; each gets a key of its own. Remove a name to revoke its key.
    `robot.2` is the second key of `robot`, accepted beside the first while both stand here."""
    cloud: Cloud
    tailnet: Tailnet = Tailnet()
    home: Home = Home()
    model: Model = Model()
    limits: Limits = Limits()

    @field_validator("api_keys")
    @classmethod
    def _names_can_be_told_apart(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        key_names.check(names)
        return names

    @model_validator(mode="after")
    def _the_model_fits_the_gpu(self) -> Self:
        told = refusal(self.model.profile, self.home.gpu_memory_gib)
        if told and not self.model.even_if_too_large:
            raise ValueError(
                f"model.{told}; change model.profile, correct home.gpuMemoryGib, or write "
                "model.evenIfTooLarge: true to let vLLM decide"
            )
        return self
