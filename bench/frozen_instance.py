"""What a request costs after the gateway's instance had no CPU for a while, as between requests on
Cloud Run's request-based billing (`cpu_idle`).

    HUB_STATE=/tmp/frozen HUB_GATEWAY_PORT=28080 HUB_CLIENT_PORT=28501 \\
        HUB_KUBERNETES_PORT=26443 HUB_PROVIDERS_PORT=27731 hub up
    HUB_STATE=/tmp/frozen python bench/frozen_instance.py 10 60 300

For each pause in seconds: stops every process of the instance's containers (SIGSTOP), waits, lets
them go on and asks at once, three times one after the other. Prints one line for each pause.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from bench.cold_start import ask, instances, question
from hub.connection import connection
from twin.paths import TwinPaths, state_dir
from twin.settings import TwinSettings


@contextmanager
def frozen(paths: TwinPaths) -> Iterator[None]:
    [instance] = instances(paths)
    groups = [container["pid"] for container in instance["containers"]]
    for group in groups:
        os.killpg(group, signal.SIGSTOP)
    try:
        yield
    finally:
        for group in groups:
            os.killpg(group, signal.SIGCONT)


def main() -> None:
    paths = TwinPaths(state_dir())
    url = TwinSettings.of_running_twin(paths).gateway_url
    key = connection(None).api_key
    body = question(None, streamed=True)
    ask(url, key, body)
    usual = ask(url, key, body)
    print(f"awake: {usual.status} after {usual.first_byte:.2f} s")
    for pause in map(float, sys.argv[1:]):
        with frozen(paths):
            time.sleep(pause)
        answers = [ask(url, key, body) for _ in range(3)]
        told = ", ".join(f"{a.status} after {a.first_byte:.2f} s" for a in answers)
        print(f"frozen for {pause:g} s: {told}", flush=True)


if __name__ == "__main__":
    main()
