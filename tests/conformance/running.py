"""Run the scenario with one set of providers, and write down all that it does and leaves."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

from tests.conformance.steps import NAMESPACE, STEPS, Step
from twin.engine import ROOT

PROGRAM = Path(__file__).parent / "program"
STACK = "conformance"
KINDS = (
    *("configmap", "secret", "resourcequota", "networkpolicy", "deployment", "daemonset"),
    *("service", "ingress", "middleware", "serverstransport", "helmchartconfig"),
)
"""Those of the scenario's program in its namespace."""
WHOLE = ("-o", "json", "--show-managed-fields")
LONGEST_SECONDS = 240
"""One command of Pulumi's, on a busy machine."""
MORE_TRIES = 3
"""Where a provider took what was there before for the new: seldom, and on a busy machine."""

Facts = dict[str, Any]
"""What was seen at one place, by a path such as ``diff/config/data.kept``."""


@dataclass(frozen=True)
class Providers:
    """Which providers the engine gets: emulators at ports, or programs on PATH."""

    name: str
    environment: Mapping[str, str]
    folder: Path
    """For the engine's state."""
    kubeconfig: Path
    may_lag: tuple[str, ...] = ()
    """Kinds whose update may be taken for done, and whose state may be older than the object, by a
    look at what was there before."""
    seen: dict[str, Facts] = field(default_factory=dict[str, Facts])
    """What was seen, by step."""
    uids: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    """Of the objects in the namespace after each step."""

    def run_scenario(self) -> None:
        """All steps; a stack is made first, the namespace is gone at the end.

        Raises:
            AssertionError: a step fails that should not.
        """
        self.folder.mkdir()
        self._pulumi(STEPS[0], "stack", "init", STACK)
        try:
            for before, step in pairwise((STEPS[0], *STEPS)):
                self._run(step, before)
        finally:
            (self.folder / "seen.json").write_text(json.dumps(self.seen, indent=1))
            self.kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", check=False)

    def _run(self, step: Step, before: Step) -> None:
        for line in step.by_hand:
            self.kubectl(*line)
        facts = self._commands(step)
        for _ in range(MORE_TRIES if step.at_the_deadline and self.may_lag else 0):
            if facts["exit"] == "fails":
                break
            self._command(before, "run")
            facts = self._commands(step)
        objects = self._objects(step)
        state, lags = self._state(step, objects)
        if lags:
            # Otherwise the next step would find a difference that nobody has made.
            self._pulumi(step, "refresh", "--yes", "--skip-preview", "--stack", STACK)
        facts |= state
        facts |= objects
        self.seen[step.name] = facts

    def _commands(self, step: Step) -> Facts:
        previewed = self._command(step, "preview")
        facts = {f"preview/{path}": value for path, value in previewed.items()}
        return facts | self._command(step, "run")

    def _command(self, step: Step, stage: str) -> Facts:
        log = self.folder / "events"
        log.unlink(missing_ok=True)
        line = [step.command, "--yes", "--skip-preview"]
        if stage == "preview":
            line = ["preview"] if step.command == "up" else [step.command, "--preview-only"]
        done = self._pulumi(step, *line, "--stack", STACK, "--event-log", str(log))
        if stage == "run":
            shown = f"{self.name}, {step.name}: {done.stdout}{done.stderr}"
            assert done.returncode == 0 or step.may_fail, shown
        facts = dict(_events(log)) if log.exists() else {}
        return facts | {"exit": "fails" if done.returncode else "succeeds"}

    def _state(self, step: Step, objects: Facts) -> tuple[Facts, bool]:
        """The engine's, and whether a kind that may lag does."""
        exported = json.loads(self._pulumi(step, "stack", "export", "--stack", STACK).stdout)
        facts: Facts = {}
        lags = False
        for resource in exported["deployment"].get("resources", []):
            if resource["type"] == "pulumi:pulumi:Stack":
                continue
            name = resource["urn"].rpartition("::")[2]
            is_provider = resource["type"].startswith("pulumi:providers:")
            for what in ("inputs", "outputs") if is_provider else ("id", "inputs", "outputs"):
                facts |= dict(flat(resource.get(what), f"state/{name}/{what}"))
            if resource.get("outputs", {}).get("kind") in self.may_lag:
                told = facts
                facts = caught_up(told, f"state/{name}/outputs", resource, objects)
                lags |= any(told.get(path, value) != value for path, value in facts.items())
        return {path: value for path, value in facts.items() if not _varies(path)}, lags

    def _objects(self, step: Step) -> Facts:
        inside = (",".join(KINDS), "--namespace", NAMESPACE)
        itself = ("namespaces", f"--field-selector=metadata.name={NAMESPACE}")
        listed = [
            one
            for these in (inside, itself)
            for one in json.loads(self.kubectl("get", *these, *WHOLE))["items"]
        ]
        facts: Facts = {}
        before = list(self.uids.values())[-1:] or [{}]
        self.uids[step.name] = {_name(one): one["metadata"]["uid"] for one in listed}
        for one in listed:
            name, metadata = _name(one), one["metadata"]
            if metadata["name"] == "kube-root-ca.crt":
                continue  # the cluster's own
            is_kept = before[0].get(name, metadata["uid"]) == metadata["uid"]
            facts[f"objects/{name}/identity"] = "kept" if is_kept else "new"
            facts |= dict(_owned(metadata.pop("managedFields"), f"objects/{name}"))
            facts |= dict(flat(one, f"objects/{name}"))
        return {path: value for path, value in facts.items() if not _varies(path)}

    def _pulumi(self, step: Step, *line: str) -> subprocess.CompletedProcess[str]:
        env = {
            **self.environment,
            "KUBECONFIG": str(self.kubeconfig),
            "PULUMI_BACKEND_URL": f"file://{self.folder}",
            "PULUMI_CONFIG_PASSPHRASE": "",
            "PULUMI_DEBUG_COMMANDS": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            # The same setting as the program's `enable_patch_force`, which 4.25.0 does not know.
            "PULUMI_K8S_ENABLE_PATCH_FORCE": "true",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PYTHONPATH": str(ROOT),
            "CONFORMANCE": json.dumps(asdict(step.wish)),
        }
        return subprocess.run(
            ["pulumi", *line, "--non-interactive"],
            cwd=PROGRAM,
            env=env,
            capture_output=True,
            text=True,
            timeout=LONGEST_SECONDS,
            check=False,
        )

    def kubectl(self, *line: str, check: bool = True) -> str:
        env = {**os.environ, "KUBECONFIG": str(self.kubeconfig)}
        return subprocess.run(
            ["kubectl", *line],
            env=env,
            capture_output=True,
            text=True,
            timeout=LONGEST_SECONDS,
            check=check,
        ).stdout


