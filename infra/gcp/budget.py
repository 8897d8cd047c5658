"""An alert by e-mail when a month costs more than was meant. It stops nothing."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

SHARES = (0.5, 0.9, 1.0)
"""Shares of the sum at which the billing account's administrators get a message."""


@dataclass(frozen=True, kw_only=True)
class BudgetArgs:
    """Inputs to :class:`Budget`."""

    billing_account: str
    project: str
    usd_per_month: int


class Budget(pulumi.ComponentResource):
    """The API that keeps budgets, and one for this project.

    Its provider needs ``user_project_override``: with a person's own credentials the API asks for
    a project to count its calls to.
    """

    def __init__(
        self, name: str, args: BudgetArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("personal-cloud-hub:gcp:Budget", name, {}, opts)
        api = gcp.projects.Service(
            f"{name}-api",
            service="billingbudgets.googleapis.com",
            disable_on_destroy=False,
            opts=pulumi.ResourceOptions(parent=self),
        )
        gcp.billing.Budget(
            f"{name}-month",
            billing_account=args.billing_account,
            display_name="personal-cloud-hub",
            budget_filter=gcp.billing.BudgetBudgetFilterArgs(projects=[f"projects/{args.project}"]),
            amount=gcp.billing.BudgetAmountArgs(
                specified_amount=gcp.billing.BudgetAmountSpecifiedAmountArgs(
                    currency_code="USD", units=str(args.usd_per_month)
                )
            ),
            threshold_rules=[
                gcp.billing.BudgetThresholdRuleArgs(threshold_percent=share) for share in SHARES
            ],
            opts=pulumi.ResourceOptions(parent=self, depends_on=[api]),
        )
        self.register_outputs({})
