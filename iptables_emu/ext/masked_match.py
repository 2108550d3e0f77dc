"""A number of the packet under a mask: mark, connmark, tos, realm (upstream: libxt_mark.c and its like)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from iptables_emu.ext import nft
from iptables_emu.ext.api import Base, Gathered, Match, Region
from iptables_emu.ext.region import masked
from iptables_emu.options.types import show_mark_mask


@dataclass(frozen=True, slots=True)
class MaskedMatch(Match):
    """``number & mask == value``, by the one option ``OPTION``."""

    OPTION: ClassVar[str]

    value: int
    mask: int
    inverted: bool = False

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        value, mask = given[cls.OPTION].value
        return cls(value, mask, given[cls.OPTION].inverted)

    def save(self, base: Base) -> str:
        return f"{' !' if self.inverted else ''} --{self.OPTION}{self.shown()}"

    def shown(self) -> str:
        """`` value/mask`` as iptables-save has it."""
        return show_mark_mask(self.value, self.mask)


@dataclass(frozen=True, slots=True)
class MarkMatch(MaskedMatch):
    """A mark of 32 bits. ``FIELD`` is the packet's field, ``NFT`` its name in nft."""

    OPTION: ClassVar[str] = "mark"
    FIELD: ClassVar[str]
    NFT: ClassVar[str]

    def translate(self, base: Base) -> str:
        return f"{self.NFT} {nft.masked(self.value, self.mask, self.inverted)}"

    def region(self, base: Base) -> Region:
        return Region(((masked(self.FIELD, self.value, self.mask, self.inverted, self.save(base).strip()),),))
