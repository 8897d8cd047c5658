from __future__ import annotations

import re
from datetime import date

import pytest
from pydantic import ValidationError

from infra.gcp.costs import Prices, costs, months_use, prices
from tests.support.stacks import ROOT, deploy_stack


def test_a_start_and_a_month_in_each_tier() -> None:
    # 900 s of 2 vCPU and 1 GiB: 2 x 900 x 0.000018 + 900 x 0.000002
    assert costs("us-central1").start_usd == pytest.approx(0.0342)
    assert costs("asia-northeast3").start_usd == pytest.approx(0.0342 * 1.2)
    # 2,628,000 s of the same, less 240,000 x 0.000018 + 450,000 x 0.000002
    assert costs("us-central1").always_usd == pytest.approx(99.864 - 5.22)
    assert costs("asia-northeast3").always_usd == pytest.approx(99.864 * 1.2 - 5.22)


def test_what_is_free() -> None:
    assert costs("us-central1").free_starts == 133  # 240,000 / 1,800
    assert costs("asia-northeast3").free_starts == 111  # the free sum is of tier 1
    assert costs("asia-northeast3").tailnet_starts == 66  # 1,000 / 15


def test_what_instances_took_of_the_free_tiers() -> None:
    day = months_use("us-central1", 86_400)
    assert day.free_cpu == pytest.approx(172_800 / 240_000)
    assert day.free_memory == pytest.approx(86_400 / 450_000)
    assert day.tailnet == pytest.approx(1.44)
    assert day.usd == 0
    # In the second tier the same time takes 20 % more of the free sum.
    assert months_use("asia-northeast3", 86_400).free_cpu == pytest.approx(0.864)


def test_what_is_above_the_free_tier_is_charged_for_cpu_and_memory_apart() -> None:
    # 200,000 s: 400,000 vCPU-seconds, 160,000 above; 200,000 GiB-seconds, all free.
    assert months_use("us-central1", 200_000).usd == pytest.approx(160_000 * 0.000018)


def test_the_containers_are_what_the_costs_are_calculated_for() -> None:
    deployed = deploy_stack(ROOT / "Pulumi.dev.yaml")
    template = deployed.one("gcp:cloudrunv2/service:Service").inputs["template"]
    limits = [container["resources"]["limits"] for container in template["containers"]]
    assert limits == [{"cpu": "1", "memory": "512Mi"}] * 2
    assert [c["resources"]["cpuIdle"] for c in template["containers"]] == [False, False]
    assert template["scaling"]["maxInstanceCount"] == 1


def test_the_preview_shows_them() -> None:
    assert deploy_stack(ROOT / "Pulumi.dev.yaml").outputs["costs"] == {
        "whileNoInstanceRuns": "$0",
        "oneStart": "$0.041, its idle time included",
        "freeStarts": "111 a month",
        "awakeAllMonth": "$115",
        "tailscaleFreePlan": "66 starts a month",
        "listPricesOf": str(prices().read_on),
    }


def test_the_readmes_numbers_are_the_calculated_ones() -> None:
    readme = " ".join((ROOT / "README.md").read_text().split())
    cheap, default = costs("us-central1"), costs("asia-northeast3")
    for told in (
        f"about ${cheap.start_usd:.3f} in Google's cheaper regions",
        f"and ${default.start_usd:.3f} in the default one",
        f"covers {default.free_starts} to {cheap.free_starts} starts",
        f"about ${cheap.always_usd:.0f} to ${default.always_usd:.0f}",
        f"about {cheap.tailnet_starts} starts",
    ):
        assert told in readme


def test_prices_have_a_day_and_a_source_beside_each() -> None:
    assert date(2026, 1, 1) < prices().read_on
    text = (ROOT / "infra" / "gcp" / "prices.yaml").read_text()
    assert len(re.findall(r"https://", text)) == 9


def test_a_price_that_nothing_counts_is_refused() -> None:
    known = prices().model_dump()
    known["egress"]["gb_to_asia"] = 0.2
    with pytest.raises(ValidationError, match=r"egress\.gb_to_asia"):
        Prices.model_validate(known)
