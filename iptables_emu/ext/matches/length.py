"""length: the length that the IP header tells (kernel: xt_length.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from iptables_emu.ext import nft
from iptables_emu.ext.api import Base, Gathered, Match, Opt, Region
from iptables_emu.ext.region import within
from iptables_emu.options.types import uint_range


@dataclass(frozen=True, slots=True)
class Length(Match):
    """Bytes from ``low`` to ``high``, headers included."""

    NAME: ClassVar[str] = "length"
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("length", uint_range(16), invert=True, mandatory=True, metavar="length[:length]",
            help="bytes of the whole packet, one number or a range"),
    )  # fmt: skip

    low: int
    high: int
    inverted: bool = False

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        bounds = given["length"].value
        return cls(bounds[0], bounds[-1], given["length"].inverted)

    def _range(self) -> str:
        return str(self.low) if self.low == self.high else f"{self.low}:{self.high}"

    def save(self, base: Base) -> str:
        return f"{' !' if self.inverted else ''} --length {self._range()}"

    def listing(self, numeric: bool, base: Base) -> str:
        return f" length {'!' if self.inverted else ''}{self._range()}"

    def translate(self, base: Base) -> str:
        return f"meta length {nft.unless(self.inverted)}{nft.span(self.low, self.high)}"

    def region(self, base: Base) -> Region:
        return Region(((within("length", ((self.low, self.high),), self.inverted, self.save(base).strip()),),))


EXTENSIONS = (Length,)
