"""The scenario that emulators and originals go through: what is wished for, step by step."""

from __future__ import annotations

from dataclasses import dataclass, replace

NAMESPACE = "conformance"
GOOD_IMAGE = "docker.io/library/caddy:2.11.7"


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What the scenario's program declares."""

    changed: bool = False
    """Something else in every object."""
    dropped: bool = False
    """A key, a label and an annotation less."""
    theirs: bool = False
    """Also an object that somebody else has made before."""
    upsert: bool = True
    retain: bool = True
    config_name: str = "config"
    image: str = GOOD_IMAGE
    timeout: str = "2m"


@dataclass(frozen=True, kw_only=True)
class Step:
    """One command of Pulumi's, after what somebody did by hand."""

    name: str
    command: str
    """``up``, ``refresh`` or ``destroy``; each is previewed before."""
    wish: Wish = Wish()
    by_hand: tuple[tuple[str, ...], ...] = ()
    """Calls of kubectl."""
    may_fail: bool = False
    at_the_deadline: bool = False
    """It fails by waiting, so not where a provider believes that what was there before is new."""


def _kubectl(line: str) -> tuple[str, ...]:
    return (*line.split(), "--namespace", NAMESPACE)


CHANGED = Wish(changed=True)
DROPPED = replace(CHANGED, dropped=True)
TAKEN_OVER = replace(DROPPED, theirs=True)
RENAMED = replace(TAKEN_OVER, config_name="renamed")
STEPS = (
    Step(name="up", command="up"),
    Step(name="no change", command="up"),
    Step(name="a change of each kind", command="up", wish=CHANGED),
    Step(name="a field dropped", command="up", wish=DROPPED),
    Step(
        name="somebody else's object, without upsert",
        command="up",
        wish=replace(TAKEN_OVER, upsert=False),
        by_hand=(_kubectl("create configmap theirs --from-literal=theirs=1"),),
        may_fail=True,
    ),
    Step(name="somebody else's object", command="up", wish=TAKEN_OVER),
    Step(name="another name", command="up", wish=RENAMED),
    Step(
        name="refresh after hand edits",
        command="refresh",
        wish=RENAMED,
        by_hand=(
            _kubectl('patch configmap renamed --type merge -p {"data":{"kept":"hand","more":"1"}}'),
            _kubectl("scale deployment echo --replicas 2"),
            _kubectl("delete resourcequota quota"),
        ),
    ),
    Step(name="up after hand edits", command="up", wish=RENAMED),
    Step(
        name="a rollout that fails",
        command="up",
        wish=replace(RENAMED, image="docker.io/library/caddi:1", timeout="10s"),
        may_fail=True,
        at_the_deadline=True,
    ),
    Step(name="the rollout mended", command="up", wish=RENAMED),
    Step(name="destroy", command="destroy", wish=RENAMED),
    Step(name="adopt", command="up", wish=RENAMED),
    Step(name="kept no longer", command="up", wish=replace(RENAMED, retain=False)),
    Step(name="destroy for good", command="destroy", wish=replace(RENAMED, retain=False)),
)
