"""What is open at one place of a text: objects and arrays, each inside the one before."""

from __future__ import annotations

from app.client.grounding.answers.tolerant_json.values import (
    Array,
    Number,
    Object,
    Pair,
    Value,
    Word,
)


class Stack:
    """Of what is open, the outermost first; what is closed is in the one that it stood in."""

    def __init__(self) -> None:
        self.open: list[Object | Array] = []
        self.round: set[int] = set()
        """Depths of what was opened by ``(``."""

    def push(self, new: Object | Array, *, is_round: bool = False) -> None:
        if is_round:
            self.round.add(len(self.open))
        if self.open:
            self.add(new)
        self.open.append(new)

    def add(self, value: Value) -> None:
        top = self.open[-1]
        if isinstance(top, Array):
            top.items.append(value)
        else:
            key, start = top.key or (None, value.start)
            top.pairs.append(Pair(key, start, value))
            top.key = None

    def depth_of(self, bracket: str) -> int | None:
        """The innermost that this bracket closes."""
        depths = reversed(range(len(self.open)))
        return next((depth for depth in depths if self._closes(bracket, depth)), None)

    def _closes(self, bracket: str, depth: int) -> bool:
        if bracket == ")":
            return depth in self.round
        is_object = isinstance(self.open[depth], Object)
        return is_object == (bracket == "}") and depth not in self.round

    def close_down_to(self, depth: int, end: int) -> None:
        while len(self.open) > depth:
            closed = self.open.pop()
            if len(self.open) in self.round and isinstance(closed, Array):
                closed.items = _without_brackets(closed.items)
            self.round.discard(len(self.open))
            self.settle(closed, end)
            closed.end, closed.closed = end, True

    def is_one_place(self) -> bool:
        """Four numbers in a list, or five, and nothing else."""
        match self.open:
            case [Array(items=items)]:
                return len(items) in (4, 5) and all(isinstance(item, Number) for item in items)
            case _:
                return False

    def end_inside(self, end: int) -> None:
        """The text ends here, and leaves open what is open."""
        for left in self.open:
            self.settle(left, end)
            left.end = end

    @staticmethod
    def settle(value: Object | Array, at: int) -> None:
        """A key without a value has an empty one."""
        if isinstance(value, Object) and value.key is not None:
            key, start = value.key
            value.pairs.append(Pair(key, start, Word("", at, at)))
            value.key = None


def _without_brackets(items: list[Value]) -> list[Value]:
    """Of ``([[10, …], [50, …]])``, which holds as many as its list."""
    match items:
        case [Array(items=inner)]:
            return inner
        case _:
            return items
