"""The gateway's speed beside other gateways, in one run; ends all that it has started.

    .venv/bin/python -m bench.gateway_speed [--docs]

All gateways have the same upstream and the same client, and are measured in turns. It needs Debian
or Ubuntu (``apt-get download``), Go, network namespaces, and 3 GB of memory; it listens in
namespaces of its own only. The machine should have nothing else to do. The result is written as
JSON and printed as Markdown; ``--docs`` puts it into docs/benchmarks.md, with a plot. It takes
about 11 minutes, during which a second gateway has nothing to do; ``--many-seconds 300`` keeps 200
streams open for 5 minutes more.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.console import Console

from bench.gateway_speed import page, programs, run, stage
from bench.gateway_speed.results import Result
from twin.errors import TwinError
from twin.toolchain.ensure import ensure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=1, help="of each load in each round")
    parser.add_argument("--many-seconds", type=float, default=10, help="of 200 streams at once")
    parser.add_argument(
        "--idle-minutes", type=float, default=5, help="of a second gateway, until it is asked"
    )
    parser.add_argument(
        "--short", action="store_true", help="only 8 at once, one round, no idle minutes"
    )
    parser.add_argument("--json", type=Path, default=Path("gateway-speed.json"))
    parser.add_argument("--again", action="store_true", help="measure nothing, read the JSON file")
    parser.add_argument("--docs", action="store_true", help="write docs/benchmarks.md and its plot")
    arguments = parser.parse_args()
    try:
        result = Result.read(arguments.json) if arguments.again else _measured(arguments)
    except TwinError as error:
        raise SystemExit(str(error)) from None
    print(page.section(result))
    if arguments.docs:
        page.write(result)


def _measured(arguments: argparse.Namespace) -> Result:
    tools, own = ensure(Console()), programs.ensure()
    with stage.running(own, tools.path) as ready:
        effort = run.Effort(
            rounds=1 if arguments.short else arguments.rounds,
            seconds=arguments.seconds,
            many_seconds=arguments.many_seconds,
            idle_seconds=0 if arguments.short else 60 * arguments.idle_minutes,
            at_once=(8,) if arguments.short else run.AT_ONCE,
        )
        result = run.measure(ready, own, tools.path, effort)
    result.write(arguments.json)
    return result


if __name__ == "__main__":
    main()
