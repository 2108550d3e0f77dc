"""What the makers of option values draw from; what they say of a packet goes into the wish."""

from __future__ import annotations

import random
from dataclasses import dataclass

from tests.kernel.fuzz.hosts import Net
from tests.kernel.fuzz.wishes import Wish

U32 = 0xFFFFFFFF


@dataclass(slots=True)
class Draw:
    """Chance, the host, and the place of the rule that is being written."""

    rng: random.Random
    net: Net
    table: str
    hook: str
    wish: Wish

    @property
    def six(self) -> bool:
        return self.net.family == 6

    def often(self, share: float) -> bool:
        return self.rng.random() < share

    def of(self, *choices: object) -> str:
        return str(self.rng.choice(choices))

    def some(self, choices: tuple[str, ...], most: int = 4, sep: str = ",") -> str:
        """A few of the choices, joined."""
        return sep.join(self.rng.sample(choices, self.rng.randint(1, min(most, len(choices)))))

    def near(self, value: int, top: int) -> int:
        """The value or one beside it: what a packet at the edge of a rule has."""
        return max(0, min(top, value + self.rng.choice((-1, 0, 0, 0, 1))))

    def number(self, key: str, pool: tuple[int, ...], top: int) -> str:
        """A number that the wish's packet is near."""
        value = self.rng.choice(pool)
        self.wish[key] = self.near(value, top)
        return self.of(value, value, value, hex(value))

    def span(self, key: str, pool: tuple[int, ...], top: int, opened: bool = True) -> str:
        """``n``, ``n:m``, ``:n`` or ``n:``; the packet is near an end."""
        low = self.rng.choice(pool)
        high = min(top, low + self.rng.choice((0, 1, 2, 10, 1000)))
        self.wish[key] = self.near(self.rng.choice((low, high)), top)
        forms = [f"{low}", f"{low}", f"{low}:{high}", f"{low}:{high}"]
        return self.of(*forms, *((f":{high}", f"{low}:") if opened else ()))

    def less_or_more(self, key: str, pool: tuple[int, ...], top: int) -> str:
        """A number to be compared with."""
        value = self.rng.choice(pool)
        self.wish[key] = self.near(value, top)
        return str(value)

    def masked(self, key: str, pool: tuple[int, ...], masks: tuple[str, ...]) -> str:
        """A value with or without a mask."""
        value = self.rng.choice(pool)
        self.wish[key] = value ^ self.rng.choice((0, 0, 0, 1, 0x80))
        return f"{value:#x}{self.rng.choice(masks)}"

    def address(self, key: str = "") -> str:
        found = self.rng.choice(self.net.everyone)
        if key:
            self.wish[key] = found
        return found

    def prefix(self, key: str = "") -> str:
        """An address, mostly with a mask."""
        bits = (0, 16, 48, 64, 120, 127, 128) if self.six else (0, 8, 16, 24, 28, 31, 32)
        return self.address(key) + self.of("", f"/{self.rng.choice(bits)}", f"/{self.rng.choice(bits)}")
