"""A node as K3s has it, in namespaces of its own: kubelet, containerd, network policy controller.

Run as the first process of a process tree in private mounts, in home's network. It writes nothing
that outlives it but the control groups, and changes no setting of the machine: where the kubelet
would write one of the kernel's, it finds a file that says what it wants.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

from infra.home_k3s.names import MODEL_CACHE
from tests.support.waiting import until
from twin.listening import listens

KERNEL_SETTINGS = {
    "vm/overcommit_memory": 1,
    "vm/panic_on_oom": 0,
    "kernel/panic": 10,
    "kernel/panic_on_oops": 1,
    "kernel/keys/root_maxkeys": 1_000_000,
    "kernel/keys/root_maxbytes": 25_000_000,
}
"""What a kubelet wants (``pkg/kubelet/cm/container_manager_linux.go``), and would write."""
OF_THE_NETWORK = {"net/ipv4/ip_forward": 1, "net/bridge/bridge-nf-call-iptables": 1}
"""What K3s sets for its pods; both belong to the network namespace."""
ON_DISK = ("/var/lib", "/var/log")
"""With the fixed places of kubelet, containerd and CNI plugins that outlive a restart."""
SOCKET = "/run/containerd/containerd.sock"
PAUSE = "registry.k8s.io/pause:3.10"
CLUSTER_DNS = "10.43.0.10"
"""As K3s has it; nobody answers there."""
START_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What the node is made of; all of it survives a trip through JSON."""

    folder: str
    """For configuration and logs."""
    disk: str
    """A folder that stays when the machine is switched off."""
    node: str
    ip: str
    pods: str
    """The node's part of the pods' addresses."""
    services: str
    kubeconfig: str
    control_group: str
    model_cache: str
    """The folder with the weights on this machine."""
    cni: str
    """The folder of the CNI plugins."""
    images: str
    """An OCI archive."""
    runtimes: dict[str, str]
    """By the handler's name, what containerd calls as runc."""
    environment: dict[str, str]

    def written(self) -> Path:
        """As a file that :func:`main` reads."""
        file = Path(self.folder) / "machine.json"
        file.write_text(json.dumps(asdict(self)))
        return file


def containerd(machine: Machine) -> str:
    """Its configuration, for 1.6."""
    cri = 'plugins."io.containerd.grpc.v1.cri"'
    runtimes = "".join(
        f"[{cri}.containerd.runtimes.{name}]\n"
        'runtime_type = "io.containerd.runc.v2"\n'
        f"[{cri}.containerd.runtimes.{name}.options]\n"
        f'BinaryName = "{program}"\n'
        for name, program in machine.runtimes.items()
    )
    return (
        "version = 2\n"
        f'[grpc]\naddress = "{SOCKET}"\n'
        f'[{cri}]\nsandbox_image = "{PAUSE}"\n'
        # Not every root may lower the score by which the kernel chooses whom to end.
        "restrict_oom_score_adj = true\ndisable_apparmor = true\n"
        f'[{cri}.cni]\nbin_dir = "{machine.cni}"\nconf_dir = "{machine.folder}/cni"\n'
        f'[{cri}.containerd]\ndefault_runtime_name = "runc"\n{runtimes}'
    )


def network(machine: Machine) -> dict[str, Any]:
    """The CNI configuration: K3s' bridge, without flannel, as there is one node."""
    return {
        "cniVersion": "1.0.0",
        "name": "cbr0",
        "plugins": [
            {
                "type": "bridge",
                "bridge": "cni0",
                "isDefaultGateway": True,
                "hairpinMode": True,
                "ipMasq": True,
                "ipam": {"type": "host-local", "subnet": machine.pods},
            },
            {"type": "portmap", "capabilities": {"portMappings": True}},
        ],
    }


def kubelet(machine: Machine) -> dict[str, Any]:
    """Its configuration."""
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        # The twin's API server has no certificate to show to a kubelet.
        "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
        "authorization": {"mode": "AlwaysAllow"},
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": machine.control_group,
        "containerRuntimeEndpoint": f"unix://{SOCKET}",
        "evictionHard": {"memory.available": "100Mi"},
        "failCgroupV1": False,
        "failSwapOn": False,
        "clusterDNS": [CLUSTER_DNS],
        "resolvConf": "",
    }


def main() -> None:
    """Be the machine until it is killed, or until one of its programs ends."""
    machine = Machine(**json.loads(Path(sys.argv[1]).read_text()))
    folder = Path(machine.folder)
    _mount(machine, folder)
    (folder / "containerd.toml").write_text(containerd(machine))
    (folder / "kubelet.yaml").write_text(yaml.safe_dump(kubelet(machine)))
    (folder / "cni").mkdir(exist_ok=True)
    (folder / "cni" / "10-bridge.conflist").write_text(json.dumps(network(machine)))
    started = [_start(machine, "containerd", "--config", f"{folder}/containerd.toml")]
    _wait_for(SOCKET)
    _call(machine, "ctr", "--address", SOCKET, "-n", "k8s.io", "images", "import", machine.images)
    started += [
        _start(
            machine,
            *("kubelet", f"--config={folder}/kubelet.yaml", f"--kubeconfig={machine.kubeconfig}"),
            *(f"--hostname-override={machine.node}", f"--node-ip={machine.ip}"),
            "--root-dir=/var/lib/kubelet",
        ),
        _start(machine, "network-policies", machine.kubeconfig, machine.node, machine.services),
    ]
    while True:
        # Also what the containers' shims leave to the first process.
        pid, _ = os.wait()
        for one in started:
            if one.pid == pid:
                sys.exit(f"{one.args} ended")


def _mount(machine: Machine, folder: Path) -> None:
    for place in ON_DISK:
        kept = Path(machine.disk + place)
        kept.mkdir(parents=True, exist_ok=True)
        _mounted("--bind", str(kept), place)
    _mounted("-t", "tmpfs", "tmpfs", "/run")
    cache = Path(MODEL_CACHE)
    cache.mkdir(parents=True, exist_ok=True)
    _mounted("--bind", machine.model_cache, str(cache))
    for name, value in KERNEL_SETTINGS.items():
        file = folder / name.replace("/", ".")
        file.write_text(f"{value}\n")
        _mounted("--bind", str(file), f"/proc/sys/{name}")
    for name, value in OF_THE_NETWORK.items():
        Path(f"/proc/sys/{name}").write_text(str(value))


def _mounted(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)


def _start(machine: Machine, *line: str) -> subprocess.Popen[bytes]:
    log = (Path(machine.folder) / f"{line[0]}.log").open("ab")
    return subprocess.Popen(line, env=machine.environment, stdout=log, stderr=log)


def _call(machine: Machine, *line: str) -> None:
    subprocess.run(line, env=machine.environment, check=True, stdout=subprocess.DEVNULL)


def _wait_for(socket: str) -> None:
    until(lambda: listens(Path(socket)), seconds=START_SECONDS, shown=lambda: socket)


if __name__ == "__main__":
    main()
