"""What the doctor sees of a deployment: facts only, gathered by asking; no judgement."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from doctor.hops import Hop


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
    clock_ahead: float | None = None
    """Seconds by which the answer's ``Date`` is ahead of this computer's clock."""

    @property
    def good(self) -> bool:
        return self.status == 200


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
    def crossed_in_packets(self) -> bool:
        """A body that needs more than one packet was read: the path carries full ones."""
        return any(reply.status is not None for reply in self.bodies[1:])


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
    last_words: str = ""


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """Home's Kubernetes."""

    node_ready: bool
    node_reason: str = ""
    gpus: int = 0
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
    take: str
    """The command that starts a model server that was scaled to 0."""
    requests: Requests
    service: Service | NotSeen
    tailnet: Tailnet | NotSeen
    auth_key: datetime | NotSeen | None
    """When the gateway's expires; ``None``: there is none that lets an instance in."""
    cluster: Cluster | NotSeen
    minutes: float | NotSeen
    """That the gateway's instances ran this month, in UTC."""
    free_minutes: int | None
    """Of those that the tailnet's plan has for ephemeral nodes; none on one of your own."""
    programs: tuple[Program, ...] = ()
    address_expires: datetime | None = None
    """The certificate of the service's address, where it has one."""
    kubeconfig_expires: datetime | None = None
    """The owner's certificate in the kubeconfig, where there is one."""
    drift: tuple[Change, ...] | NotSeen = ()
    """What is not as it was declared; nothing where nobody asked."""
    now: datetime
