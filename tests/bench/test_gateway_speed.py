from __future__ import annotations

import json
import select
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

import psutil
import pytest

from bench.gateway_speed import bodies, first, ours, page, plot, run
from bench.gateway_speed.candidate import Candidate
from bench.gateway_speed.generator import parsed_load, parsed_streams
from bench.gateway_speed.names import (
    BARE_TUNNEL,
    DIRECT,
    EMULATED,
    LITELLM,
    LOOPBACK,
    ONE_CADDY,
    TRAEFIK,
    TUNNEL,
)
from bench.gateway_speed.processes import await_idle, cpu_seconds, highest, resident
from bench.gateway_speed.results import (
    POINTS,
    Cost,
    Load,
    LoadRun,
    Memory,
    Point,
    Result,
    Spread,
    Streams,
    StreamsRun,
)
from bench.gateway_speed.targets import Verdict, verdicts
from infra.config import Limits
from infra.gcp.caddyfile import caddyfile
from tests.support.http_server import Handler, serving
from twin.network import Network
from twin.paths import TwinPaths

SMALL, LARGE = Point(1, 8), Point(1000, 8)
NO_STREAMS = Streams(0, 0, "", 0, 0, 0, 0)


def load(*, per_second: int = 100, p50: float = 1, p99: float = 2, refused: int = 0) -> Load:
    return Load(per_second * 2, 2, p50, p99, refused, 0)


def result(
    *loads: tuple[str, Point, Load],
    streams: tuple[tuple[str, float], ...] = (),
    memory: Memory | None = None,
    many: Streams = NO_STREAMS,
    starts: Sequence[float] = (1.5, 1.25, 2.75),
) -> Result:
    """A run in which each reading is another round's."""
    return Result(
        date="2026-01-01",
        machine="2 cores",
        versions={"wrk": "4.1.0"},
        gateways=[DIRECT, TRAEFIK, ONE_CADDY, LOOPBACK, TUNNEL, BARE_TUNNEL, EMULATED, LITELLM],
        rounds=3,
        direct_path=True,
        loads=[LoadRun(name, point, i, one) for i, (name, point, one) in enumerate(loads)],
        streams=[
            StreamsRun(name, 0, Streams(20, 0, "", 400, 0.1, p99, 3)) for name, p99 in streams
        ],
        many_streams=many,
        many_seconds=20,
        memory={TUNNEL: memory} if memory else {},
        costs=[Cost(SMALL, {"home's Traefik": 0.5, "the upstream": 0.25}, 0.125)],
        front_costs=[Cost(SMALL, {"the twin's front": 0.25}, 0)],
        cold_starts=list(starts),
        idle_seconds=312,
        after_idle_ms=[12.0, 2.0, 3.0],
    )


def floor(found: Result, part: str) -> str:
    [one] = [v for v in verdicts(found) if part in v.target]
    return one.floor


def verdict(found: Result, part: str) -> tuple[str, bool]:
    [one] = [v for v in verdicts(found) if part in v.target]
    return one.measured, one.reached


def test_what_two_processes_share_of_their_program_counts_once() -> None:
    own = 40_000_000
    line = [sys.executable, "-c", f"m = bytearray(b'x') * {own}; print(flush=True); input()"]
    twice = [
        subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(2)
    ]
    for one in twice:
        assert one.stdout
        assert one.stdout.readline()
    [together] = resident(one.pid for one in twice).values()
    [each] = resident([twice[0].pid]).values()
    apart = sum(psutil.Process(one.pid).memory_info().rss for one in twice) / 1e6
    for one in twice:
        one.communicate(b"\n")
    assert each + own / 1e6 < together < apart


def test_the_generators_line_is_read_below_wrks_own() -> None:
    printed = (
        "Running 1s test @ http://127.0.0.1:9000/\n  29767 requests in 1.00s, 10.53MB read\n"
        '{"requests": 3000, "seconds": 2.0, "p50_ms": 0.167, "p99_ms": 7.103, "refused": 1000, '
        '"broken": 2}\n'
    )
    found = parsed_load(printed)
    assert found == Load(3000, 2.0, 0.167, 7.103, 1000, 2)
    assert found.per_second == 1000, "a refusal is no answer"


