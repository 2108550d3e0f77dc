"""What to take for granted where a match cannot be known: nothing, unless the user says so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence


class Assumptions:
    """Answers for the matches that cannot be known, in the order in which a packet meets them.

    ``given`` come first, then ``rest`` for all others (None: stop there, the verdict is unknown).
    ``asked`` keeps what was asked, ``answers`` what was answered.
    """

    def __init__(self, rest: bool | None = None, given: Sequence[bool] = ()) -> None:
        self.rest, self.given = rest, tuple(given)
        self.asked: list[str] = []

    def __call__(self, what: str) -> bool | None:
        """Whether to take it that this matches."""
        number = len(self.asked)
        self.asked.append(what)
        return self.given[number] if number < len(self.given) else self.rest

    @property
    def answers(self) -> tuple[bool, ...]:
        if self.rest is None:
            return self.given[: len(self.asked)]
        return (*self.given, *[bool(self.rest)] * len(self.asked))[: len(self.asked)]

    def others(self) -> Iterator[tuple[bool, ...]]:
        """The other ways that open where ``rest`` was taken, nearest first."""
        for number in range(len(self.given), len(self.asked)):
            yield (*self.answers[:number], not self.rest)
