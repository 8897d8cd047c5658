"""The section of docs/benchmarks.md that a result makes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from bench.gateway_speed import names, plot
from bench.gateway_speed.results import (
    AT_ONCE,
    POINTS,
    Cost,
    Memory,
    Percentile,
    Point,
    Result,
    Spread,
)
from bench.gateway_speed.targets import GATEWAYS_PROGRAMS, times_traefik, verdicts

DOCS = Path(__file__).parents[2] / "docs"
PAGE, PLOT = DOCS / "benchmarks.md", DOCS / "pictures" / "gateway-speed.svg"
BEGIN, END = "<!-- gateway speed -->", "<!-- end of gateway speed -->"
DIFFERENCES: Mapping[str, tuple[str, str]] = {
    names.DIRECT: ("nothing", "everything"),
    names.NGINX: ("key, header, log, 20 MB limit", "error bodies, health of the upstream"),
    names.HAPROXY: (
        "key, header, log, limit by the declared length",
        "error bodies, health, limit of a chunked body",
    ),
    names.TRAEFIK: (
        "key as a route, header, log",
        "error bodies, health, any size limit, HTTP/2 to the upstream (decision 11)",
    ),
    names.ONE_CADDY: (
        "key, header, log, limit, allow-list, error bodies, health",
        "the second Caddy, which gives a silent home up",
    ),
    names.LOOPBACK: (
        "key, header, log, limit, allow-list, error bodies, health, two Caddys",
        "the tunnel, home's Traefik",
    ),
    names.TUNNEL: ("the same, the tunnel, home's Traefik with its limits", "Cloud Run's front"),
    names.BARE_TUNNEL: ("nothing: bytes through Tailscale's SOCKS5 proxy", "both Caddys, Traefik"),
    names.EMULATED: ("the whole tunnel's, and what Cloud Run's front does", "TLS"),
    names.LITELLM: (
        "one master key, header, log, model names, reads each body",
        "other keys: a database",
    ),
    names.LITELLM_2: ("the same", "the same"),
}
"""What each does for a request, and what it does not do that our gateway does."""

SPLITS: Sequence[tuple[Point, Percentile]] = (
    (Point(1, 1), "p50"),
    (Point(1, 8), "p50"),
    (Point(1000, 8), "p50"),
    (Point(1000, 8), "p99"),
    (Point(1000, 50), "p50"),
    (Point(1000, 50), "p99"),
)


def section(result: Result) -> str:
    """Markdown, from its heading to its last table."""
    return "\n".join(_lines(result)) + "\n"


def with_section(page: str, text: str, begin: str = BEGIN, end: str = END) -> str:
    """The page with the text between two marks."""
    before, _, rest = page.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}\n{text}{end}{after}"


def write(result: Result) -> None:
    PAGE.write_text(with_section(PAGE.read_text(), section(result)))
    PLOT.write_text(plot.svg(result))


def _lines(result: Result) -> Iterator[str]:
    versions = ", ".join(f"{name} {version}" for name, version in result.versions.items())
    path = "directly" if result.direct_path else "through the relay"
    yield f"{result.date}, {result.machine}. {versions}. Rounds, in turns: {result.rounds}."
    yield f"The tunnel's two ends spoke to each other {path}."
    yield ""
    yield f"![p50 and p99 of each gateway at each load](pictures/{PLOT.name})"
    yield ""
    yield from table(
        ("target", "measured", "reached", "a smaller part of the way alone"),
        [
            (v.target, v.measured, "yes" if v.reached else "**no**", v.floor)
            for v in verdicts(result)
        ],
    )
    yield "Each cell: requests/s · p50 (lowest to highest round) · p99, ms of a whole answer."
    yield ""
    for kind in dict.fromkeys(point.kind for point in POINTS):
        points = [point for point in POINTS if point.kind == kind]
        yield from table(
            (kind, *(f"{point.at_once} at once" for point in points)),
            [(name, *(_cell(result, name, p) for p in points)) for name in result.gateways],
        )
    yield from table(
        ("our gateway on loopback, as multiples of Traefik", *(f"{n} at once" for n in AT_ONCE)),
        [
            (kind, *(_ratios(result, point) for point in POINTS if point.kind == kind))
            for kind in dict.fromkeys(point.kind for point in POINTS)
        ],
    )
    yield from table(
        ("20 streams, 20 chunks/s each: a chunk's delay, ms", "p50", "p99", "longest"),
        [_delays(result, name) for name in result.gateways],
    )
    yield "What an answer through the whole tunnel costs each program, in ms of a processor:"
    yield ""
    yield from _costs(result)
    yield from _split(result)
    yield from _second(result)
    yield from table(
        ("resident MB", "idle", "during 1 MB, 50 at once, the most", "after"),
        [
            row
            for name in result.gateways
            if name in result.memory
            for row in _memory(name, result.memory[name])
        ],
    )
    yield from table(
        ("gateway", "does for each request", "leaves out"),
        [(name, *DIFFERENCES[name]) for name in result.gateways],
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Markdown, with an empty line behind it."""
    yield f"| {' | '.join(head)} |"
    yield "|---" * len(head) + "|"
    yield from (f"| {' | '.join(row)} |" for row in rows)
    yield ""