def test_the_reader_of_streams_prints_what_its_result_has() -> None:
    printed = (
        '{"answers":20,"failures":1,"failure":"status 503","chunks":380,"p50_ms":0.06,'
        '"p99_ms":0.2,"longest_ms":0.3}\n'
    )
    assert parsed_streams(printed) == Streams(20, 1, "status 503", 380, 0.06, 0.2, 0.3)


def test_twelve_points_are_measured() -> None:
    assert len(POINTS) == 12
    assert str(POINTS[0]) == "1 kB, 1 at once"
    assert str(POINTS[-1]) == "1 MB, streamed, 50 at once"


@pytest.mark.parametrize("point", POINTS, ids=str)
def test_a_body_is_exactly_as_large_as_its_point_says(point: Point) -> None:
    body = bodies.body(point)
    assert len(body) == point.body_kb * 1000
    assert json.loads(body).get("stream", False) is point.streamed


def test_the_large_body_is_a_picture_as_clients_send_it() -> None:
    content = json.loads(bodies.body(LARGE))["messages"][0]["content"]
    assert [part["type"] for part in content] == ["image_url", "text"]
    assert content[0]["image_url"]["url"].startswith("data:image/png;base64,AAAA")


def test_rounds_are_summed_by_their_median_with_the_lowest_and_the_highest() -> None:
    found = result(
        (TUNNEL, SMALL, load(p50=9)),
        (TUNNEL, SMALL, load(p50=1)),
        (TUNNEL, SMALL, load(p50=2, refused=4)),
        (TRAEFIK, SMALL, load(p50=9)),
    ).summary(TUNNEL, SMALL)
    assert found is not None
    assert found.p50_ms == Spread(2, 1, 9)
    assert found.failures == 4


def test_a_point_without_an_answer_has_no_summary() -> None:
    found = result((LITELLM, LARGE, Load(0, 2, 0, 0, 0, 50)))
    assert found.summary(LITELLM, LARGE) is None


@pytest.mark.parametrize(
    ("p50", "p99", "reached"), [(1.3, 2.6, True), (1.31, 2, False), (1, 2.7, False)]
)
def test_the_gateway_is_compared_with_traefik_in_both_percentiles(
    p50: float, p99: float, reached: bool
) -> None:
    found = result((TRAEFIK, SMALL, load(p50=1, p99=2)), (LOOPBACK, SMALL, load(p50=p50, p99=p99)))
    assert verdict(found, "Traefik's")[1] is reached


def test_every_measured_point_is_compared_with_traefik() -> None:
    both = [(name, point, load()) for point in POINTS for name in (TRAEFIK, LOOPBACK)]
    ours = [v for v in verdicts(result(*both)) if "Traefik's" in v.target]
    assert len(ours) == 12
    assert {v.measured for v in ours} == {"1.00 and 1.00 times"}


@pytest.mark.parametrize(
    ("point", "found", "said"),
    [
        (Point(1, 1), load(p50=0.9), ("0.9 ms", True)),
        (Point(1, 1), load(p50=0.95), ("0.95 ms", False)),
        (Point(1, 8), load(p50=3.1), ("3.1 ms", False)),
        (Point(1000, 8), load(per_second=200), ("200/s", True)),
        (Point(1000, 8), load(per_second=199), ("199/s", False)),
        (Point(1000, 50), load(p99=601), ("601 ms", False)),
    ],
    ids=str,
)
def test_the_tunnel_has_limits_of_its_own(
    point: Point, found: Load, said: tuple[str, bool]
) -> None:
    assert verdict(result((TUNNEL, point, found)), str(point)) == said


@pytest.mark.parametrize(("ours", "reached"), [(400, True), (399, False)])
def test_the_tunnel_is_compared_with_litellm(ours: int, reached: bool) -> None:
    found = result((TUNNEL, SMALL, load(per_second=ours)), (LITELLM, SMALL, load(per_second=10)))
    assert verdict(found, LITELLM)[1] is reached


