"""What mark and connmark share: a mark under a mask (upstream: libxt_mark.c, libxt_connmark.c)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from iptables_emu.ext import nft
from iptables_emu.ext.api import Base, Gathered, Match, Region
from iptables_emu.ext.region import masked
from iptables_emu.options.types import show_mark_mask


@dataclass(frozen=True, slots=True)
class MarkMatch(Match):
    """``mark & mask == value``, as 32-bit numbers. ``FIELD`` is the packet's field, ``NFT`` its name in nft."""

    FIELD: ClassVar[str]
    NFT: ClassVar[str]

    value: int
    mask: int
    inverted: bool = False

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        value, mask = given["mark"].value
        return cls(value, mask, given["mark"].inverted)

    def save(self, base: Base) -> str:
        return f"{' !' if self.inverted else ''} --mark{show_mark_mask(self.value, self.mask)}"

    def translate(self, base: Base) -> str:
        return f"{self.NFT} {nft.masked(self.value, self.mask, self.inverted)}"

    def region(self, base: Base) -> Region:
        return Region(((masked(self.FIELD, self.value, self.mask, self.inverted, self.save(base).strip()),),))
