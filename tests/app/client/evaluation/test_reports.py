"""What the reports say, by literal lines."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PIL import Image

from app.client.evaluation.compare import compare
from app.client.evaluation.matching import XYXY
from app.client.evaluation.plot import plot
from app.client.evaluation.report import report
from app.client.evaluation.results import ResultsError
from app.client.evaluation.scores import score
from app.client.evaluation.worst import sheet, worst
from tests.app.client.evaluation.made import DOWN, RUN, result

HALF: XYXY = (0, 0, 10, 5)
FAR: XYXY = (50, 50, 60, 60)
BLUE, ORANGE = (37, 99, 235), (217, 115, 13)


def test_a_report_has_the_measures_the_counts_and_the_worst() -> None:
    results = [
        *(result(i) for i in range(1, 6)),
        result(6, [HALF]),
        result(7, [FAR], what="a|b"),
        result(8, []),
        result(9, failure=DOWN),
    ]
    text = report(replace(RUN, notes=("A note.",)), results, asked=12)
    lines = text.splitlines()
    assert lines[0] == "# Grounding: 7B on val"
    assert (
        "- 12 questions: 8 answered, 1 failures of the service, 0 of pictures, 3 not asked yet"
        in lines
    )
    assert "- A note." in lines
    rows = {line.split(" | ")[0][2:]: line.split(" | ")[1:] for line in lines if line[:2] == "| "}
    assert rows["mean IoU"][0] == "0.688"  # 5.5 of 8
    assert rows["mean IoU"][2] == "8 |"
    assert rows["mean IoU, one box asked for"][0] == "0.688"
    assert rows["right at 0.5, one box asked for"][0] == "0.750"
    assert rows["precision at 0.5"][0] == "0.857"  # 6 of 7
    assert rows["recall at 0.5"][0] == "0.750"
    assert rows["unreadable answers"][0] == "0.125"
    assert rows["first token"] == ["0.500", "0.500 |"]
    assert rows["whole answer"] == ["5.500", "9.000 |"]
    assert rows["cat"] == ["7", "0.786", "1.000", "0.857", "0.143 |"]
    assert rows["a\\|b"] == ["1", "0.000", "0.000", "0.000", "0.000 |"]
    assert rows["1 to 10 %"] == ["8", "0.688", "0.750 |"]
    assert rows["service: The server at home does not answer."] == ["1 |"]
    worst = lines[lines.index("## Worst answers") + 6 :]
    assert [line.split(" | ")[1] for line in worst[:3]] == ["7.jpg", "8.jpg", "6.jpg"]
    assert worst[3] == ""


def test_a_report_without_any_answer_has_no_values() -> None:
    text = report(RUN, [result(1, failure=DOWN)], asked=1)
    assert "| mean IoU | - | - | 0 |" in text
    assert "## Worst answers" not in text


def test_a_plot_shows_bars_and_both_curves() -> None:
    shown = plot("7B on val", [score(result(i, [HALF, FAR])) for i in range(5)])
    assert shown.size == (2240, 760)
    blank = plot("nothing", [])
    left, right = (0, 0, 1120, 760), (1120, 0, 2240, 760)
    # One of 20 bars, as high as the axis: 48 by 560 of the 2240 by 760.
    assert count(shown, left, BLUE) == pytest.approx(48 * 560, rel=0.1)
    assert count(blank, left, BLUE) == 0
    # Beside the legend, which is always there.
    for colour, least in ((BLUE, 7000), (ORANGE, 4000)):
        assert count(shown, right, colour) > count(blank, right, colour) + least > least


def test_the_worst_are_shown_with_true_boxes_green_and_answered_ones_red() -> None:
    results = [result(1), result(2, [FAR]), result(3, [HALF]), result(4, [(0, 0, 10, 10), FAR])]
    chosen = [r for r, _ in worst(results, [score(r) for r in results])]
    assert [r.question.id for r in chosen] == ["2", "3", "4"]
    shown = sheet(chosen, lambda _: Image.new("RGB", (100, 100)))
    assert shown.size == (1920, 394)
    # A picture of 100 by 100 is shown as 352 by 352 from (4, 34) on, its box FAR at 50 to 60.
    assert shown.getpixel((4 + 17, 34 + 1)) == (22, 163, 74)
    assert shown.getpixel((4 + 190, 34 + 177)) == (220, 38, 38)
    assert shown.getpixel((4 + 300, 34 + 300)) == (0, 0, 0)


def count(picture: Image.Image, part: tuple[int, int, int, int], colour: object) -> int:
    found = picture.crop(part).getcolors(1 << 20) or []
    return next((n for n, c in found if c == colour), 0)


def test_a_worse_model_is_called_worse_with_the_difference() -> None:
    a = [result(i) for i in range(20)]
    b = [result(i, [HALF] if i % 2 else [(0, 0, 10, 10)]) for i in range(20)]
    text = compare((RUN, a), (replace(RUN, label="AWQ"), b))
    assert text.startswith("# AWQ (B) against 7B (A) on val\n\n**B's boxes are worse**")
    assert "mean IoU -0.250, 95 % interval -0.3" in text
    assert "| mean IoU | 1.000 | 0.750 | -0.250 |" in text
    assert "| recall at 0.5 | 1.000 | 1.000 | +0.000 | +0.000 … +0.000 |" in text
    assert "| cat | 20 | 1.000 | 0.750 | -0.250 |" in text
    assert "## Most got worse" in text
    assert "| 1.jpg | cat | 1.00 | 0.50 |" in text
    assert "## Most got better" not in text
    assert "**B's boxes are better**: mean IoU +0.250" in compare((RUN, b), (RUN, a))


def test_equal_models_are_not_told_apart() -> None:
    results = [result(i, [HALF]) for i in range(20)]
    text = compare((RUN, results), (RUN, results))
    assert "**No difference was found**: mean IoU +0.000" in text
    assert "Most got" not in text


def test_a_difference_that_may_be_chance_is_not_called_one() -> None:
    a = [result(i, [HALF]) for i in range(20)]
    b = [result(i, [FAR] if i < 3 else [(0, 0, 10, 10)] if i < 6 else [HALF]) for i in range(20)]
    text = compare((RUN, a), (RUN, b))
    assert "**No difference was found**: mean IoU +0.000, 95 % interval -0.1" in text
    worse, better = text.split("## Most got worse")[1].split("## Most got better")
    assert [i for i in range(20) if f"| {i}.jpg" in worse] == [0, 1, 2]
    assert [i for i in range(20) if f"| {i}.jpg" in better] == [3, 4, 5]


def test_only_questions_that_both_answered_are_compared() -> None:
    a = [result(1, [FAR]), result(2), result(3, failure=DOWN), result(4)]
    b = [result(2), result(3), result(4, failure=DOWN)]
    text = compare((RUN, a), (replace(RUN, concurrency=8), b))
    assert "- both answered 1 questions (4 asked of A, 3 of B)" in text
    assert "| mean IoU | 1.000 | 1.000 | +0.000 | - |" in text
    assert "**Too few pictures to tell**" in text
    assert "**seconds cannot be compared**: 2 questions at once of A, 8 of B" in text


def test_results_of_different_questions_are_not_compared() -> None:
    with pytest.raises(ResultsError, match=r"different questions: val \(abc\) and val \(other\)"):
        compare((RUN, [result(1)]), (replace(RUN, digest="other"), [result(1)]))
    with pytest.raises(ResultsError, match="no question that both have answered"):
        compare((RUN, [result(1)]), (RUN, [result(2)]))
