"""esp: the SPI of an ESP header (kernel: xt_esp.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from iptables_emu.ext.api import Base, Gathered, Match, Opt, Region
from iptables_emu.ext.region import Header
from iptables_emu.ext.spi import ANY, SpiRange, given_spis, list_spis, nft_spis, save_spis, spi_clauses
from iptables_emu.options.types import uint_range


@dataclass(frozen=True, slots=True)
class Esp(Match):
    """SPIs are inclusive (low, high)."""

    NAME: ClassVar[str] = "esp"
    PROTOCOLS: ClassVar[frozenset[int] | None] = frozenset({50})
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("espspi", uint_range(32), invert=True, metavar="spi[:spi]", help="security parameter index, or a range"),
    )

    spis: SpiRange = ANY
    inverted: bool = False

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        return cls(*given_spis(given, "espspi"))

    def save(self, base: Base) -> str:
        return save_spis("espspi", self.spis, self.inverted, base)

    def listing(self, numeric: bool, base: Base) -> str:
        shown = list_spis(self.spis, self.inverted)
        return f" esp {shown}" if shown else " esp"

    def translate(self, base: Base) -> str:
        header = "meta l4proto esp" if base.family == 4 else "exthdr esp exists"
        return nft_spis("esp", self.spis, self.inverted) or header

    def region(self, base: Base) -> Region:
        return Region((spi_clauses("spi", "espspi", self.spis, self.inverted, base),), Header(8))


EXTENSIONS = (Esp,)
