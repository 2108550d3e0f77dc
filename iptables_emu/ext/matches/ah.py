"""ah: the authentication header (kernel: ipt_ah.c, ip6t_ah.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from iptables_emu.ext import nft
from iptables_emu.ext.api import Base, Compile, Gathered, Match, Opt, Region, Test
from iptables_emu.ext.region import Header
from iptables_emu.ext.spi import ANY, SpiRange, given_spis, list_spis, nft_spis, save_spis, spi_clauses
from iptables_emu.options.types import uint, uint_range
from iptables_emu.packet.exthdr import AH, find_header, header_length

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet

SPI = Opt("ahspi", uint_range(32), invert=True, metavar="spi[:spi]", help="security parameter index, or a range")


@dataclass(frozen=True, slots=True)
class Ah(Match):
    """SPIs are inclusive (low, high)."""

    NAME: ClassVar[str] = "ah"
    FAMILIES: ClassVar[tuple[int, ...]] = (4,)
    PROTOCOLS: ClassVar[frozenset[int] | None] = frozenset({51})
    OPTIONS: ClassVar[Sequence[Opt]] = (SPI,)

    spis: SpiRange = ANY
    inverted: bool = False

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        return cls(*given_spis(given, "ahspi"))

    def save(self, base: Base) -> str:
        return save_spis("ahspi", self.spis, self.inverted, base)

    def listing(self, numeric: bool, base: Base) -> str:
        return f" ah {list_spis(self.spis, self.inverted)}"

    def translate(self, base: Base) -> str:
        return nft_spis("ah", self.spis, self.inverted) or "meta l4proto ah"

    def region(self, base: Base) -> Region:
        return Region((spi_clauses("ah_spi", "ahspi", self.spis, self.inverted, base),), Header(12))


@dataclass(frozen=True, slots=True)
class Ah6(Match):
    """The header may stand anywhere in the chain. ``length`` 0 means none asked, in bytes."""

    NAME: ClassVar[str] = "ah"
    FAMILIES: ClassVar[tuple[int, ...]] = (6,)
    OPTIONS: ClassVar[Sequence[Opt]] = (
        SPI,
        Opt("ahlen", uint(32), invert=True, metavar="length", help="bytes of the header"),
        Opt("ahres", None, help="the reserved field is zero"),
    )

    spis: SpiRange = ANY
    not_spis: bool = False
    length: int = 0
    not_length: bool = False
    reserved: bool = False

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        spis, not_spis = given_spis(given, "ahspi")
        length = given.get("ahlen")
        return cls(
            spis, not_spis, length.value if length else 0, bool(length and length.inverted), "ahres" in given
        )

    def save(self, base: Base) -> str:
        out = save_spis("ahspi", self.spis, self.not_spis, base)
        if self.length or self.not_length:
            out += f"{' !' if self.not_length else ''} --ahlen {self.length}"
        return out + (" --ahres" if self.reserved else "")

    def listing(self, numeric: bool, base: Base) -> str:
        out = f" ah {list_spis(self.spis, self.not_spis)}"
        if self.length or self.not_length:
            out += f"length:{'!' if self.not_length else ''}{self.length}"
        return out + (" reserved" if self.reserved else "")

    def translate(self, base: Base) -> str:
        words = [nft_spis("ah", self.spis, self.not_spis)]
        if self.length or self.not_length:
            words.append(f"ah hdrlength {nft.unless(self.not_length)}{self.length}")
        words.append("ah reserved 1" if self.reserved else "")
        return " ".join(filter(None, words)) or "exthdr ah exists"

    def compile(self, cx: Compile) -> Test:
        low, high = self.spis

        def test(pkt: Packet, ctx: Context) -> bool:
            at = find_header(pkt, AH, quiet=False)
            if at is None:
                return False
            head = pkt.data[at : at + 12]
            # the whole header must be there, whatever is asked of it
            if at + max(12, header_length(pkt.data, AH, at)) > len(pkt.data):
                pkt.hotdrop = True
                return False
            spi, length = int.from_bytes(head[4:8], "big"), (head[1] + 2) * 4
            if (low <= spi <= high) is self.not_spis:
                return False
            if self.length and (length == self.length) is self.not_length:
                return False
            return not (self.reserved and any(head[2:4]))

        return test


EXTENSIONS = (Ah, Ah6)
