"""What the doctor sees of a deployment: facts only, gathered by asking; no judgement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from doctor.hops import Hop
from infra.home_k3s.names import NAMESPACE

GATEWAYS_OWN = frozenset(
    {
        *("gateway_error", "unknown_url", "request_too_slow", "request_cancelled"),
        *("request_too_large", "invalid_api_key", "rate_limit_exceeded", "too_many_at_once"),
        *("home_unavailable", "home_waking", "home_lost", "home_misconfigured"),
        "model_unavailable",
    }
)
"""Errors that the gateway says in its own words and for itself (docs/api.md)."""


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What came back for one request."""

    asked: str
    """What it was, in words: ``GET /health``, ``a request of 64 kB``."""
    seconds: float
    status: int | None = None
    """``None``: no answer; ``failure`` says why."""
    code: str = ""
    """Of an error in OpenAI's form."""
    in_gateways_form: bool = False
    """The gateway's own mark, X-Request-Id, is on it."""
    words: str = ""
    failure: str = ""
    connected: bool = True
    connected_seconds: float | None = None
    """Until the connection was there: name, TCP and TLS."""
    home_seconds: float | None = None
    """As the gateway measured it: from the request's arrival there to home's first byte."""
    by_fallback: bool = False
    """Another service answered, as one does while home is off (``cloud.fallback``)."""
    clock_ahead: float | None = None
    """Seconds by which the answer's ``Date`` is ahead of this computer's clock."""

    @property
    def good(self) -> bool:
        """The model server itself answered, through the gateway."""
        return self.status == 200 and self.in_gateways_form and not self.by_fallback

    @property
    def home_is_silent(self) -> bool:
        """The gateway gets nothing from home."""
        return self.by_fallback or self.code in {"home_unavailable", "home_waking", "home_lost"}

    @property
    def limited(self) -> bool:
        """The limits of its key refused it, at home's Traefik."""
        return self.code in {"rate_limit_exceeded", "too_many_at_once"}

    @property
    def by_model_server(self) -> bool:
        """Its answer, whatever it is."""
        passed_on = self.status is not None and self.in_gateways_form and not self.by_fallback
        return passed_on and self.code not in GATEWAYS_OWN

    @property
    def was_read(self) -> bool:
        """The model server refused it as meant, after all of it; or it is larger than allowed."""
        return self.status in {404, 413} and self.code != "unknown_url"

    @property
    def ended_with(self) -> str:
        return self.failure or f"{self.status} {self.code or self.words[:80]}".strip()


@dataclass(frozen=True, kw_only=True)
class Requests:
    """The questions of a client, in their order; after one that failed the rest is not asked."""

    health: Reply
    models: Reply | None = None
    generation: Reply | None = None
    picture: Reply | None = None
    bodies: tuple[Reply, ...] = ()
    """Growing ones; each is refused by the model server after it has read all of it."""

    @property
    def nobody_answers(self) -> bool:
        """The address takes connections, and the gateway behind it says nothing."""
        return self.health.connected and not self.health.in_gateways_form

    @property
    def crossed_in_packets(self) -> bool:
        """A body that needs more than one packet was read: the path carries full ones."""
        return any(reply.was_read for reply in self.bodies[1:])


@dataclass(frozen=True, kw_only=True)
class Program:
    """A program that runs on this machine, for a hop of the path."""

    hop: Hop
    name: str
    state: str
    """``running``, ``stopped`` (it exists and does nothing) or ``ended``."""


@dataclass(frozen=True, kw_only=True)
class Service:
    """The gateway's service at Cloud Run."""

    deployed: bool
    instances: int = 0
    revision: str = ""
    failure: str = ""
    """Why the last instance, or the last deployment, did not start."""
    last_words: str = ""
    """Of the container that did not start."""


@dataclass(frozen=True, kw_only=True)
class Node:
    """A machine of the tailnet."""

    name: str
    online: bool
    tags: tuple[str, ...]
    path: str = ""
    """``direct``, or ``relayed`` by which relay, where that is known."""


