"""Two runs over the same questions, side by side: is the smaller model good enough?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.client.evaluation.bootstrap import Estimate, difference
from app.client.evaluation.markdown import cell, interval, number, table
from app.client.evaluation.results import Result, ResultsError, Run
from app.client.evaluation.scores import MEASURES, Score, mean_iou, ratio, score

MOST_CHANGED = 10


@dataclass(frozen=True)
class _Pair:
    """One question that both have answered."""

    a: Result
    b: Result
    score_a: Score
    score_b: Score

    @property
    def change(self) -> float:
        """Of the mean IoU."""
        return (sum(self.score_b.truth) - sum(self.score_a.truth)) / len(self.score_a.truth)


def compare(a: tuple[Run, Sequence[Result]], b: tuple[Run, Sequence[Result]]) -> str:
    """Markdown; differences are B minus A on the questions that both have answered.

    Raises:
        ResultsError: they answer different questions.
    """
    (run_a, results_a), (run_b, results_b) = a, b
    if run_a.digest != run_b.digest:
        raise ResultsError(
            f"These are results of different questions: {run_a.set} ({run_a.digest}) and "
            f"{run_b.set} ({run_b.digest})."
        )
    answered_b = {r.question.id: r for r in results_b if r.failure is None}
    pairs = [
        _Pair(r, other, score(r), score(other))
        for r in results_a
        if r.failure is None and (other := answered_b.get(r.question.id)) is not None
    ]
    if not pairs:
        raise ResultsError("There is no question that both have answered.")
    return "\n".join(
        [
            f"# {cell(run_b.label)} (B) against {cell(run_a.label)} (A) on {cell(run_a.set)}",
            "",
            _verdict(_difference(pairs)),
            "",
            f"- A: `{run_a.model}`, begun {run_a.begun}",
            f"- B: `{run_b.model}`, begun {run_b.begun}",
            (
                f"- both answered {len(pairs)} questions ({len(results_a)} asked of A, "
                f"{len(results_b)} of B); all of this is about those"
            ),
            *_unequal(run_a, run_b),
            "",
            *table(("measure", "A", "B", "B minus A", "95 % interval"), _measures(pairs)),
            *_groups(pairs),
            *_changes("Most got worse", sorted(pairs, key=lambda p: p.change), -1),
            *_changes("Most got better", sorted(pairs, key=lambda p: -p.change), 1),
            "Intervals: bootstrap over pictures, the same for both (2000 draws, fixed seed).",
            "",
        ]
    )


def _difference(pairs: Sequence[_Pair]) -> Estimate:
    return difference(
        [p.a.question.picture for p in pairs],
        [mean_iou(p.score_a) for p in pairs],
        [mean_iou(p.score_b) for p in pairs],
    )


def _verdict(found: Estimate) -> str:
    by = f"mean IoU {number(found.value, '+')}"
    if found.interval is None:
        return f"**Too few pictures to tell**: {by}."
    low, high = found.interval
    lies = f"{by}, 95 % interval {interval(found.interval, '+')}"
    if high < 0:
        return f"**B's boxes are worse**: {lies}."
    if low > 0:
        return f"**B's boxes are better**: {lies}."
    return f"**No difference was found**: {lies}. A difference beyond these bounds is unlikely."


def _unequal(a: Run, b: Run) -> Iterable[str]:
    if a.concurrency != b.concurrency:
        yield (
            f"- **seconds cannot be compared**: {a.concurrency} questions at once of A, "
            f"{b.concurrency} of B"
        )
    if (a.min_pixels, a.max_pixels) != (b.min_pixels, b.max_pixels):
        yield (
            f"- pictures were sent at different sizes: at most {a.max_pixels} pixels to A, "
            f"{b.max_pixels} to B"
        )


def _measures(pairs: Sequence[_Pair]) -> Iterable[tuple[str, ...]]:
    pictures = [p.a.question.picture for p in pairs]
    sides = {
        name: ([measure(p.score_a) for p in pairs], [measure(p.score_b) for p in pairs])
        for name, measure in MEASURES.items()
    }
    sides["mean seconds to the first token"] = (
        [(p.a.first_token or 0, 1) for p in pairs],
        [(p.b.first_token or 0, 1) for p in pairs],
    )
    sides["mean seconds to the whole answer"] = (
        [(p.a.seconds or 0, 1) for p in pairs],
        [(p.b.seconds or 0, 1) for p in pairs],
    )
    for name, (before, after) in sides.items():
        found = difference(pictures, before, after)
        yield (
            name,
            number(ratio(before)),
            number(ratio(after)),
            number(found.value, "+"),
            interval(found.interval, "+"),
        )


def _groups(pairs: Sequence[_Pair]) -> Iterable[str]:
    for tag in dict.fromkeys(tag for p in pairs for tag in p.a.question.tags):
        groups: dict[str, list[_Pair]] = defaultdict(list)
        for pair in pairs:
            if tag in pair.a.question.tags:
                groups[pair.a.question.tags[tag]].append(pair)
        largest = sorted(groups.items(), key=lambda group: -len(group[1]))[:30]
        yield f"## Mean IoU by {tag}"
        yield ""
        yield from table(
            (tag, "questions", "A", "B", "B minus A", "95 % interval"),
            [
                (
                    cell(name),
                    str(len(group)),
                    number(ratio([mean_iou(p.score_a) for p in group])),
                    number(ratio([mean_iou(p.score_b) for p in group])),
                    number((found := _difference(group)).value, "+"),
                    interval(found.interval, "+"),
                )
                for name, group in largest
            ],
        )


def _changes(title: str, pairs: Sequence[_Pair], sign: int) -> Iterable[str]:
    if not (changed := [p for p in pairs[:MOST_CHANGED] if p.change * sign > 0]):
        return
    yield f"## {title}"
    yield ""
    yield from table(
        ("picture", "asked for", "A's IoU", "B's IoU", "B's answer"),
        [
            (
                cell(p.a.question.picture),
                cell(p.a.question.what),
                " ".join(f"{iou:.2f}" for iou in p.score_a.truth[:8]),
                " ".join(f"{iou:.2f}" for iou in p.score_b.truth[:8]),
                cell(p.b.answer[:80]),
            )
            for p in changed
        ],
    )
