"""ipcomp: the CPI of an IP compression header (kernel: xt_ipcomp.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from iptables_emu.ext import nft
from iptables_emu.ext.api import Base, Gathered, Match, Opt, Region
from iptables_emu.ext.region import Header
from iptables_emu.ext.spi import ANY, SpiRange, given_spis, list_spis, save_spis, spi_clauses
from iptables_emu.options.types import uint_range


@dataclass(frozen=True, slots=True)
class Ipcomp(Match):
    """SPIs are inclusive (low, high), compared with the 16-bit CPI. The kernel does not look at ``reserved``."""

    NAME: ClassVar[str] = "ipcomp"
    PROTOCOLS: ClassVar[frozenset[int] | None] = frozenset({108})
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("ipcompspi", uint_range(32), invert=True, metavar="spi[:spi]", help="compression index, or a range"),
        Opt("compres", None, help="the reserved field is zero (the kernel ignores it)"),
    )

    spis: SpiRange = ANY
    inverted: bool = False
    reserved: bool = False

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        # without the option both ends stay 0, and so only that CPI matches
        spis, inverted = given_spis(given, "ipcompspi") if "ipcompspi" in given else ((0, 0), False)
        return cls(spis, inverted, "compres" in given)

    def save(self, base: Base) -> str:
        return save_spis("ipcompspi", self.spis, self.inverted, base) + (" --compres" if self.reserved else "")

    def listing(self, numeric: bool, base: Base) -> str:
        return f" comp {list_spis(self.spis, self.inverted)}" + (" reserved" if self.reserved else "")

    def translate(self, base: Base) -> str:
        return f"comp cpi {nft.unless(self.inverted)}{nft.span(*self.spis)}"

    def region(self, base: Base) -> Region:
        return Region((spi_clauses("cpi", "ipcompspi", self.spis, self.inverted, base),), Header(4))


EXTENSIONS = (Ipcomp,)
