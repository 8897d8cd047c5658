"""`hub plan`: what fits the GPU, how fast it answers, and what a month costs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, get_args

import typer
from rich.console import Console

from app.model.forecast.memory import ANSWER_TOKENS, PICTURE, Request
from app.model.forecast.plan import Plan, crowding, plan, refusal
from app.model.forecast.vllm_log import Reported
from app.model.image_tokens import Size
from app.model.profiles import PROFILES, RTX_3090_GIB, ProfileName
from hub import plan_tables as tables
from hub.vllm_log import reported_by_the_model_server
from hub.words import told_in_words
from infra.bill import Use, bill, impossible
from infra.config import DEFAULT_REGION
from twin.errors import TwinError

app = typer.Typer()
console = Console(highlight=False)
SERVED: tuple[ProfileName, ...] = tuple(n for n in get_args(ProfileName) if n != "tiny")
"""The twin's model needs no forecast; `--profile tiny` has one all the same."""


@app.command("plan", rich_help_panel="Look")
def command(  # noqa: PLR0913  # one for each option
    profile: Annotated[
        list[str] | None,
        typer.Option(
            help=f"One of {', '.join(PROFILES)}. Without it, each that can be deployed; given "
            "twice, two pods on one GPU."
        ),
    ] = None,
    *,
    users: Annotated[int, typer.Option(min=1, max=1000, help="Who ask at the same moment.")] = 1,
    picture: Annotated[
        str, typer.Option(help="Its size, or `none`.")
    ] = f"{PICTURE.width}x{PICTURE.height}",
    answer: Annotated[int, typer.Option(min=2, help="Tokens of one answer.")] = ANSWER_TOKENS,
    gpu_memory: Annotated[
        float,
        typer.Option(min=1, max=200, help="GiB that CUDA reports, as in `home.gpuMemoryGib`."),
    ] = RTX_3090_GIB,
    requests: Annotated[int, typer.Option(min=0, help="Requests a day.")] = 50,
    awake: Annotated[
        float | None,
        typer.Option(min=0, max=1440, help="Minutes a day that the gateway is awake."),
    ] = None,
    home_hours: Annotated[
        float, typer.Option(min=0, max=24, help="Hours a day that home is switched on.")
    ] = 24,
    kwh: Annotated[
        float | None, typer.Option(min=0, max=10, help="Price of a kWh, dollars.")
    ] = None,
    idle_watts: Annotated[
        float | None, typer.Option(min=0, max=10_000, help="What home draws while nobody asks.")
    ] = None,
    region: Annotated[str, typer.Option(help="Google's region.")] = DEFAULT_REGION,
    calibrate: Annotated[
        bool, typer.Option("--calibrate", help="Use vLLM's own figures, from its log.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """Forecast memory, speed and cost. Asks nobody: no stack, GPU or account is needed.

    [bold]How to read it[/bold]

    vLLM may use a share of the card. What weights, CUDA and the largest step leave of it is the KV
    cache. It holds the tokens of all requests that are answered at once. "Roofline" is how fast a
    prompt could be read and an answer be written if only the tensor cores, or only the memory,
    limited it. "First token" is how long one waits until the answer begins. All users ask at the
    same moment, which is the worst case.

    Without --awake each request comes alone and keeps the gateway's instance for 15 minutes.
    docs/forecast.md has the formulas, and published readings beside their forecast.

    [bold]Examples[/bold]

    hub plan                                                  all profiles on an RTX 3090

    hub plan --profile 7b --users 8 --picture 1920x1080 --answer 100

    hub plan --requests 200 --awake 120 --kwh 0.25            a month's bill

    hub plan --calibrate                                      after the first start

    [bold]Environment variables[/bold]

    KUBECONFIG: with --calibrate, the cluster with the model server; without it the twin in
    HUB_STATE.
    """
    with told_in_words():
        request = Request(picture=_size(picture), answer_tokens=answer)
        log = reported_by_the_model_server() if calibrate else None
        names: Sequence[ProfileName] = [_known(name) for name in profile] if profile else SERVED
        if log:
            names = [_served(log)]
        card = log.card_gib if log and log.card_gib else gpu_memory
        plans = [_plan(name, card, request, users, log) for name in names]
        size = request.picture or Size(0, 0)
        use = Use(
            region=region,
            requests_per_day=requests,
            awake_minutes_per_day=awake,
            picture_pixels=size.width * size.height,
            answer_tokens=answer,
            seconds_per_request=plans[0].seconds_per_request,
            home_hours_per_day=home_hours,
            kwh_usd=kwh,
            idle_watts=idle_watts,
        )
        if why := impossible(use):
            raise TwinError(f"This cannot be: {why}")
        month = bill(use)
        if as_json:
            print(json.dumps(tables.as_data(plans, use, month, log), indent=2))  # noqa: T201
        else:
            if log:
                console.print(tables.comparison(plans[0].profile, log))
            console.print(tables.plans(plans))
            console.print(tables.month(use, month))
        if log is None:  # else vLLM has started
            _refuse(plans, together=bool(profile))


def _refuse(plans: Sequence[Plan], *, together: bool) -> None:
    told = [why for one in plans if (why := refusal(one.name, one.card_gib))]
    if not told and together and (crowded := crowding(plans)):
        told = [crowded]
    if told:
        raise TwinError("; ".join(told))


def _known(profile: str) -> ProfileName:
    for name in PROFILES:
        if name == profile:
            return name
    raise TwinError(f"No profile is named {profile!r}; there are: {', '.join(PROFILES)}")


def _served(log: Reported) -> ProfileName:
    for name, known in PROFILES.items():
        if known.model == log.model:
            return name
    raise TwinError(f"The model server serves {log.model}, which is none of the profiles.")


def _plan(
    name: ProfileName, card_gib: float, request: Request, users: int, log: Reported | None
) -> Plan:
    try:
        return plan(name, card_gib, request, users, log)
    except ValueError as error:  # too long, or no picture at all
        raise TwinError(f"This cannot be answered: {error}") from error


def _size(text: str) -> Size | None:
    if text == "none":
        return None
    width, x, height = text.partition("x")
    if not (x and width.isdecimal() and height.isdecimal()):
        raise TwinError(f"{text!r} is no picture size; write WIDTHxHEIGHT in pixels, or none")
    return Size(int(width), int(height))