def test_a_target_of_two_caddys_tells_what_one_reaches() -> None:
    both = ((TRAEFIK, SMALL, load()), (LOOPBACK, SMALL, load(p50=3)))
    assert floor(result(*both), "Traefik's") == ""
    found = result(*both, (ONE_CADDY, SMALL, load(p50=1.5, p99=2.5)))
    assert floor(found, "Traefik's") == "one Caddy: 1.50 and 1.25 times"


def test_a_target_of_the_tunnel_tells_what_the_tunnel_alone_reaches() -> None:
    found = result((TUNNEL, SMALL, load(p50=7)), (BARE_TUNNEL, SMALL, load(p50=1.234)))
    assert floor(found, "p50 ≤ 3 ms") == "the tunnel alone: 1.23 ms"
    found = result((TUNNEL, LARGE, load()), (BARE_TUNNEL, LARGE, load(per_second=180)))
    assert floor(found, "requests ≥ 200/s") == "the tunnel alone: 180/s"


def test_a_target_of_litellm_tells_how_many_times_any_gateway_could_be() -> None:
    found = result(
        (TUNNEL, SMALL, load(per_second=70)),
        (BARE_TUNNEL, SMALL, load(per_second=300)),
        (DIRECT, SMALL, load(per_second=4210)),
        (LITELLM, SMALL, load(per_second=10)),
    )
    assert floor(found, LITELLM) == "the tunnel alone: 30 times, direct: 421 times"


def test_a_chunks_target_tells_what_a_smaller_part_adds() -> None:
    delays = ((DIRECT, 1.0), (ONE_CADDY, 1.25), (LOOPBACK, 3.0), (BARE_TUNNEL, 2.5), (TUNNEL, 3.0))
    found = result(streams=delays)
    assert floor(found, f"{LOOPBACK}, 20 streams") == f"{ONE_CADDY}: 0.25 ms"
    assert floor(found, f"{TUNNEL}, 20 streams") == f"{BARE_TUNNEL}: 1.50 ms"


@pytest.mark.parametrize(("rate", "said"), [(70, ("70%", True)), (69, ("69%", False))])
def test_the_twins_front_is_compared_with_the_tunnel_behind_it(
    rate: int, said: tuple[str, bool]
) -> None:
    found = result((TUNNEL, SMALL, load()), (EMULATED, SMALL, load(per_second=rate)))
    assert verdict(found, "the twin's front") == said
    assert floor(found, "the twin's front") == "its programs' CPU time leaves 75%"


def test_the_slowest_start_decides() -> None:
    assert verdict(result(), "first process") == ("2.8 s, the longest of 3 starts", True)
    assert not verdict(result(starts=(1.0, 3.1)), "first process")[1]


FLAT = Network("flat", {})
"""Nothing is started here."""


def test_one_caddy_is_the_public_site_with_the_upstream_behind_it(tmp_path: Path) -> None:
    ours.one_caddy(FLAT, tmp_path, 1234)
    text = (tmp_path / "Caddyfile-1234").read_text().splitlines()
    public = caddyfile(body_mb=Limits().body_mb).splitlines()
    changed = [(old.strip(), new.strip()) for old, new in zip(public, text, strict=True)]
    assert [(old, new) for old, new in changed if old != new] == [
        ("reverse_proxy 127.0.0.1:8081 {", "reverse_proxy 127.0.0.1:9000 {"),
        ("health_uri /home", "health_uri /health"),
    ]


def test_the_twins_front_leads_to_the_gateways_port(tmp_path: Path) -> None:
    paths = TwinPaths(tmp_path)
    [front] = ours.emulated(FLAT, paths, 1234).helpers
    assert paths.cloud_run_instance.read_text() == "127.0.0.1:8080"
    assert json.loads(Path(front.argv[-1]).read_text())["apps"]["http"]["servers"]["front"]
    assert "--listen=127.0.0.1:1234" in front.argv


def test_the_first_good_answer_is_told_with_its_moments() -> None:
    class Starting(Handler):
        def do_POST(self) -> None:  # noqa: N802
            assert self.body() == b"question"
            assert self.headers["Authorization"] == "Bearer key"
            time.sleep(0.02)
            self.whole(next(statuses), b"answer")

    statuses = iter([503, 200])
    question = first.request("key", b"question")
    with serving(Starting) as port:
        assert first.ask(port, question) is None
        moments = first.ask(port, question)
    assert moments is not None
    assert moments[1] - moments[0] >= 0.02
    assert first.ask(port, question) is None, "nobody listens"


