"""The policy pack: `pulumi preview --policy-pack policy`."""

import sys
from pathlib import Path

from pulumi_policy import PolicyPack

# The engine runs this folder as a program of its own.
sys.path.insert(0, str(Path(__file__).parents[1]))

from policy.rules import RULES, as_policy

PolicyPack("personal-cloud-hub", [as_policy(name, rule) for name, rule in RULES.items()])
