from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import ValidationError

from infra.bill import IMAGES_GB, LARGEST_BODY_MB, SECRETS, Use, bill, impossible
from infra.config import DEFAULT_REGION, Limits
from infra.gcp.costs import costs, prices
from tests.support.stacks import ROOT, deploy_stack

HOUR_A_DAY = Use(awake_minutes_per_day=60)


def test_nobody_asks_and_the_cloud_costs_nothing() -> None:
    month = bill(Use(requests_per_day=0))
    assert (month.cloud, month.ephemeral_minutes) == (0, 0)
    # 80 W for 730 h at 0.15 a kWh
    assert month.electricity == pytest.approx(8.76)
    assert bill(Use(requests_per_day=0, home_hours_per_day=0)).total == 0


def test_requests_that_come_alone_keep_the_gateway_for_its_idle_time() -> None:
    assert Use(requests_per_day=10).awake_minutes == 150
    assert Use(requests_per_day=1000).awake_minutes == 1440
    assert bill(Use(requests_per_day=1000)).cloud_run == pytest.approx(
        costs("asia-northeast3").always_usd
    )


def test_an_hour_a_day() -> None:
    month = bill(HOUR_A_DAY)
    # 109,500 s: CPU 2 x 0.0000216 less the free 4.32, memory within the free 0.90
    assert month.cloud_run == pytest.approx(109_500 * 2 * 0.0000216 - 4.32)
    assert month.ephemeral_minutes == 1825
    # 50 a day: pictures of 786,432 pixels at 0.5 bytes, answers of 300 tokens at 216
    assert month.egress == pytest.approx(50 * 365 / 12 * 458_016 / 1e9 * 0.12)
    assert month.total == pytest.approx(month.cloud + month.electricity)


def test_a_dearer_tier_longer_use_and_a_dearer_kwh_cost_more() -> None:
    cheap = bill(replace(HOUR_A_DAY, region="us-central1"))
    assert cheap.cloud_run < bill(HOUR_A_DAY).cloud_run
    assert bill(replace(HOUR_A_DAY, kwh_usd=0.30)).electricity == pytest.approx(
        2 * bill(HOUR_A_DAY).electricity
    )
    # 334 W for 50 x 100 s a day instead of 50 x 10 s
    slow = bill(replace(HOUR_A_DAY, seconds_per_request=100)).electricity
    assert slow - bill(HOUR_A_DAY).electricity == pytest.approx(
        334 * 50 * 90 / 3600 * 365 / 12 / 1000 * 0.15
    )
    assert bill(replace(HOUR_A_DAY, idle_watts=0)).electricity < 0.3


def test_secrets_are_charged_above_the_free_reads() -> None:
    alone = bill(Use(requests_per_day=96, awake_minutes_per_day=None))
    assert alone.secrets == pytest.approx((4 * 2920 - 10_000) * 0.000003)


def test_the_program_keeps_as_many_secrets_as_are_paid_and_images_below_the_free_size() -> None:
    deployed = deploy_stack(ROOT / "Pulumi.dev.yaml")
    versions = [r for r in deployed.resources if r.typ.endswith("secretVersion:SecretVersion")]
    assert len(versions) == SECRETS <= prices().secrets.free_versions
    assert prices().registry.free_gb > IMAGES_GB


def test_the_largest_body_is_that_of_the_settings() -> None:
    with pytest.raises(ValidationError):
        Limits(body_mb=LARGEST_BODY_MB + 1)
    assert Limits(body_mb=LARGEST_BODY_MB)


def test_each_region_has_one_price_and_the_settings_own_is_among_them() -> None:
    run = prices().cloud_run
    assert not {*run.tier_1_regions} & {*run.tier_2_regions}
    assert DEFAULT_REGION in run.tier_2_regions
    for region in (*run.tier_1_regions, *run.tier_2_regions):
        assert impossible(Use(region=region)) is None