def _events(log: Path) -> Iterator[tuple[str, Any]]:
    """What the engine does about each resource, and what it says."""
    messages: dict[str, list[str]] = {}
    for line in log.read_text().splitlines():
        event = json.loads(line)
        if before := event.get("resourcePreEvent"):
            metadata = before["metadata"]
            name = metadata["urn"].rpartition("::")[2]
            if name.startswith("conformance-"):
                continue  # the stack itself
            yield f"operation/{name}", metadata["op"]
            details: dict[str, dict[str, str]] = metadata.get("detailedDiff") or {}
            for path, change in details.items():
                yield f"diff/{name}/{path}", change["diffKind"]
        elif (said := event.get("diagnosticEvent")) and said["severity"] in ("warning", "error"):
            name = said.get("urn", "").rpartition("::")[2]
            if said["severity"] == "warning" and name:
                continue  # what is not so yet, also where a refresh comes before a pod is ready
            messages.setdefault(f"{said['severity']}/{name}", []).append(_plain(said["message"]))
    for path, lines in messages.items():
        if text := "\n".join(filter(None, lines)):
            yield path, text


def caught_up(facts: Facts, path: str, resource: Mapping[str, Any], objects: Facts) -> Facts:
    """The state's facts with its wishes below ``path`` as the cluster has them, where it does."""
    there = f"objects/{_name(resource['outputs'])}/"
    for wished in ("spec/", "metadata/annotations/"):
        now = {
            p.replace(there, f"{path}/", 1): value
            for p, value in objects.items()
            if p.startswith(there + wished)
        }
        if now:
            facts = {p: v for p, v in facts.items() if not p.startswith(f"{path}/{wished}")} | now
    return facts


def _name(one: Mapping[str, Any]) -> str:
    return f"{one['kind']} {one['metadata']['name']}"


def _owned(managers: Iterable[Mapping[str, Any]], path: str) -> Iterator[tuple[str, Any]]:
    """Who owns which field, but for the status."""
    for one in managers:
        if "subresource" not in one:
            for owned, _ in flat(one["fieldsV1"], ""):
                yield f"{path}/owned by {one['manager']}/{one['operation']}{owned}", True


def _plain(message: str) -> str:
    """Without colours and names that vary."""
    message = re.sub(r"<\{%.*?%\}>", "", message)
    message = re.sub(r"using pulumi-resource-\w+ from \$PATH at .*\n", "", message).strip()
    return re.sub(r"echo-[0-9a-z]{6,10}(-[0-9a-z]{5})?", "echo-…", message)


def flat(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Each leaf of parsed JSON with its path."""
    if isinstance(value, dict) and SECRET in value:
        yield path, "a secret"
    elif isinstance(value, dict) and value:
        for key, inner in cast("dict[str, Any]", value).items():
            yield from flat(inner, f"{path}/{key}")
    elif isinstance(value, list) and value:
        for index, inner in enumerate(cast("list[Any]", value)):
            yield from flat(inner, f"{path}/{index}")
    elif value is not None:
        yield path, value


SECRET = "4dabf18193072939515e22adb298388d"
"""``sdk/go/common/resource/sig/sig.go``: marks a secret in the state."""
VARIES = re.compile(
    r"/(resourceVersion|creationTimestamp|uid|generation|clusterIP|clusterIPs/\d+|time"
    r"|nodePort)$|/status(/|$)|/Secret secret/data/"
    r"|/kubectl.kubernetes.io~1|deployment.kubernetes.io/revision$"
)


def _varies(path: str) -> bool:
    """From run to run, with the same providers."""
    return bool(VARIES.search(path))