def test_memory_is_caddys_and_tailscaleds_together() -> None:
    idle, during = {"caddy": 60.0, "tailscaled": 50.0, "sh": 99.0}, {"caddy": 301.0}
    found = result(memory=Memory(idle, during, {}))
    assert [v for v in verdicts(found) if "MB" in v.target] == [
        Verdict("Caddy and tailscaled together, idle: ≤ 120 MB", "110 MB", reached=True),
        Verdict(
            "Caddy and tailscaled together, during 1 MB, 50 at once: ≤ 300 MB",
            "301 MB",
            reached=False,
        ),
    ]


def test_memory_after_the_largest_load_is_no_reading_where_that_load_was_left_out() -> None:
    programs = {"caddy": 100.0, "tailscaled": 10.0}
    left_out = result(memory=Memory(programs, {}, programs))
    measured = result(memory=Memory(programs, programs, programs))
    assert [len([v for v in verdicts(r) if "MB" in v.target]) for r in (left_out, measured)] == [
        1,
        3,
    ]


def test_what_a_stream_is_late_directly_is_not_counted_as_the_gateways() -> None:
    found = result(streams=((DIRECT, 1.0), (LOOPBACK, 3.0), (TUNNEL, 3.1)))
    assert verdict(found, f"{LOOPBACK}, 20 streams") == ("2.00 ms", True)
    assert verdict(found, f"{TUNNEL}, 20 streams") == ("2.10 ms", False)


def test_one_failed_stream_of_200_is_told() -> None:
    found = result(many=Streams(400, 1, "status 502", 8000, 1, 2, 3))
    assert verdict(found, "200 streams") == ("1 of 400 answers failed", False)


def test_a_slow_gateway_is_measured_longer_and_in_every_second_round() -> None:
    fast, slow = Candidate("fast", 1), Candidate("slow", 2, is_slow=True)
    assert run.turns([fast, slow], 0) == [fast, slow]
    assert run.turns([fast, slow], 1) == [fast]
    assert [run.seconds_for(slow, Point(1, n), 2) for n in (1, 8, 50)] == [2, 2, 8]
    assert run.seconds_for(fast, Point(1, 50), 2) == 2


def test_each_round_begins_with_another_gateway() -> None:
    three = [Candidate(name, 1) for name in "abc"]
    assert [c.name for c in run.turns(three, 4)] == ["b", "c", "a"]


def test_of_two_readings_the_larger_one_of_each_program_stays() -> None:
    assert highest({"caddy": 3, "sh": 1}, {"caddy": 2, "tailscaled": 4}) == {
        "caddy": 3,
        "sh": 1,
        "tailscaled": 4,
    }


def test_a_gateway_that_still_works_is_waited_for() -> None:
    code = "import time\nwhile time.process_time() < 1: pass\nprint('rests', flush=True)\ninput()"
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", code], stdin=pipe, stdout=pipe) as process:
        await_idle([process.pid])
        assert process.stdout is not None
        ready, _, _ = select.select([process.stdout], [], [], 0)
        process.communicate(b"\n")
    assert ready


