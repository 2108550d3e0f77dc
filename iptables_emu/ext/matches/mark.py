"""mark: the packet's mark under a mask (kernel: xt_mark.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from iptables_emu.ext import nft
from iptables_emu.ext.api import Base, Gathered, Match, Opt, Region
from iptables_emu.ext.region import masked
from iptables_emu.options.types import mark_mask, show_mark_mask


@dataclass(frozen=True, slots=True)
class Mark(Match):
    """``packet mark & mask == value``, as 32-bit numbers."""

    NAME: ClassVar[str] = "mark"
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("mark", mark_mask, invert=True, mandatory=True, metavar="value[/mask]",
            help="the mark, under the mask, is the value"),
    )  # fmt: skip

    value: int
    mask: int
    inverted: bool = False

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        value, mask = given["mark"].value
        return cls(value, mask, given["mark"].inverted)

    def save(self, base: Base) -> str:
        return f"{' !' if self.inverted else ''} --mark{show_mark_mask(self.value, self.mask)}"

    def listing(self, numeric: bool, base: Base) -> str:
        return f" mark match{' !' if self.inverted else ''}{show_mark_mask(self.value, self.mask)}"

    def translate(self, base: Base) -> str:
        return f"mark {nft.masked(self.value, self.mask, self.inverted)}"

    def region(self, base: Base) -> Region:
        return Region(((masked("mark", self.value, self.mask, self.inverted, self.save(base).strip()),),))


EXTENSIONS = (Mark,)
