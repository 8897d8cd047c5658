"""What a request costs after the gateway's instance had no CPU for a while, as between requests on
Cloud Run's request-based billing (`cpu_idle`).

    HUB_STATE=/tmp/frozen HUB_GATEWAY_PORT=28080 HUB_CLIENT_PORT=28501 \\
        HUB_KUBERNETES_PORT=26443 HUB_PROVIDERS_PORT=27731 hub up
    HUB_STATE=/tmp/frozen python -m bench.frozen_instance 10 60 300

For each pause in seconds: stops every process of the instance's containers (SIGSTOP), waits, lets
them go on and asks at once, three times one after the other; then the same again with all of the
gateway's TCP connections cut while it stood still (`ss -K`, as root), as by servers that have given
it up. Prints one line for each.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager

from bench.cold_start import ask, instances, question
from hub.connection import connection
from twin.parts.part import records
from twin.paths import TwinPaths, state_dir
from twin.settings import TwinSettings


@contextmanager
def frozen(paths: TwinPaths) -> Generator[None]:
    [instance] = instances(paths)
    groups = [container["pid"] for container in instance["containers"]]
    for group in groups:
        os.killpg(group, signal.SIGSTOP)
    try:
        yield
    finally:
        for group in groups:
            os.killpg(group, signal.SIGCONT)


def cut_connections(paths: TwinPaths) -> None:
    for place in records(paths):
        if place.name in {"net-cloud", "net-cloud-next"}:
            inside = ("nsenter", "--target", str(place.pid), "--net")
            subprocess.run([*inside, "ss", "-K", "-t"], check=True, capture_output=True)


def main() -> None:
    paths = TwinPaths(state_dir())
    url = TwinSettings.of_running_twin(paths).gateway_url
    key = connection(None).api_key
    body = question(None, streamed=True)
    ask(url, key, body)
    usual = ask(url, key, body)
    print(f"awake: {usual.status} after {usual.first_byte:.2f} s")
    for pause in map(float, sys.argv[1:]):
        for cut in (False, True):
            with frozen(paths):
                time.sleep(pause)
                if cut:
                    cut_connections(paths)
            answers = [ask(url, key, body) for _ in range(3)]
            told = ", ".join(f"{a.status} after {a.first_byte:.2f} s" for a in answers)
            connections = ", connections cut" if cut else ""
            print(f"frozen for {pause:g} s{connections}: {told}", flush=True)


if __name__ == "__main__":
    main()