def _cell(result: Result, name: str, point: Point) -> str:
    found = result.summary(name, point)
    if found is None:
        return "none"
    p50, p99 = found.p50_ms, found.p99_ms
    failed = f", {found.failures} failed" if found.failures else ""
    return (
        f"{found.per_second.median:,.0f} · {_ms(p50.median)} ({_ms(p50.lowest)} to "
        f"{_ms(p50.highest)}) · {_ms(p99.median)}{failed}"
    )


def _ratios(result: Result, point: Point) -> str:
    ratios = times_traefik(result, point)
    return f"p50 {ratios[0]:.2f}, p99 {ratios[1]:.2f}" if ratios else "none"


def _delays(result: Result, name: str) -> tuple[str, ...]:
    runs = [run.streams for run in result.streams if run.gateway == name]
    p50, p99 = Spread.of([r.p50_ms for r in runs]), Spread.of([r.p99_ms for r in runs])
    failures = sum(run.failures for run in runs)
    return (
        f"{name}, {failures} answers failed" if failures else name,
        _ms(p50.median),
        f"{_ms(p99.median)} ({_ms(p99.lowest)} to {_ms(p99.highest)})",
        _ms(max(run.longest_ms for run in runs)),
    )


def _costs(result: Result) -> Iterator[str]:
    for cost, front in zip(result.costs, result.front_costs, strict=True):
        total = ("together, beside the client", _ms(cost.together_ms))
        idle = ("processors that had nothing to do", f"{cost.idle_cores:.2f}")
        rows = [*_spent(cost), total, idle, *_spent(front)]
        yield from table((str(cost.point), "CPU ms"), rows)


def _spent(cost: Cost) -> list[tuple[str, str]]:
    return [(what, _ms(spent)) for what, spent in cost.cpu_ms.items()]


def _split(result: Result) -> Iterator[str]:
    """Where the whole tunnel's time goes, at the points that have a target in ms or a rate."""
    rows = list[tuple[str, ...]]()
    for point, of in SPLITS:
        whole, bare, caddys, direct = (
            result.summary(name, point)
            for name in (names.TUNNEL, names.BARE_TUNNEL, names.LOOPBACK, names.DIRECT)
        )
        if whole and bare and caddys and direct:
            parts = (bare.time(of), caddys.time(of) - direct.time(of))
            rest = whole.time(of) - sum(parts)
            rows.append((f"{point}, {of}", *map(_ms, (whole.time(of), *parts, rest))))
    yield from table(
        ("ms", "the whole", "the tunnel alone", "two Caddys more than direct", "the rest: Traefik"),
        rows,
    )


def _second(result: Result) -> Iterator[str]:
    starts, (after_idle, *others) = Spread.of(result.cold_starts), result.after_idle_ms
    told = f"{starts.median:.1f} s ({starts.lowest:.1f} to {starts.highest:.1f})"
    yield from table(
        ("a second gateway with a tunnel of its own", "first good answer"),
        [
            (f"after its first process began, {len(result.cold_starts)} starts", told),
            (
                f"after {result.idle_seconds / 60:.0f} minutes without a question",
                f"{_ms(after_idle)} ms, the next ones {' and '.join(map(_ms, others))} ms",
            ),
        ],
    )


def _memory(name: str, memory: Memory) -> Iterator[tuple[str, ...]]:
    """A row for all its processes; of the tunnel's, for Caddy and tailscaled as well."""
    moments = (memory.idle, memory.during, memory.after)
    yield (name, *(f"{sum(moment.values()):.0f}" if moment else "none" for moment in moments))
    if name == names.TUNNEL:
        for program in GATEWAYS_PROGRAMS:
            yield (f"of it {program}", *(f"{m[program]:.0f}" if m else "none" for m in moments))


def _ms(value: float) -> str:
    """Two figures below 10, whole numbers from there."""
    return f"{value:.2g}" if value < 10 else f"{value:,.0f}"
