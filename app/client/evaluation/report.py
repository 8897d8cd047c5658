"""A run's report in Markdown."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable, Sequence

from app.client.evaluation.bootstrap import estimate
from app.client.evaluation.markdown import cell, interval, number, table
from app.client.evaluation.matching import XYXY, area
from app.client.evaluation.results import Result, Run
from app.client.evaluation.scores import (
    HALF,
    MEASURES,
    Score,
    mean_iou,
    precision,
    ratio,
    recall,
    score,
    unreadable,
)
from app.client.evaluation.worst import worst

MOST_FAILURES = 10
MOST_GROUPS = 30

_METHOD = f"""## How it was measured

- Each true box is matched with one answered box, the pair of best IoU first. A true box without an
  answer counts as IoU 0. Where one box was asked for, the first one answered counts.
- An answer that cannot be read counts as an answer without boxes. Questions without an answer are
  in no measure of quality: they are counted as failures.
- Boxes in a crowd region are neither right nor wrong. Categories that are not in a picture are
  not asked for, so invented objects show up only beside real ones.
- Intervals: 95 %, bootstrap over pictures (2000 draws, fixed seed). Found means IoU ≥ {HALF}.
"""


def report(run: Run, results: Sequence[Result], asked: int) -> str:
    """Markdown; ``asked``: how many questions the run was to ask."""
    answered = [r for r in results if r.failure is None]
    failed = {
        of: sum(r.failure is not None and r.failure.of == of for r in results)
        for of in ("service", "picture")
    }
    scores = [score(r) for r in answered]
    parts = [
        f"# Grounding: {cell(run.label)} on {cell(run.set)}",
        "",
        "![IoU of the boxes, precision and recall](plot.png)",
        "",
        f"- model: `{run.model}`, pictures of {run.min_pixels} to {run.max_pixels} pixels",
        (
            f"- {asked} questions: {len(answered)} answered, {failed['service']} failures of the "
            f"service, {failed['picture']} of pictures, {asked - len(results)} not asked yet"
        ),
        f"- begun {run.begun}; set {run.digest}",
        *(f"- {note}" for note in run.notes),
        "",
        *table(("measure", "value", "95 % interval", "over"), _measures(scores)),
        *_latency(run, answered),
        *_groups(answered, scores),
        *_by_share(answered, scores),
        *_worst(answered, scores),
        *_failures(results),
        _METHOD,
    ]
    return "\n".join(parts)


def _measures(scores: Sequence[Score]) -> Iterable[tuple[str, ...]]:
    pictures = [s.picture for s in scores]
    for name, measure in MEASURES.items():
        found = estimate(pictures, [measure(s) for s in scores])
        yield name, number(found.value), interval(found.interval), f"{found.over:.0f}"


def _latency(run: Run, answered: Sequence[Result]) -> Iterable[str]:
    rows = [
        (name, number(statistics.median(times)), number(percentile_95(times)))
        for name, times in (
            ("first token", [r.first_token for r in answered if r.first_token is not None]),
            ("whole answer", [r.seconds for r in answered if r.seconds is not None]),
        )
        if times
    ]
    at_once = f"{run.concurrency} at once" if run.concurrency > 1 else "one after the other"
    yield from table((f"seconds, asked {at_once}", "median", "95th percentile"), rows)


def percentile_95(values: Sequence[float]) -> float:
    """The least value that 95 % of all do not exceed (nearest rank)."""
    return sorted(values)[-(-95 * len(values) // 100) - 1]


def _groups(answered: Sequence[Result], scores: Sequence[Score]) -> Iterable[str]:
    for tag in dict.fromkeys(tag for r in answered for tag in r.question.tags):
        groups: dict[str, list[Score]] = defaultdict(list)
        for result, found in zip(answered, scores, strict=True):
            if tag in result.question.tags:
                groups[result.question.tags[tag]].append(found)
        largest = sorted(groups.items(), key=lambda group: -len(group[1]))
        head = (tag, "questions", "mean IoU", "precision", "recall", "unreadable")
        yield f"## By {tag}"
        yield ""
        yield from table(
            head,
            [
                (
                    cell(name),
                    str(len(group)),
                    *(
                        number(ratio([measure(s) for s in group]))
                        for measure in (mean_iou, precision, recall, unreadable)
                    ),
                )
                for name, group in largest[:MOST_GROUPS]
            ],
        )
        if len(largest) > MOST_GROUPS:
            yield f"{len(largest) - MOST_GROUPS} more, with fewer questions, are not listed."
            yield ""


_SHARES: tuple[tuple[str, float], ...] = (
    ("below 1 %", 0.01),
    ("1 to 10 %", 0.1),
    ("10 % and more", float("inf")),
)


def _by_share(answered: Sequence[Result], scores: Sequence[Score]) -> Iterable[str]:
    groups: dict[str, list[float]] = {name: [] for name, _ in _SHARES}
    for result, found in zip(answered, scores, strict=True):
        if result.picture is not None:
            for box, best in zip(result.question.boxes, found.truth, strict=True):
                groups[_share(box, result.picture)].append(best)
    yield "## By the share of the picture that a true box covers"
    yield ""
    yield from table(
        ("share", "true boxes", "mean IoU", "found"),
        [
            (name, str(len(ious)), number(sum(ious) / len(ious)), number(_found(ious)))
            for name, ious in groups.items()
            if ious
        ],
    )


def _share(box: XYXY, picture: tuple[int, int]) -> str:
    share = area(box) / (picture[0] * picture[1])
    return next(name for name, below in _SHARES if share < below)


def _found(ious: Sequence[float]) -> float:
    return sum(iou >= HALF for iou in ious) / len(ious)


def _worst(answered: Sequence[Result], scores: Sequence[Score]) -> Iterable[str]:
    if not (pairs := worst(answered, scores)):
        return
    yield "## Worst answers"
    yield ""
    yield "![True boxes green, answered ones red](worst.png)"
    yield ""
    yield from table(
        ("", "picture", "asked for", "IoU of each true box", "boxes answered", "answer"),
        [
            (
                str(i),
                cell(result.question.picture),
                cell(result.question.what),
                " ".join(f"{best:.2f}" for best in found.truth[:8]),
                str(len(result.boxes)),
                cell(result.answer[:80]),
            )
            for i, (result, found) in enumerate(pairs, 1)
        ],
    )


def _failures(results: Sequence[Result]) -> Iterable[str]:
    counts: dict[str, int] = defaultdict(int)
    for result in results:
        if result.failure is not None:
            counts[f"{result.failure.of}: {result.failure.message}"] += 1
    if counts:
        yield "## Failures"
        yield ""
        rows = sorted(counts.items(), key=lambda pair: -pair[1])[:MOST_FAILURES]
        yield from table(("what", "times"), [(cell(told), str(n)) for told, n in rows])