@dataclass(frozen=True, kw_only=True)
class Tailnet:
    nodes: tuple[Node, ...]
    home_answers: bool | None = None
    """To a ping of the tailnet itself, which no policy and no port is in the way of; ``None``:
    nobody could try."""
    whole: bool = True
    """Every machine is listed, as by the control server. One machine is told only of those that the
    policy lets it meet: the owner's computer is not told of the gateway."""


@dataclass(frozen=True, kw_only=True)
class Pod:
    name: str
    phase: str
    ready: bool
    restarts: int = 0
    reason: str = ""
    """Why it waits, or why its container ended the last time."""
    killed: bool = False
    """Its container ended by SIGKILL the last time."""
    unplaced: bool = False
    """No node takes it yet."""
    never_began: bool = False
    """Kubernetes cannot begin its container, so it has no log."""
    last_words: str = ""
    event: str = ""
    """The newest warning that Kubernetes has written of it."""
    works_on: str = ""
    """vLLM's requests, in its log's words, if it has just written tokens and has more to write."""


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """Home's Kubernetes."""

    ours: bool = False
    """It has this program's namespace."""
    node_ready: bool
    """The model server's node; before its pod has one, any."""
    node_reason: str = ""
    gpus: int = 0
    """That it offers to pods."""
    ingress: bool = False
    """There is one, and it names a Service that exists."""
    entry: tuple[Pod, ...] | None = None
    """Traefik's pods; ``None`` where Traefik is no pod."""
    endpoints: int = 0
    """Addresses behind the Service that are ready."""
    desired: int | None = None
    """Replicas of the model server; ``None``: there is no such Deployment."""
    unmade: str = ""
    """Why Kubernetes makes no pod of it."""
    pods: tuple[Pod, ...] = ()
    """The model server's, oldest first, without those that are ending."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """What the next deployment would do to one object."""

    op: str
    """As Pulumi says it: ``update``, ``create``, ``replace``, ``delete``."""
    kind: str
    """Pulumi's type token, such as ``kubernetes:core/v1:Service``."""
    name: str
    """Its name in the program."""
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class NotSeen:
    """A side that could not be looked at."""

    why: str


@dataclass(frozen=True, kw_only=True)
class Observations:
    """All that diagnosis works from."""

    home: str
    """Home's name in the tailnet, as the settings have it."""
    up: str
    """The command that deploys this stack."""
    refresh: str
    """The same after a look at what is there: what was changed by hand, or revoked, is not noticed
    without it."""
    kubectl: str
    """How kubectl is called for this stack's cluster."""
    gateway_log: str
    """The command that prints the gateway's last lines."""
    take: str
    """The command that starts a model server that was scaled to 0."""
    url: str
    requests: Requests
    service: Service | NotSeen
    tailnet: Tailnet | NotSeen
    auth_key: datetime | NotSeen | None
    """When the gateway's expires; ``None``: there is none that lets an instance in."""
    key_days: int
    """How long an auth key lives, as the settings have it."""
    cluster: Cluster | NotSeen
    minutes: float | NotSeen
    """That the gateway's instances ran this month, in UTC."""
    free_minutes: int | None
    """Of those that the tailnet's plan has for ephemeral nodes; none on one of your own."""
    programs: tuple[Program, ...] = ()
    seconds: Mapping[Hop, float] = field(default_factory=dict[Hop, float])
    """That looking at a side took."""
    address_expires: datetime | None = None
    """The certificate of the service's address, where it has one."""
    kubeconfig_expires: datetime | None = None
    """The owner's certificate in the kubeconfig, where there is one."""
    drift: tuple[Change, ...] | NotSeen = ()
    """What is not as it was declared; nothing where nobody asked."""
    now: datetime

    def made_anew(self, what: str) -> str:
        """The commands that replace one of home's objects, whatever was added to it by hand.

        A refresh compares what the program says and nothing more (``pruneMap`` and ``pruneSlice``
        in the Kubernetes provider's ``pkg/provider/util.go``), so an `up` leaves what was added.
        """
        return f"{self.kubectl} -n {NAMESPACE} delete {what}; {self.refresh}"
