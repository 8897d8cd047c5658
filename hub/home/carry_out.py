"""Look, do the first step that is left, look again, until none is left.

So it makes no difference whether a step was done by this run, by one that was interrupted, or by
hand: what the server is like decides what comes next.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from hub.home.facts import Facts, look
from hub.home.machine import HomeError, Machine
from hub.home.requirements import Problem, problems
from hub.home.steps import Step, recorded, steps
from hub.home.undo import undoing

Tell = Callable[[Step], None]


def install(machine: Machine, control_url: str | None, tell: Tell) -> Facts:
    """Do all steps that are left; the facts at the end.

    Raises:
        HomeError: a step fails, or has no effect, or a person has to settle something first.
    """

    def left(facts: Facts) -> list[Step]:
        refuse(problems(facts))
        return [replace(step, script=recorded(step)) for step in steps(facts, control_url)]

    return _until_none_is_left(machine, left, tell)


def uninstall(machine: Machine, tell: Tell) -> Facts:
    """Restore what was there before; the facts at the end.

    Raises:
        HomeError: a step fails, or has no effect.
    """
    return _until_none_is_left(machine, undoing, tell)


def refuse(found: list[Problem]) -> None:
    """Raise what a person has to settle first.

    Raises:
        HomeError: naming each problem with its remedy.
    """
    if found:
        told = "\n".join(f"- {one.what}\n  {one.remedy}" for one in found)
        raise HomeError(f"The server is not ready:\n{told}")


def _until_none_is_left(machine: Machine, left: Callable[[Facts], list[Step]], tell: Tell) -> Facts:
    last = ""
    while True:
        facts = look(machine)
        remaining = left(facts)
        if not remaining:
            return facts
        step = remaining[0]
        if step.name == last:
            raise HomeError(
                f"This was done, and the server does not show it: {step.does}. `hub home check` "
                "shows the server as it is; the same command goes on from here."
            )
        tell(step)
        if not machine.show(step.script):
            raise HomeError(
                f"This failed: {step.does}. What it says above is the reason. The same command "
                "goes on from here."
            )
        last = step.name