def test_what_a_process_and_its_children_compute_is_counted() -> None:
    work = "import time\nwhile time.process_time() < 0.5: pass\nprint(flush=True)\ninput()"
    shell = ("sh", "-c", f"{sys.executable} -c '{work}'; exit")
    with subprocess.Popen(shell, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        used = cpu_seconds([process.pid])
        process.communicate(b"\n")
    assert 0.4 < used < 2


WHOLE_STREAMS = (
    *((DIRECT, 1.0), (TRAEFIK, 1.0), (ONE_CADDY, 1.2), (LOOPBACK, 1.5), (TUNNEL, 3.0)),
    *((BARE_TUNNEL, 2.0), (EMULATED, 4.0), (LITELLM, 9.9)),
)
WHOLE = result(
    *[(name, point, load(p50=0.126, p99=12.6)) for point in POINTS for name in (TRAEFIK, LOOPBACK)],
    (TUNNEL, LARGE, load(per_second=1234, p50=2, p99=30, refused=3)),
    (TUNNEL, LARGE, load(per_second=1236, p50=4, p99=50)),
    streams=WHOLE_STREAMS,
    memory=Memory(
        {"caddy": 60, "tailscaled": 50, "sh": 1}, {}, {"caddy": 70, "tailscaled": 80, "sh": 1}
    ),
)


def test_a_written_result_is_read_as_it_was(tmp_path: Path) -> None:
    WHOLE.write(tmp_path / "result.json")
    assert Result.read(tmp_path / "result.json") == WHOLE


def test_the_section_has_a_table_for_each_kind_of_load() -> None:
    lines = page.section(WHOLE).splitlines()
    assert "| 1 MB, streamed | 1 at once | 8 at once | 50 at once |" in lines
    assert (
        "| our gateway, whole tunnel | none | 1,234 · 3 (2 to 4) · 40, 3 failed | none |" in lines
    )
    cell = "100 · 0.13 (0.13 to 0.13) · 13"
    assert lines.count(f"| Traefik | {cell} | {cell} | {cell} |") == 4
    assert "| our gateway, whole tunnel | 111 | none | 151 |" in lines
    assert "| of it tailscaled | 50 | none | 80 |" in lines
    begin = lines.index("| 1 kB, 8 at once | CPU ms |") + 2
    assert lines[begin : begin + 4] == [
        "| home's Traefik | 0.5 |",
        "| the upstream | 0.25 |",
        "| together, beside the client | 0.75 |",
        "| processors that had nothing to do | 0.12 |",
    ]
    assert lines[begin + 4] == "| the twin's front | 0.25 |"
    assert "| our gateway, loopback | 0.1 | 1.5 (1.5 to 1.5) | 3 |" in lines
    assert "| after its first process began, 3 starts | 1.5 s (1.2 to 2.8) |" in lines
    assert "| after 5 minutes without a question | 12 ms, the next ones 2 and 3 ms |" in lines
    target = "our gateway, whole tunnel, 20 streams: adds ≤ 2 ms to a chunk at p99"
    assert f"| {target} | 2.00 ms | yes | the tunnel alone: 1.00 ms |" in lines


def test_the_tunnels_time_is_split_into_its_parts() -> None:
    found = result(
        (TUNNEL, LARGE, load(p50=60)),
        (BARE_TUNNEL, LARGE, load(p50=40)),
        (LOOPBACK, LARGE, load(p50=9)),
        (DIRECT, LARGE, load(p50=1)),
        streams=WHOLE_STREAMS,
    )
    assert "| 1 MB, 8 at once, p50 | 60 | 40 | 8 | 12 |" in page.section(found).splitlines()


def test_cells_are_short_enough_to_be_read() -> None:
    cells = [cell for line in page.section(WHOLE).splitlines() for cell in line.split("|")]
    assert [cell for cell in cells if len(cell) > 100 and "Rounds, in turns" not in cell] == []


def test_only_what_is_between_the_marks_is_written_anew() -> None:
    before = f"# Benchmarks\n{page.BEGIN}\nold\n{page.END}\n## More\n"
    after = page.with_section(before, "new\n")
    assert after == f"# Benchmarks\n{page.BEGIN}\nnew\n{page.END}\n## More\n"


def test_the_page_has_the_marks() -> None:
    text = page.PAGE.read_text()
    assert text.index(page.BEGIN) < text.index(page.END)


def test_the_plot_has_a_dot_for_each_gateway_that_answered_at_a_point() -> None:
    root = ET.fromstring(plot.svg(WHOLE))  # noqa: S314  # our own text
    dots = root.findall("{http://www.w3.org/2000/svg}circle")
    assert len(dots) == 12 + 12 + 1
    assert [dot.get("fill") for dot in dots].count(plot.OURS) == 12 + 1


def test_the_plots_axis_is_logarithmic_and_has_ends() -> None:
    assert (plot.x_of(0.01), plot.x_of(10), plot.x_of(1e9)) == (0, 120, 240)
